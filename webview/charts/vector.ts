/**
 * Draws what a canvas would as SVG, so that a chart has one drawing code for the screen and for a picture: text stays
 * text, lines stay lines, and what is drawn from another canvas (the bins of a heatmap) is an image within.
 *
 * The part of `CanvasRenderingContext2D` that charts use; gradients, patterns, shadows and blending are not in it.
 * Presentation attributes only: a picture must not need a style sheet.
 */
import { svg } from '../dom.js';

type Matrix = readonly [number, number, number, number, number, number];

interface Pen {
  fillStyle: string;
  strokeStyle: string;
  lineWidth: number;
  lineJoin: CanvasLineJoin;
  lineCap: CanvasLineCap;
  globalAlpha: number;
  font: string;
  textAlign: CanvasTextAlign;
  textBaseline: CanvasTextBaseline;
  imageSmoothingEnabled: boolean;
  dash: readonly number[];
  matrix: Matrix;
  clip: string | null;
}

const identity: Matrix = [1, 0, 0, 1, 0, 0];

/** How far the line of a text's letters lies below where it is anchored, in font sizes: of common sans-serif fonts. */
const baselines: Readonly<Partial<Record<CanvasTextBaseline, number>>> = { top: 0.8, middle: 0.34, bottom: -0.2 };
const anchors: Readonly<Partial<Record<CanvasTextAlign, string>>> = { center: 'middle', right: 'end', end: 'end' };

/** Ids of clip paths are of the whole page as long as the picture is in it. */
let lastId = 0;

export class VectorContext implements Omit<Pen, 'dash' | 'matrix' | 'clip'> {
  readonly #root: Element;
  readonly #measure = document.createElement('canvas').getContext('2d')!;
  readonly #saved: Pen[] = [];
  #path: string[] = [];
  #dash: readonly number[] = [];
  #matrix: Matrix = identity;
  #clip: string | null = null;
  fillStyle = '#000000';
  strokeStyle = '#000000';
  lineWidth = 1;
  lineJoin: CanvasLineJoin = 'miter';
  lineCap: CanvasLineCap = 'butt';
  globalAlpha = 1;
  font = '10px sans-serif';
  textAlign: CanvasTextAlign = 'start';
  textBaseline: CanvasTextBaseline = 'alphabetic';
  imageSmoothingEnabled = true;

  /** @param root what is drawn becomes its children */
  constructor(root: Element) {
    this.#root = root;
  }

  // State.

