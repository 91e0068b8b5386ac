/**
 * A chart of columns over one axis: lines, filled areas, bars up and down, marks; with a cursor for mouse and keys.
 *
 * The chart is a slider for a screen reader: arrows move the cursor, and its value is the sentence of the point. Series
 * differ in dash and in words, too, never in colour alone.
 */
import { el, setAttributes, svg } from '../dom.js';
import { fittingLabels } from './scale.js';
import { type Frame, fitText, fontOf, Surface, themeValue } from './surface.js';

export interface Series {
  readonly name: string;
  readonly values: ArrayLike<number>;
  /** Variable of webview.css with its colour. */
  readonly color: string;
  readonly dash: readonly number[];
  readonly kind: 'line' | 'area' | 'bars';
}

export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly logarithmic: boolean;
  readonly title: string;
  /** @param most how many have room */
  ticks(most: number): readonly number[];
  label(value: number): string;
}

export interface Mark {
  readonly at: number;
  readonly label: string;
}

export interface PlotData {
  /** Ascending; of the same length as every series. */
  readonly points: ArrayLike<number>;
  readonly series: readonly Series[];
  readonly x: Axis;
  readonly y: Axis;
  readonly marks: readonly Mark[];
  /** The point in a sentence. */
  sentence(point: number): string;
}

/** CSS pixels. */
const margin = { top: 8, right: 10, bottom: 36 };
const fontSize = 11;

export class Plot {
  readonly element: HTMLElement;
  readonly #box: HTMLElement;
  readonly #legend = el('div', { class: 'legend' });
  readonly #readout = el('p', { class: 'readout note' });
  readonly #surface: Surface;
  #data: PlotData | null = null;
  #cursor: number | null = null;
  /** Width of the labels of the y axis. */
  #left = 40;

  constructor(label: string) {
    this.#box = el('div', { class: 'plot', role: 'slider', tabindex: 0, 'aria-label': label, 'aria-valuemin': 0 });
    this.#surface = new Surface(this.#box, frame => this.#draw(frame));
    this.element = el('div', { class: 'plot-with-words' }, this.#legend, this.#box, this.#readout);
    this.#box.addEventListener('keydown', event => this.#key(event));
    this.#box.addEventListener('pointermove', event => this.#point(event));
    this.#box.addEventListener('pointerleave', () => {
      if (document.activeElement !== this.#box) this.#move(null);
    });
    this.#box.addEventListener('focus', () => this.#cursor === null && this.#move(0));
    this.#box.addEventListener('blur', () => this.#move(null));
  }

  show(data: PlotData): void {
    this.#data = data;
    this.#legend.replaceChildren(...data.series.map(series => legendEntry(series)));
    setAttributes(this.#box, { 'aria-valuemax': Math.max(0, data.points.length - 1) });
    this.#move(null);
  }

  #move(point: number | null): void {
    const data = this.#data;
    if (!data) return;
    const last = data.points.length - 1;
    this.#cursor = point === null || last < 0 ? null : Math.max(0, Math.min(point, last));
    const text = this.#cursor === null ? '' : data.sentence(this.#cursor);
    this.#readout.textContent = text || 'Point at the chart, or use the arrow keys, to read its values.';
    setAttributes(this.#box, { 'aria-valuenow': this.#cursor ?? 0, 'aria-valuetext': text || 'no point chosen' });
    this.#surface.redraw();
  }

  #key(event: KeyboardEvent): void {
    const last = (this.#data?.points.length ?? 0) - 1;
    const at = this.#cursor ?? 0;
    const tenth = Math.max(1, Math.round(last / 10));
    const to: Readonly<Record<string, number>> = {
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      PageUp: at + tenth,
      PageDown: at - tenth,
      Home: 0,
      End: last,
    };
    const next = to[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.#move(next);
  }

  #point({ offsetX }: PointerEvent): void {
    const { frame } = this.#surface;
    const data = this.#data;
    if (!frame || !data) return;
    const place = (i: number) => this.#x(frame, data.points[i]!);
    // The nearest point: the first at or behind the pointer, or the one before it.
    let low = 0;
    let high = data.points.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (place(middle) < offsetX) low = middle + 1;
      else high = middle;
    }
    if (low > 0 && offsetX - place(low - 1) < place(low) - offsetX) low--;
    this.#move(low);
  }

