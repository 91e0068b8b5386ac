/**
 * "Save picture": what a view shows, as a file of its own. SVG with real text, and the same as PNG at twice the size.
 *
 * A view gives a `Picture`: parts below one another, each with a heading that says what is drawn, of what and when, and
 * the function that also draws the chart on the screen. Colours are those of the theme as it is, or the fixed ones of
 * the style sheet's `paper` for a white page.
 */

import { type Frame, fitText, fontOf, themeValue } from './charts/surface.js';
import { VectorContext } from './charts/vector.js';
import { el, setAttributes, svg } from './dom.js';
import * as l10n from './l10n.js';
import { menuButton } from './menu.js';
import type { ViewContext } from './views/view.js';

export interface PicturePart {
  readonly title: string;
  /** Unit, denominator, window. */
  readonly note: string;
  /** What the colours and dashes mean, where the chart's own drawing does not say it. */
  readonly legend?: readonly PictureKey[];
  /** CSS pixels. */
  readonly height: number;
  /** As on a screen of `frame`'s size; colours and fonts are those that `style` has. */
  draw(frame: Frame, style: Element): void;
}

export interface PictureKey {
  readonly name: string;
  /** Variable of webview.css with its colour. */
  readonly color: string;
  readonly dash: readonly number[];
  readonly kind: 'line' | 'area' | 'bars';
}

export interface Picture {
  /** Proposed name of the file, without its ending. */
  readonly name: string;
  /** CSS pixels of the charts. */
  readonly width: number;
  readonly parts: readonly PicturePart[];
}

type Background = 'theme' | 'white';

const padding = 20;
const heading = 15;
const small = 11;
const lineHeight = 18;
const gap = 24;
/** Narrower charts than this are made for a side panel, not for a page. */
const leastWidth = 720;
/** Pixels of the PNG for one of the SVG. */
const pngScale = 2;

/** A button with the choice of the background; without a picture it says so. */
export function pictureButton(context: ViewContext, picture: () => Picture | null): HTMLElement {
  const save = async (background: Background) => {
    const what = picture();
    if (!what) return context.announce(l10n.t('There is nothing to save yet.'));
    try {
      const drawn = drawPicture(what, background);
      context.savePicture({ name: what.name, svg: drawn.text, pngBase64: await pngOf(drawn) });
    } catch (error) {
      context.failed(error);
    }
  };
  return menuButton({
    label: l10n.t('Save picture…'),
    icon: 'device-camera',
    items: () => [
      { label: l10n.t('Save picture in the colours of the theme…'), press: () => void save('theme') },
      { label: l10n.t('Save picture on white…'), press: () => void save('white') },
    ],
  });
}

interface Drawn {
  readonly text: string;
  readonly width: number;
  readonly height: number;
}

export function drawPicture({ parts, width: wanted }: Picture, background: Background): Drawn {
  // Where styles resolve: in the page, since variables of the theme are those of its root.
  const style = el('div', { class: background === 'white' ? 'picture paper' : 'picture', hidden: true });
  document.body.append(style);
  try {
    const width = Math.max(leastWidth, wanted) + 2 * padding;
    const root = svg('svg', { xmlns: 'http://www.w3.org/2000/svg', width });
    let top = padding;
    const ground = svg('rect', { width, fill: themeValue(style, '--plot-background') });
    root.append(ground);
    for (const part of parts) top = drawPart(part, root, style, width, top) + gap;
    const height = top - gap + padding;
    setAttributes(ground, { height });
    setAttributes(root, { height, viewBox: `0 0 ${width} ${height}` });
    return { text: new XMLSerializer().serializeToString(root), width, height };
  } finally {
    style.remove();
  }
}

/** @returns where the part ends */
function drawPart(part: PicturePart, root: Element, style: Element, width: number, from: number): number {
  const words = new VectorContext(root);
  let top = from;
  words.textBaseline = 'top';
  words.fillStyle = themeValue(style, '--foreground');
  words.font = `bold ${fontOf(style, heading)}`;
  words.fillText(part.title, padding, top);
  top += heading + 6;
  words.fillStyle = themeValue(style, '--note');
  words.font = fontOf(style, small);
  for (const line of wrapped(words, part.note, width - 2 * padding)) {
    words.fillText(line, padding, top);
    top += lineHeight;
  }
  if (part.legend?.length) {
    drawLegend(words, part.legend, style, top);
    top += lineHeight + 4;
  }
  const group = svg('g', { transform: `translate(${padding} ${top})` });
  root.append(group);
  // As a canvas would have it: see VectorContext.
  const context = new VectorContext(group) as unknown as CanvasRenderingContext2D;
  part.draw({ context, width: width - 2 * padding, height: part.height, ratio: 1 }, style);
  return top + part.height;
}

function drawLegend(words: VectorContext, legend: readonly PictureKey[], style: Element, top: number): void {
  let left = padding;
  for (const { name, color, dash, kind } of legend) {
    words.fillStyle = words.strokeStyle = themeValue(style, color);
    if (kind === 'bars') words.fillRect(left, top + 1, 20, 9);
    else {
      words.lineWidth = 2;
      words.setLineDash(dash);
      words.beginPath();
      words.moveTo(left, top + 6);
      words.lineTo(left + 24, top + 6);
      words.stroke();
      words.setLineDash([]);
    }
    words.fillStyle = themeValue(style, '--foreground');
    words.fillText(name, left + 30, top);
    left += 30 + words.measureText(name).width + 18;
  }
}

/** Lines of whole words that fit; a word that does not is cut. */
function wrapped(context: VectorContext, text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(fitText(context as unknown as CanvasRenderingContext2D, word, width));
  }
  return lines;
}

async function pngOf({ text, width, height }: Drawn): Promise<string> {
  const url = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = el('canvas');
    canvas.width = Math.round(width * pngScale);
    canvas.height = Math.round(height * pngScale);
    canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL('image/png').split(',')[1]!;
  } finally {
    URL.revokeObjectURL(url);
  }
}