  save(): void {
    this.#saved.push({
      fillStyle: this.fillStyle,
      strokeStyle: this.strokeStyle,
      lineWidth: this.lineWidth,
      lineJoin: this.lineJoin,
      lineCap: this.lineCap,
      globalAlpha: this.globalAlpha,
      font: this.font,
      textAlign: this.textAlign,
      textBaseline: this.textBaseline,
      imageSmoothingEnabled: this.imageSmoothingEnabled,
      dash: this.#dash,
      matrix: this.#matrix,
      clip: this.#clip,
    });
  }

  restore(): void {
    const pen = this.#saved.pop();
    if (!pen) return;
    const { dash, matrix, clip, ...styles } = pen;
    Object.assign(this, styles);
    [this.#dash, this.#matrix, this.#clip] = [dash, matrix, clip];
  }

  setLineDash(dash: readonly number[]): void {
    this.#dash = [...dash];
  }

  getLineDash(): number[] {
    return [...this.#dash];
  }

  transform(a: number, b: number, c: number, d: number, e: number, f: number): void {
    const [A, B, C, D, E, F] = this.#matrix;
    this.#matrix = [A * a + C * b, B * a + D * b, A * c + C * d, B * c + D * d, A * e + C * f + E, B * e + D * f + F];
  }

  setTransform(a = 1, b = 0, c = 0, d = 1, e = 0, f = 0): void {
    this.#matrix = [a, b, c, d, e, f];
  }

  resetTransform(): void {
    this.#matrix = identity;
  }

  translate(x: number, y: number): void {
    this.transform(1, 0, 0, 1, x, y);
  }

  scale(x: number, y: number): void {
    this.transform(x, 0, 0, y, 0, 0);
  }

  rotate(angle: number): void {
    this.transform(Math.cos(angle), Math.sin(angle), -Math.sin(angle), Math.cos(angle), 0, 0);
  }

  // Paths.

  beginPath(): void {
    this.#path = [];
  }

  moveTo(x: number, y: number): void {
    this.#path.push(`M${short(x)} ${short(y)}`);
  }

  /** As on a canvas, the first line of a path begins where it ends. */
  lineTo(x: number, y: number): void {
    this.#path.push(`${this.#path.length === 0 ? 'M' : 'L'}${short(x)} ${short(y)}`);
  }

  closePath(): void {
    this.#path.push('Z');
  }

  rect(x: number, y: number, width: number, height: number): void {
    this.#path.push(`M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`);
  }

  arc(x: number, y: number, radius: number, from: number, to: number, counterclockwise = false): void {
    const at = (angle: number) => `${short(x + radius * Math.cos(angle))} ${short(y + radius * Math.sin(angle))}`;
    const sweep = counterclockwise ? 0 : 1;
    const turn = Math.abs(to - from);
    const begin = `${this.#path.length === 0 ? 'M' : 'L'}${at(from)}`;
    const part = (end: number, large: number) => `A${short(radius)} ${short(radius)} 0 ${large} ${sweep} ${at(end)}`;
    // One arc cannot end where it begins: a circle is two halves.
    const whole = turn >= 2 * Math.PI - 1e-6;
    this.#path.push(
      begin,
      ...(whole ? [part(from + Math.PI, 1), part(from, 1), 'Z'] : [part(to, turn > Math.PI ? 1 : 0)]),
    );
  }

  fill(): void {
    this.#draw('path', { d: this.#path.join(''), ...this.#fillOf() });
  }

  stroke(): void {
    this.#draw('path', { d: this.#path.join(''), fill: 'none', ...this.#strokeOf() });
  }

  clip(): void {
    const id = `clip-${++lastId}`;
    const shape = svg('path', { d: this.#path.join(''), transform: this.#transform() });
    // Clips narrow each other.
    this.#root.append(svg('clipPath', { id, 'clip-path': this.#clip && `url(#${this.#clip})` }, shape));
    this.#clip = id;
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.#draw('rect', { ...box(x, y, width, height), ...this.#fillOf() });
  }

  strokeRect(x: number, y: number, width: number, height: number): void {
    this.#draw('rect', { ...box(x, y, width, height), fill: 'none', ...this.#strokeOf() });
  }

  /** A picture begins empty, and charts clear before they draw only. */
  clearRect(): void {}

  // Texts and images.

  measureText(text: string): TextMetrics {
    this.#measure.font = this.font;
    return this.#measure.measureText(text);
  }

  fillText(text: string, x: number, y: number): void {
    this.#measure.font = this.font;
    const [, style = '', size = '10', family = 'sans-serif'] =
      /^(.*?)([\d.]+)px\s+(.*)$/.exec(this.#measure.font) ?? [];
    const drop = (baselines[this.textBaseline] ?? 0) * Number(size);
    const element = this.#draw('text', {
      x: short(x),
      y: short(y + drop),
      'text-anchor': anchors[this.textAlign] ?? null,
      'font-family': family.includes('sans-serif') || family.includes('monospace') ? family : `${family}, sans-serif`,
      'font-size': size,
      'font-weight': /bold|[5-9]00/.exec(style)?.[0] ?? null,
      ...this.#fillOf(),
    });
    element.textContent = text;
  }

  drawImage(image: HTMLCanvasElement, ...at: readonly number[]): void {
    const cut = at.length === 8;
    const [x = 0, y = 0, width = image.width, height = image.height] = cut ? at.slice(4) : at;
    const source = cut ? part(image, at) : image;
    if (source.width === 0 || source.height === 0) return;
    this.#draw('image', {
      ...box(x, y, width, height),
      href: source.toDataURL('image/png'),
      preserveAspectRatio: 'none',
      'image-rendering': this.imageSmoothingEnabled ? null : 'pixelated',
      opacity: this.globalAlpha === 1 ? null : this.globalAlpha,
    });
  }

  // Attributes.

  #draw(tag: string, attributes: Readonly<Record<string, string | number | null>>): Element {
    const element = svg(tag, {
      ...attributes,
      transform: this.#transform(),
    });
    const clipped = this.#clip && svg('g', { 'clip-path': `url(#${this.#clip})` }, element);
    this.#root.append(clipped ?? element);
    return element;
  }

  #transform(): string | null {
    return this.#matrix.every((value, i) => value === identity[i])
      ? null
      : `matrix(${this.#matrix.map(short).join(' ')})`;
  }

  #fillOf() {
    const [color, opacity] = this.#color(this.fillStyle);
    return { fill: color, 'fill-opacity': opacity === 1 ? null : short(opacity) };
  }

  #strokeOf() {
    const [color, opacity] = this.#color(this.strokeStyle);
    return {
      stroke: color,
      'stroke-opacity': opacity === 1 ? null : short(opacity),
      'stroke-width': short(this.lineWidth),
      'stroke-dasharray': this.#dash.length > 0 ? this.#dash.join(' ') : null,
      'stroke-linejoin': this.lineJoin === 'miter' ? null : this.lineJoin,
      'stroke-linecap': this.lineCap === 'butt' ? null : this.lineCap,
    };
  }

  /** Any colour that a style sheet knows as `#rrggbb` and an opacity: other programs read no more than that. */
  #color(style: string): [string, number] {
    this.#measure.fillStyle = '#000000';
    this.#measure.fillStyle = style;
    const plain = this.#measure.fillStyle;
    const [, red, green, blue, alpha] = /^rgba\((\d+), (\d+), (\d+), ([\d.]+)\)$/.exec(plain) ?? [];
    if (red === undefined) return [plain, this.globalAlpha];
    const hex = [red, green, blue].map(channel => Number(channel).toString(16).padStart(2, '0')).join('');
    return [`#${hex}`, Number(alpha) * this.globalAlpha];
  }
}

/** A hundredth of a pixel is finer than any screen. */
function short(value: number): number {
  return Math.round(value * 100) / 100;
}

function box(x: number, y: number, width: number, height: number) {
  return {
    x: short(Math.min(x, x + width)),
    y: short(Math.min(y, y + height)),
    width: short(Math.abs(width)),
    height: short(Math.abs(height)),
  };
}

/** The source rectangle of a canvas: the first four of drawImage's eight numbers. */
function part(image: HTMLCanvasElement, [x = 0, y = 0, width = 0, height = 0]: readonly number[]): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width));
  canvas.height = Math.max(1, Math.round(height));
  const context = canvas.getContext('2d')!;
  context.imageSmoothingEnabled = false;
  context.drawImage(image, x, y, width, height, 0, 0, canvas.width, canvas.height);
  return canvas;
}