  #x({ width }: Frame, value: number): number {
    return this.#left + share(this.#data!.x, value) * (width - this.#left - margin.right);
  }

  #y({ height }: Frame, value: number): number {
    return margin.top + (1 - share(this.#data!.y, value)) * (height - margin.top - margin.bottom);
  }

  #draw(frame: Frame): void {
    const data = this.#data;
    if (!data || data.points.length === 0) return;
    const { context, height } = frame;
    context.font = fontOf(this.#box, fontSize);
    const yTicks = data.y.ticks(Math.max(2, Math.floor((height - margin.top - margin.bottom) / 32)));
    this.#left = Math.max(...yTicks.map(tick => context.measureText(data.y.label(tick)).width), 16) + 10;
    this.#grid(frame, yTicks);
    context.save();
    context.beginPath();
    context.rect(this.#left, 0, frame.width - this.#left - margin.right + 1, height - margin.bottom + 1);
    context.clip();
    for (const series of data.series) this.#series(frame, series);
    context.restore();
    this.#marks(frame);
    if (this.#cursor !== null) this.#cross(frame, this.#cursor);
  }

  #grid(frame: Frame, yTicks: readonly number[]): void {
    const { context, width, height, ratio } = frame;
    const { x, y } = this.#data!;
    const foot = height - margin.bottom;
    const text = themeValue(this.#box, '--note');
    context.lineWidth = 1 / ratio;
    context.strokeStyle = themeValue(this.#box, '--rule');
    context.fillStyle = text;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    const opacity = Number(themeValue(this.#box, '--grid-line-opacity'));
    for (const tick of yTicks) {
      const at = crisp(this.#y(frame, tick), ratio);
      context.globalAlpha = opacity;
      line(context, this.#left, at, width - margin.right, at);
      context.globalAlpha = 1;
      context.fillText(y.label(tick), this.#left - 6, at);
    }
    context.textAlign = 'center';
    context.textBaseline = 'top';
    const labels = x.ticks(Math.max(2, Math.floor((width - this.#left) / 70))).map(tick => ({
      at: this.#x(frame, tick),
      size: context.measureText(x.label(tick)).width + 8,
      weight: 1,
      text: x.label(tick),
    }));
    for (const { at } of labels) line(context, crisp(at, ratio), foot, crisp(at, ratio), foot + 4);
    for (const { at, text } of fittingLabels(labels, 0, width)) context.fillText(text, at, foot + 6);
    context.fillText(fitText(context, x.title, width - this.#left), (this.#left + width - margin.right) / 2, foot + 21);
  }

  #series(frame: Frame, { kind, values, color, dash }: Series): void {
    const { context } = frame;
    const { points } = this.#data!;
    context.strokeStyle = context.fillStyle = themeValue(this.#box, color);
    const base = this.#y(frame, Math.max(0, this.#data!.y.from));
    if (kind === 'bars') {
      const step = points.length > 1 ? this.#x(frame, points[1]!) - this.#x(frame, points[0]!) : 8;
      for (let i = 0; i < points.length; i++) {
        const at = this.#x(frame, points[i]!);
        const top = this.#y(frame, values[i]!);
        context.fillRect(
          at - step / 2,
          Math.min(top, base),
          Math.max(step * 0.9, 1 / frame.ratio),
          Math.abs(top - base),
        );
      }
      return;
    }
    context.beginPath();
    for (let i = 0; i < points.length; i++) {
      context.lineTo(this.#x(frame, points[i]!), this.#y(frame, values[i]!));
    }
    context.lineWidth = 1.5;
    context.lineJoin = 'round';
    context.setLineDash([...dash]);
    context.stroke();
    context.setLineDash([]);
    if (kind === 'area') {
      context.lineTo(this.#x(frame, points[points.length - 1]!), base);
      context.lineTo(this.#x(frame, points[0]!), base);
      context.globalAlpha = 0.15;
      context.fill();
      context.globalAlpha = 1;
    }
  }

  #marks(frame: Frame): void {
    const { context, height, width, ratio } = frame;
    context.strokeStyle = themeValue(this.#box, '--foreground');
    context.fillStyle = themeValue(this.#box, '--foreground');
    context.lineWidth = 1;
    context.textBaseline = 'top';
    this.#data!.marks.forEach(({ at, label }, row) => {
      const x = crisp(this.#x(frame, at), ratio);
      context.setLineDash([2, 3]);
      line(context, x, margin.top, x, height - margin.bottom);
      context.setLineDash([]);
      const room = context.measureText(label).width;
      const left = x + 4 + room > width - margin.right;
      context.textAlign = left ? 'right' : 'left';
      // Neighbours stand at different heights, so that close capacities can be told apart.
      context.fillText(label, left ? x - 4 : x + 4, margin.top + 2 + row * (fontSize + 4));
    });
  }

  #cross(frame: Frame, point: number): void {
    const { context, height, ratio } = frame;
    const { points, series } = this.#data!;
    const x = crisp(this.#x(frame, points[point]!), ratio);
    context.strokeStyle = themeValue(this.#box, '--focus');
    context.lineWidth = 1;
    line(context, x, margin.top, x, height - margin.bottom);
    for (const { values, color } of series) {
      context.fillStyle = themeValue(this.#box, color);
      context.beginPath();
      context.arc(x, this.#y(frame, values[point]!), 3, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }
}

/** Place of a value on an axis: 0 its start, 1 its end; clamped below, where a logarithm has none. */
export function share({ from, to, logarithmic }: Axis, value: number): number {
  if (to <= from) return 0.5;
  if (!logarithmic) return (value - from) / (to - from);
  return value <= from ? 0 : Math.log(value / from) / Math.log(to / from);
}

function legendEntry({ name, color, dash, kind }: Series): HTMLElement {
  const sample =
    kind === 'bars'
      ? svg('rect', { x: 1, y: 2, width: 16, height: 8 })
      : svg('line', { x1: 1, y1: 6, x2: 23, y2: 6, 'stroke-dasharray': dash.join(' ') });
  const entry = el(
    'span',
    { class: 'legend-entry' },
    svg('svg', { width: 24, height: 12, class: kind, 'aria-hidden': 'true' }, sample),
    name,
  );
  entry.style.setProperty('--series', `var(${color})`);
  return entry;
}

/** The middle of a device pixel: a line there is sharp. */
function crisp(value: number, ratio: number): number {
  return (Math.floor(value * ratio) + 0.5) / ratio;
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
