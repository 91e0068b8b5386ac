/**
 * A chart of columns over one axis: lines, filled areas, bars up and down, marks; with a cursor for mouse and keys.
 *
 * The chart is a slider for a screen reader: arrows move the cursor, and its value is the sentence of the point. Series
 * differ in dash and in words, too, never in colour alone. Where a chart can be brushed, a drag selects a part of its
 * axis, and so do Shift and the arrows.
 */

import { el, setAttributes, svg } from '../dom.js';
import * as l10n from '../l10n.js';
import { fittingLabels } from './scale.js';
import { type Frame, fitText, fontOf, Surface, themeValue } from './surface.js';

/** Both ends in values of the x axis, in order. */
export type Brushed = readonly [number, number];

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
  /** A dash of its own tells kinds of marks apart. */
  readonly dash?: readonly number[];
}

export interface PlotData {
  /** Ascending; of the same length as every series. */
  readonly points: ArrayLike<number>;
  readonly series: readonly Series[];
  readonly x: Axis;
  readonly y: Axis;
  readonly marks: readonly Mark[];
  /** The part of the x axis that is shaded, in its values; null: none. */
  readonly shaded?: readonly [number, number] | null;
  /** The point in a sentence. */
  sentence(point: number): string;
}

/** CSS pixels. */
const margin = { top: 8, right: 10, bottom: 36 };
/** A press that moves less is a click. */
const dragPixels = 4;
const fontSize = 11;
/** A row of the words of marks. */
const markHeight = fontSize + 4;

export class Plot {
  readonly element: HTMLElement;
  readonly #box: HTMLElement;
  readonly #legend = el('div', { class: 'legend' });
  readonly #readout = el('p', { class: 'readout note' });
  readonly #surface: Surface;
  readonly #brushed: ((part: Brushed | null) => void) | null;
  #data: PlotData | null = null;
  #cursor: number | null = null;
  #chart: Chart | null = null;
  /** Where a drag began, and where it is; or the point at which Shift was first held. CSS pixels. */
  #press: number | null = null;
  #drag: number | null = null;
  #anchor: number | null = null;

