/**
 * The canvas of the heatmap's difference: allocations that both runs have, the busiest on top, by the progress of the
 * runs. More is one colour, less another with lines over it; the stronger, the more it differs.
 *
 * Mouse: point to read, the wheel zooms, click for the source. Keys: arrows move a cursor, with Shift they pan, + and - zoom
 * about it, 0 shows all, Backspace goes back, Space points at the allocation, Enter also goes to its source.
 */
import { el } from '../dom.js';
import { percent } from '../format.js';
import * as l10n from '../l10n.js';
import type { Metric } from '../state.js';
import {
  type DifferenceData,
  type DifferenceLook,
  type DifferenceObject,
  differenceScale,
  signed,
  wholeDifference,
} from './differenceData.js';
import { drawBrackets } from './heatAxes.js';
import { drawHatch } from './heatHatch.js';
import { drawCursor } from './heatMarks.js';
import { fontSize, lineHeight, type Plot, plotOf, px, py } from './heatPlot.js';
import type { HeatScale } from './heatScale.js';
import { HeatTip } from './heatTip.js';
import { parseHex, ramp, rampSize } from './ramp.js';
import { fittingLabels } from './scale.js';
import { type Frame, fitText, fontOf, line, onThemeChange, Surface, themeValue } from './surface.js';

export interface DifferenceEvents {
  /** The bin under the cursor in words; `aloud` when it was moved by keys. */
  readonly pointed: (lines: readonly string[], aloud: boolean) => void;
  readonly chosen: (object: DifferenceObject, open: boolean) => void;
  /** Another part is wanted. */
  readonly moved: (look: DifferenceLook) => void;
  readonly back: () => void;
}

/** Where the keys begin. */
const start: Cell = { row: 0, column: 0 };

/** Part of the view that Shift with an arrow moves by. */
const panShare = 1 / 4;
/** A notch of most wheels is a step; some count in lines. */
const pixelsOfStep = 100;
const pixelsOfLine = 33;

interface Cell {
  readonly row: number;
  readonly column: number;
}

export class DifferenceChart {
  readonly element = el('div', {
    class: 'heat',
    role: 'application',
    tabindex: 0,
    'aria-roledescription': l10n.t('heatmap'),
    'aria-label': l10n.t('Difference of two runs by allocation and progress'),
  });
  readonly #events: DifferenceEvents;
  readonly #base: Surface;
  readonly #over: Surface;
  readonly #tip: HeatTip;
  readonly #image = el('canvas');
  #data: DifferenceData | null = null;
  #metric: Metric = 'accesses';
  #differences: Float32Array = new Float32Array(0);
  #scale: HeatScale | null = null;
  /** The image has the bins in the theme's colours. */
  #painted = false;
  #cursor: Cell | null = null;
  /** Of the wheel, since the last step, px. */
  #turned = 0;

