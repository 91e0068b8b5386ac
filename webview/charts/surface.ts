/**
 * A canvas that is as sharp as the screen: its pixels are the device's, whatever the zoom, and it draws once a frame
 * however often it is asked. Colours and fonts are the theme's, read when drawn.
 */
import { el } from '../dom.js';

export interface Frame {
  readonly context: CanvasRenderingContext2D;
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** Device pixels in a CSS pixel. */
  readonly ratio: number;
}

export class Surface {
  readonly canvas = el('canvas', { 'aria-hidden': 'true' });
  #frame: Frame | null = null;

  constructor(
    host: HTMLElement,
    readonly draw: (frame: Frame) => void,
    readonly resized: (frame: Frame) => void = () => {},
  ) {
    host.append(this.canvas);
    const observer = new ResizeObserver(([entry]) => this.#resize(entry!));
    // Only the device's own box says how many pixels there are where the ratio is not whole.
    try {
      observer.observe(this.canvas, { box: 'device-pixel-content-box' });
    } catch {
      observer.observe(this.canvas);
    }
    onThemeChange(() => this.redraw());
  }

  get frame(): Frame | null {
    return this.#frame;
  }

  redraw(): void {
    if (due.size === 0) requestAnimationFrame(drawDue);
    due.add(this);
  }

  #resize({ contentRect, devicePixelContentBoxSize }: ResizeObserverEntry): void {
    const { width, height } = contentRect;
    if (width === 0 || height === 0) return;
    const box = devicePixelContentBoxSize?.[0];
    // An emulated ratio does not reach the box: then it is believed, and the box not.
    const exact = box && Math.abs(box.inlineSize - width * devicePixelRatio) < 2 ? box : null;
    this.canvas.width = exact?.inlineSize ?? Math.round(width * devicePixelRatio);
    this.canvas.height = exact?.blockSize ?? Math.round(height * devicePixelRatio);
    const context = this.canvas.getContext('2d')!;
    this.#frame = { context, width, height, ratio: this.canvas.width / width };
    this.resized(this.#frame);
    // At once: a canvas is blank from the moment its size is set, and the next frame would be a flash.
    this.drawNow();
  }

  /** At once; `redraw` waits for the next frame. */
  drawNow(): void {
    if (!this.#frame) return;
    const { context, width, height } = this.#frame;
    context.setTransform(this.canvas.width / width, 0, 0, this.canvas.height / height, 0, 0);
    context.clearRect(0, 0, width, height);
    this.draw(this.#frame);
  }
}

/** Surfaces that are drawn with the next frame: asking the browser costs more than many a drawing. */
const due = new Set<Surface>();

function drawDue(): void {
  const surfaces = [...due];
  due.clear();
  for (const surface of surfaces) surface.drawNow();
}

const listeners = new Set<() => void>();
let watched = false;

/** The editor changes themes by classes and variables; the page stays. */
export function onThemeChange(listener: () => void): void {
  listeners.add(listener);
  if (watched) return;
  watched = true;
  const observer = new MutationObserver(() => {
    styles = new WeakMap();
    for (const each of listeners) each();
  });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
  observer.observe(document.body, { attributes: true, attributeFilter: ['style', 'class', 'data-vscode-theme-id'] });
}

/** What elements had in this theme: reading a style takes longer than drawing a line in it. */
let styles = new WeakMap<Element, Map<string, string>>();

function styleOf(element: Element, name: string, read: (style: CSSStyleDeclaration) => string): string {
  // Until the element is in the page and the theme is watched, nothing holds.
  if (!watched || !element.isConnected) return read(getComputedStyle(element));
  let known = styles.get(element);
  if (!known) styles.set(element, (known = new Map()));
  let value = known.get(name);
  if (value === undefined) known.set(name, (value = read(getComputedStyle(element))));
  return value;
}

/** A style of the theme by the name of its variable in webview.css; resolved, so that a canvas understands it. */
export function themeValue(element: Element, variable: string): string {
  return styleOf(element, variable, style => style.getPropertyValue(variable).trim());
}

export function fontOf(element: Element, pixels: number): string {
  return `${pixels}px ${styleOf(element, 'font-family', style => style.fontFamily)}`;
}

/** Cuts a text to a width, with an ellipsis in place of its end; `tail` stays behind it. */
export function fitText(context: CanvasRenderingContext2D, text: string, width: number, tail = ''): string {
  if (tail !== '') return fitText(context, text, width - context.measureText(tail).width) + tail;
  if (context.measureText(text).width <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (context.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? '' : `${text.slice(0, low)}…`;
}

export function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