  /** @param brushed a part of the x axis was selected; null: none any more */
  constructor(label: string, brushed: ((part: Brushed | null) => void) | null = null) {
    this.#brushed = brushed;
    this.#box = el('div', {
      class: brushed ? 'plot brushable' : 'plot',
      role: 'slider',
      tabindex: 0,
      'aria-label': label,
      'aria-valuemin': 0,
    });
    this.#surface = new Surface(this.#box, frame => this.#draw(frame));
    this.element = el('div', { class: 'plot-with-words' }, this.#legend, this.#box, this.#readout);
    this.#box.addEventListener('keydown', event => this.#key(event));
    this.#box.addEventListener('pointerdown', event => this.#down(event));
    this.#box.addEventListener('pointermove', event => this.#point(event));
    this.#box.addEventListener('pointerup', () => this.#up());
    this.#box.addEventListener('pointercancel', () => this.#endDrag());
    this.#box.addEventListener('pointerleave', () => {
      if (document.activeElement !== this.#box) this.#move(null);
    });
    this.#box.addEventListener('focus', () => this.#cursor === null && this.#move(0));
    this.#box.addEventListener('blur', () => this.#move(null));
  }

  show(data: PlotData): void {
    const cursor = document.activeElement === this.#box ? this.#cursor : null;
    this.#data = data;
    this.#legend.replaceChildren(...data.series.map(series => legendEntry(series)));
    setAttributes(this.#box, { 'aria-valuemax': Math.max(0, data.points.length - 1) });
    this.#move(cursor);
  }

  #move(point: number | null): void {
    const data = this.#data;
    if (!data) return;
    const last = data.points.length - 1;
    this.#cursor = point === null || last < 0 ? null : Math.max(0, Math.min(point, last));
    const text = this.#cursor === null ? '' : data.sentence(this.#cursor);
    this.#readout.textContent = text || this.#help();
    setAttributes(this.#box, {
      'aria-valuenow': this.#cursor ?? 0,
      'aria-valuetext': text || l10n.t('no point chosen'),
    });
    this.#surface.redraw();
  }

  #help(): string {
    const read = l10n.t('Point at the chart, or use the arrow keys, to read its values.');
    return this.#brushed
      ? l10n.t('{0} Drag, or hold Shift with the arrow keys, to select a window for every view; Escape ends it.', read)
      : read;
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
    if (event.key === 'Escape' && this.#brushed && this.#data?.shaded) {
      this.#brushed(null);
      event.preventDefault();
      return;
    }
    const next = to[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    if (!event.shiftKey) this.#anchor = null;
    else this.#anchor ??= at;
    this.#move(next);
    if (this.#anchor !== null) this.#select(this.#data!.points[this.#anchor]!, this.#data!.points[this.#cursor!]!);
  }

  #select(a: number, b: number): void {
    this.#brushed?.([Math.min(a, b), Math.max(a, b)]);
  }

  #down({ button, offsetX, pointerId }: PointerEvent): void {
    if (!this.#brushed || button !== 0) return;
    this.#press = offsetX;
    this.#box.setPointerCapture(pointerId);
  }

  #point({ offsetX }: PointerEvent): void {
    const chart = this.#chart;
    if (!chart || !this.#data || this.#data.points.length === 0) return;
    if (this.#press !== null && (this.#drag !== null || Math.abs(offsetX - this.#press) > dragPixels)) {
      this.#drag = offsetX;
    }
    this.#move(chart.nearest(offsetX));
  }

  #up(): void {
    const [press, drag, chart] = [this.#press, this.#drag, this.#chart];
    this.#endDrag();
    if (press !== null && drag !== null && chart) this.#select(chart.valueAt(press), chart.valueAt(drag));
  }

  #endDrag(): void {
    this.#press = this.#drag = null;
    this.#surface.redraw();
  }

  #draw(frame: Frame): void {
    if (!this.#data || this.#data.points.length === 0) return;
    this.#chart = new Chart(frame, this.#box, this.#data);
    this.#chart.draw();
    if (this.#press !== null && this.#drag !== null) this.#chart.shade(this.#press, this.#drag);
    if (this.#cursor !== null) this.#chart.cross(this.#cursor);
  }
}

/** The chart at the size of a frame: on the screen, or in a picture. */
export class Chart {
  readonly #frame: Frame;
  readonly #style: Element;
  readonly #data: PlotData;
  readonly #yTicks: readonly number[];
  /** Width of the labels of the y axis. */
  readonly #left: number;

  /** @param style whose colours and fonts it has */
  constructor(frame: Frame, style: Element, data: PlotData) {
    this.#frame = frame;
    this.#style = style;
    this.#data = data;
    const { context, height } = frame;
    context.font = fontOf(style, fontSize);
    this.#yTicks = data.y.ticks(Math.max(2, Math.floor((height - margin.top - margin.bottom) / 32)));
    this.#left = Math.max(...this.#yTicks.map(tick => context.measureText(data.y.label(tick)).width), 16) + 10;
  }

  draw(): void {
    const { context, width, height } = this.#frame;
    const { series, shaded } = this.#data;
    this.#grid();
    context.save();
    context.beginPath();
    context.rect(this.#left, 0, width - this.#left - margin.right + 1, height - margin.bottom + 1);
    context.clip();
    if (shaded) this.shade(this.#x(shaded[0]), this.#x(shaded[1]));
    for (const each of series) this.#series(each);
    context.restore();
    this.#marks();
  }

  #x(value: number): number {
    return this.#left + share(this.#data.x, value) * (this.#frame.width - this.#left - margin.right);
  }

  #y(value: number): number {
    return margin.top + (1 - share(this.#data.y, value)) * (this.#frame.height - margin.top - margin.bottom);
  }

  /** The value of the x axis at a place, within the axis. */
  valueAt(x: number): number {
    const { from, to, logarithmic } = this.#data.x;
    const part = (x - this.#left) / (this.#frame.width - this.#left - margin.right);
    const at = Math.max(0, Math.min(1, part));
    return logarithmic ? from * (to / from) ** at : from + at * (to - from);
  }

  /** The point that is nearest to a place. */
  nearest(x: number): number {
    const { points } = this.#data;
    const place = (i: number) => this.#x(points[i]!);
    let low = 0;
    let high = points.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (place(middle) < x) low = middle + 1;
      else high = middle;
    }
    return low > 0 && x - place(low - 1) < place(low) - x ? low - 1 : low;
  }

  #grid(): void {
    const { context, width, height, ratio } = this.#frame;
    const { x, y } = this.#data;
    const foot = height - margin.bottom;
    const text = themeValue(this.#style, '--note');
    context.lineWidth = 1 / ratio;
    context.strokeStyle = themeValue(this.#style, '--rule');
    context.fillStyle = text;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    const opacity = Number(themeValue(this.#style, '--grid-line-opacity'));
    for (const tick of this.#yTicks) {
      const at = crisp(this.#y(tick), ratio);
      context.globalAlpha = opacity;
      line(context, this.#left, at, width - margin.right, at);
      context.globalAlpha = 1;
      context.fillText(y.label(tick), this.#left - 6, at);
    }
    context.textAlign = 'center';
    context.textBaseline = 'top';
    const labels = x.ticks(Math.max(2, Math.floor((width - this.#left) / 70))).map(tick => ({
      at: this.#x(tick),
      size: context.measureText(x.label(tick)).width + 8,
      weight: 1,
      text: x.label(tick),
    }));
    for (const { at } of labels) line(context, crisp(at, ratio), foot, crisp(at, ratio), foot + 4);
    for (const { at, text } of fittingLabels(labels, 0, width)) context.fillText(text, at, foot + 6);
    context.fillText(fitText(context, x.title, width - this.#left), (this.#left + width - margin.right) / 2, foot + 21);
  }

  #series({ kind, values, color, dash }: Series): void {
    const { context, ratio } = this.#frame;
    const { points, y } = this.#data;
    context.strokeStyle = context.fillStyle = themeValue(this.#style, color);
    const base = this.#y(Math.max(0, y.from));
    if (kind === 'bars') {
      const step = points.length > 1 ? this.#x(points[1]!) - this.#x(points[0]!) : 8;
      for (let i = 0; i < points.length; i++) {
        const at = this.#x(points[i]!);
        const top = this.#y(values[i]!);
        context.fillRect(at - step / 2, Math.min(top, base), Math.max(step * 0.9, 1 / ratio), Math.abs(top - base));
      }
      return;
    }
    context.beginPath();
    for (let i = 0; i < points.length; i++) context.lineTo(this.#x(points[i]!), this.#y(values[i]!));
    context.lineWidth = 1.5;
    context.lineJoin = 'round';
    context.setLineDash([...dash]);
    context.stroke();
    context.setLineDash([]);
    if (kind === 'area') {
      context.lineTo(this.#x(points[points.length - 1]!), base);
      context.lineTo(this.#x(points[0]!), base);
      context.globalAlpha = 0.15;
      context.fill();
      context.globalAlpha = 1;
    }
  }

  #marks(): void {
    const { context, height, ratio } = this.#frame;
    context.strokeStyle = context.fillStyle = themeValue(this.#style, '--foreground');
    context.lineWidth = 1;
    context.textBaseline = 'top';
    const words = this.#markWords();
    for (const { at, dash = [2, 3] } of this.#data.marks) {
      const x = crisp(this.#x(at), ratio);
      context.setLineDash([...dash]);
      let from = margin.top;
      // Not through the words of another.
      for (const { top } of words.filter(({ left, right }) => left < x && x < right)) {
        if (top > from) line(context, x, from, x, top);
        from = Math.max(from, top + markHeight);
      }
      line(context, x, from, x, height - margin.bottom);
    }
    context.setLineDash([]);
    for (const { label, left, right, top, before } of words) {
      context.textAlign = before ? 'right' : 'left';
      context.fillText(label, before ? right - 4 : left + 4, top);
    }
  }

  /** Words of marks at the first height at which they touch no other's, top first; those without room have none. */
  #markWords() {
    const { context, height, width, ratio } = this.#frame;
    const rows: { label: string; left: number; right: number; top: number; before: boolean }[][] = [];
    const most = Math.floor((height - margin.top - margin.bottom) / markHeight);
    for (const { at, label } of this.#data.marks) {
      const x = crisp(this.#x(at), ratio);
      const room = context.measureText(label).width + 8;
      const before = x + room > width - margin.right;
      const [left, right] = before ? [x - room, x] : [x, x + room];
      let row = 0;
      while (rows[row]?.some(other => left < other.right && right > other.left)) row++;
      if (row >= most || left < this.#left) continue;
      (rows[row] ??= []).push({ label, left, right, top: margin.top + 2 + row * markHeight, before });
    }
    return rows.flat();
  }

  /** From one place to another. */
  shade(a: number, b: number): void {
    const { context, height, ratio } = this.#frame;
    const [from, to] = [Math.max(this.#left, Math.min(a, b)), Math.max(a, b)];
    context.fillStyle = themeValue(this.#style, '--brush');
    context.fillRect(from, margin.top, Math.max(1, to - from), height - margin.top - margin.bottom);
    context.strokeStyle = themeValue(this.#style, '--focus');
    context.lineWidth = 1;
    for (const edge of [from, to]) {
      line(context, crisp(edge, ratio), margin.top, crisp(edge, ratio), height - margin.bottom);
    }
  }

  cross(point: number): void {
    const { context, height, ratio } = this.#frame;
    const { points, series } = this.#data;
    const x = crisp(this.#x(points[point]!), ratio);
    context.strokeStyle = themeValue(this.#style, '--focus');
    context.lineWidth = 1;
    line(context, x, margin.top, x, height - margin.bottom);
    for (const { values, color } of series) {
      context.fillStyle = themeValue(this.#style, color);
      context.beginPath();
      context.arc(x, this.#y(values[point]!), 3, 0, 2 * Math.PI);
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