  constructor(events: DifferenceEvents) {
    this.#events = events;
    this.#base = new Surface(this.element, frame => this.#draw(frame));
    this.#over = new Surface(this.element, frame => this.#drawOver(frame));
    this.#tip = new HeatTip(this.element);
    onThemeChange(() => {
      this.#painted = false;
    });
    this.element.addEventListener('pointermove', event => this.#hover(event));
    this.element.addEventListener('pointerleave', () => this.#leave());
    this.element.addEventListener('click', event => this.#click(event));
    this.element.addEventListener('wheel', event => this.#wheel(event), { passive: false });
    this.element.addEventListener('keydown', event => this.#key(event));
    this.element.addEventListener('focus', () => this.#move(this.#cursor ?? start, false));
    this.element.addEventListener('blur', () => this.#leave());
  }

  get size(): { readonly width: number; readonly height: number } {
    return this.#base.frame ?? { width: 600, height: 400 };
  }

  /** What the colours mean now; null: nothing differs. */
  get scale(): HeatScale | null {
    return this.#scale;
  }

  /** @param look what was asked for: the cursor stays on what it pointed at */
  show(data: DifferenceData, metric: Metric, look: DifferenceLook): void {
    if (data !== this.#data && this.#cursor) this.#cursor = data.cellOf(look);
    this.#data = data;
    this.#metric = metric;
    this.#differences = data.differences(metric);
    this.#scale = differenceScale(this.#differences);
    this.#painted = false;
    this.#base.redraw();
    this.#move(document.activeElement === this.element ? (this.#cursor ?? start) : null, false);
    this.#over.redraw();
  }

  /** Steps closer, or away where negative, about the cursor or the middle. */
  zoom(steps: number): void {
    if (!this.#data) return;
    const { facts } = this.#data;
    const zoom = Math.max(0, facts.zoom + steps);
    if (zoom === facts.zoom) return;
    const { row, column } = this.#cursor ?? { row: facts.rows >> 1, column: facts.columns >> 1 };
    this.#events.moved({ zoom, row, column, ...this.#data.anchor(row, column) });
  }

  reset(): void {
    this.#events.moved(wholeDifference);
  }

  /** Draws what is shown onto another canvas or picture, in the colours of `style`. */
  picture(frame: Frame, style: Element): void {
    const image = el('canvas');
    this.#paint(image, style);
    this.#drawAll(frame, style, image);
  }

  // The cursor.

  #plot(frame: Pick<Frame, 'width' | 'height'>): Plot {
    const { columns, rows } = this.#data!.facts;
    return plotOf(frame, [0, Math.max(1, columns)], [0, Math.max(1, rows)], false);
  }

  #cellAt({ offsetX, offsetY }: MouseEvent): Cell | null {
    if (!this.#data) return null;
    const { left, right, top, bottom } = this.#plot(this.size);
    const { columns, rows } = this.#data.facts;
    const column = Math.floor(((offsetX - left) / (right - left)) * columns);
    const row = Math.floor(((offsetY - top) / (bottom - top)) * rows);
    return column >= 0 && column < columns && row >= 0 && row < rows ? { row, column } : null;
  }

  #lines(): string[] {
    return this.#data && this.#cursor ? this.#data.describe(this.#metric, this.#cursor.row, this.#cursor.column) : [];
  }

  #move(cell: Cell | null, aloud: boolean): void {
    const facts = this.#data?.facts;
    if (!facts || facts.rows === 0) return;
    const within = (value: number, end: number) => Math.max(0, Math.min(value, end - 1));
    this.#cursor = cell && { row: within(cell.row, facts.rows), column: within(cell.column, facts.columns) };
    this.#events.pointed(this.#lines(), aloud);
    this.#over.redraw();
  }

  #hover(event: PointerEvent): void {
    const cell = this.#cellAt(event);
    this.#move(cell, false);
    this.#tip.show(event, cell ? this.#lines() : null);
  }

  #leave(): void {
    this.#tip.hide();
    if (document.activeElement !== this.element) this.#move(null, false);
  }

  #click(event: MouseEvent): void {
    const cell = this.#cellAt(event);
    if (cell) this.#choose(cell, true);
  }

  #choose({ row }: Cell, open: boolean): void {
    const object = this.#data?.objectAt(row);
    if (object) this.#events.chosen(object, open);
  }

  #key(event: KeyboardEvent): void {
    if (!this.#data || event.ctrlKey || event.metaKey || event.altKey) return;
    const { row, column } = this.#cursor ?? start;
    const moves: Readonly<Record<string, Cell>> = {
      ArrowLeft: { row, column: column - 1 },
      ArrowRight: { row, column: column + 1 },
      ArrowUp: { row: row - 1, column },
      ArrowDown: { row: row + 1, column },
      Home: { row, column: 0 },
      End: { row, column: this.#data.facts.columns },
    };
    const to = moves[event.key];
    if (to && event.shiftKey) this.#pan(to.row - row, to.column - column, panShare);
    else if (to) this.#step(to);
    else if (event.key === '+' || event.key === '=') this.zoom(1);
    else if (event.key === '-' || event.key === '_') this.zoom(-1);
    else if (event.key === '0') this.reset();
    else if (event.key === 'Backspace') this.#events.back();
    else if (event.key === 'Enter') this.#choose({ row, column }, true);
    else if (event.key === ' ') this.#choose({ row, column }, false);
    else return;
    event.preventDefault();
  }

  /** The view follows a cursor that leaves it. */
  #step({ row, column }: Cell): void {
    const { rows, columns } = this.#data!.facts;
    const down = row < 0 ? row : Math.max(0, row - rows + 1);
    const across = column < 0 ? column : Math.max(0, column - columns + 1);
    this.#move({ row, column }, true);
    // End is no step.
    if (Math.abs(down) + Math.abs(across) === 1) this.#pan(down, across, 0);
  }

  /** By so many bins, or by a share of what is in sight. */
  #pan(down: number, across: number, share: number): void {
    const data = this.#data!;
    const { rows, columns, allRows, allColumns, firstRow, firstColumn, zoom } = data.facts;
    const by = (count: number, visible: number) => Math.sign(count) * Math.max(1, Math.round(share * visible));
    const [y, x] = [by(down, rows), by(across, columns)];
    const ends = (first: number, visible: number, all: number, step: number) =>
      step < 0 ? first === 0 : first + visible >= all;
    const isStuck = y !== 0 ? ends(firstRow, rows, allRows, y) : ends(firstColumn, columns, allColumns, x);
    if (isStuck) return;
    const [row, column] = [rows >> 1, columns >> 1];
    this.#events.moved({ zoom, row: row - y, column: column - x, ...data.anchor(row, column) });
  }

  #wheel(event: WheelEvent): void {
    if (!this.#data) return;
    event.preventDefault();
    this.#turned += event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * pixelsOfLine;
    const steps = Math.trunc(this.#turned / pixelsOfStep);
    if (steps === 0) return;
    this.#turned -= steps * pixelsOfStep;
    this.zoom(-steps);
  }

  // Drawing.

  /** A pixel a bin; what does not differ stays bare. */
  #paint(image: HTMLCanvasElement, style: Element): void {
    const { columns, rows } = this.#data!.facts;
    image.width = Math.max(1, columns);
    image.height = Math.max(1, rows);
    const scale = this.#scale;
    if (!scale) return;
    const [less, more] = [differenceRamp(style, 'less'), differenceRamp(style, 'more')];
    const pixels = new ImageData(columns, rows);
    const words = new Uint32Array(pixels.data.buffer);
    for (let at = 0; at < words.length; at++) {
      const value = this.#differences[at]!;
      if (value === 0) continue;
      words[at] = (value < 0 ? less : more)[Math.round(scale.place(Math.abs(value)) * (rampSize - 1))]!;
    }
    image.getContext('2d')!.putImageData(pixels, 0, 0);
  }

  #draw(frame: Frame): void {
    if (!this.#data) return;
    if (!this.#painted) this.#paint(this.#image, this.element);
    this.#painted = true;
    this.#drawAll(frame, this.element, this.#image);
  }

  #drawAll(frame: Frame, style: Element, image: HTMLCanvasElement): void {
    const { context, ratio } = frame;
    const { objects, rows } = this.#data!.facts;
    const plot = this.#plot(frame);
    const [width, height] = [plot.right - plot.left, plot.bottom - plot.top];
    context.font = fontOf(style, fontSize);
    context.fillStyle = themeValue(style, '--plot-background');
    context.fillRect(plot.left, plot.top, width, height);
    context.imageSmoothingEnabled = width < image.width || height < image.height;
    context.drawImage(image, plot.left, plot.top, width, height);
    this.#drawLess(context, plot, style);
    this.#drawProgress(frame, plot, style);
    // Rows count from the top here, from the bottom in a plot.
    const named = objects.map(({ name, from, rows: own }) => ({ name, from: rows - from - own, to: rows - from }));
    drawBrackets(frame, plot, named, plot.right, style);
    context.strokeStyle = themeValue(style, '--rule');
    context.lineWidth = 1 / ratio;
    for (const { from } of named.filter(({ from }) => from >= 0 && from <= rows))
      line(context, plot.left, py(plot, from), plot.right, py(plot, from));
    context.strokeRect(plot.left, plot.top, width, height);
  }

  /** Lines over what became less: the sign without colour. */
  #drawLess(context: CanvasRenderingContext2D, plot: Plot, style: Element): void {
    const { columns, rows } = this.#data!.facts;
    context.strokeStyle = themeValue(style, '--plot-background');
    for (let row = 0; row < rows; row++) {
      const band = { top: py(plot, rows - row), bottom: py(plot, rows - row - 1) };
      for (let from = 0; from < columns; ) {
        let to = from;
        while (to < columns && this.#differences[row * columns + to]! < 0) to++;
        if (to > from) drawHatch(context, 'falling', { ...band, left: px(plot, from), right: px(plot, to) }, 5);
        from = to + 1;
      }
    }
  }

  #drawProgress({ context, width, ratio }: Frame, plot: Plot, style: Element): void {
    const { columns } = this.#data!.facts;
    context.fillStyle = context.strokeStyle = themeValue(style, '--note');
    context.textAlign = 'center';
    context.textBaseline = 'top';
    context.lineWidth = 1 / ratio;
    const labels = [0, 0.25, 0.5, 0.75, 1].map(share => {
      const text = percent(this.#data!.progress(share * columns));
      return {
        text,
        at: px(plot, share * columns),
        size: context.measureText(text).width + 8,
        weight: share % 0.5 === 0 ? 1 : 0,
      };
    });
    for (const { at } of labels) line(context, at, plot.bottom, at, plot.bottom + 4);
    for (const { at, text } of fittingLabels(labels, 0, width)) context.fillText(text, at, plot.bottom + 6);
    context.textAlign = 'left';
    const title = l10n.t('progress of either run, in accesses');
    context.fillText(fitText(context, title, width - plot.left), plot.left, plot.bottom + 6 + lineHeight);
  }

  #drawOver(frame: Frame): void {
    if (!this.#data || !this.#cursor) return;
    const { row, column } = this.#cursor;
    const from = this.#data.facts.rows - row - 1;
    drawCursor(frame, this.#plot(frame), { x: [column, column + 1], y: [from, from + 1] }, this.element);
  }
}

/** The least difference has this much of its colour. */
const leastTint = 0.4;

/** From the plot's ground, mixed with enough of the sign's colour to be seen, to that colour. */
function differenceRamp(style: Element, sign: 'less' | 'more'): Uint32Array {
  const ground = parseHex(themeValue(style, '--plot-background'));
  const color = parseHex(themeValue(style, `--difference-${sign}`));
  const table = ramp([ground, color]);
  const first = Math.round(rampSize * leastTint);
  const step = (rampSize - 1 - first) / (rampSize - 1);
  return table.map((_, i) => table[first + Math.round(i * step)]!);
}

/** The scale as a bar: less on the left, more on the right, the least in its middle. */
export function drawDifferenceScale({ context, width }: Frame, style: Element, scale: HeatScale): void {
  const height = 10;
  const half = width / 2;
  for (const [sign, side] of [
    ['less', -1],
    ['more', 1],
  ] as const) {
    const table = differenceRamp(style, sign);
    for (let x = 0; x < half; x++) {
      const pixel = table[Math.floor((x / half) * rampSize)]!;
      context.fillStyle = `rgb(${pixel & 255}, ${(pixel >> 8) & 255}, ${(pixel >> 16) & 255})`;
      context.fillRect(side > 0 ? half + x : half - x - 1, 0, 1.5, height);
    }
  }
  context.strokeStyle = themeValue(style, '--plot-background');
  drawHatch(context, 'falling', { left: 0, right: half, top: 0, bottom: height }, 5);
  context.font = fontOf(style, fontSize);
  context.fillStyle = themeValue(style, '--note');
  context.textBaseline = 'top';
  context.textAlign = 'center';
  const labels = scale.ticks
    .flatMap(({ value, place }, i) =>
      [-1, 1].map(side => ({
        text: signed(side * value),
        place: half + side * place * half,
        weight: i === scale.ticks.length - 1 ? 2 : i === 0 ? 0 : 1,
      })),
    )
    .map(({ text, place, weight }) => {
      const size = context.measureText(text).width;
      return { text, weight, size: size + 10, at: Math.max(size / 2, Math.min(width - size / 2, place)) };
    });
  for (const { text, at } of fittingLabels(labels, -6, width + 6)) context.fillText(text, at, height + 3);
}
