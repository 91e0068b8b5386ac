/**
 * The heatmap's canvas: address up, modelled time across, the logarithm of the counts as colour.
 *
 * Low addresses lie at the bottom. Only touched pages have rows, so a broken line marks where the address jumps. While
 * the bins of a new view are on their way, those at hand are shown stretched to it: zooming never waits.
 *
 * Mouse: drag selects a part, the wheel zooms, a click goes to the source. Keys: arrows move a cursor, with Shift they
 * pan, + and - zoom about it, 0 shows all, Enter goes to the source.
 */
import type { Location } from '../../core/protocol.js';
import { el } from '../dom.js';
import { countTick, shortName, timeTick, whole } from '../format.js';
import type { Metric } from '../state.js';
import { type Bin, type HeatData, metricUnits } from './heatData.js';
import { paintCounts, parseHex, ramp } from './ramp.js';
import { fittingLabels, niceTicks } from './scale.js';
import { type Frame, fitText, fontOf, onThemeChange, Surface, themeValue } from './surface.js';
import { brushed, panned, type Range, revealing, zoomed } from './viewport.js';

export interface HeatEvents {
  /** The visible part changed: bins for it are wanted. */
  readonly moved: (x: Range, y: Range) => void;
  readonly open: (location: Location) => void;
  /** The bin under the cursor in words; `aloud` when it was moved by keys. */
  readonly pointed: (lines: readonly string[], aloud: boolean) => void;
}

/** CSS pixels. */
const fontSize = 11;
const lineHeight = 14;
const margins = { top: 6, bottom: 50 };
/** Below this width addresses have no room; the readout tells them. */
const wide = 560;
/** A press that moves less is a click. */
const dragPixels = 4;
/** A drag flatter than this selects along one axis only. */
const flatPixels = 10;
/** The closest look: fewer would be no map any more. */
const leastEpochs = 4;
const leastPages = 4;
/** A key press goes at least this share of the map, so that a map of a thousand bins can be crossed. */
const keyStep = 1 / 64;

interface Plot {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

export class HeatChart {
  readonly element = el('div', {
    class: 'heat',
    role: 'application',
    tabindex: 0,
    'aria-roledescription': 'heatmap',
    'aria-label': 'Page accesses by address and time',
    'aria-describedby': 'heat-help',
  });
  readonly #base: Surface;
  readonly #over: Surface;
  readonly #tip = el('div', { class: 'heat-tip', hidden: true, 'aria-hidden': 'true' });
  readonly #image = el('canvas');
  readonly #events: HeatEvents;
  #data: HeatData | null = null;
  #metric: Metric = 'accesses';
  #painted = false;
  #x: Range = [0, 1];
  #y: Range = [0, 1];
  /** In epochs and page rows. */
  #cursor: Point | null = null;
  #press: Point | null = null;
  #drag: Point | null = null;

  constructor(events: HeatEvents) {
    this.#events = events;
    this.#base = new Surface(
      this.element,
      frame => this.#draw(frame),
      () => this.#data && this.#events.moved(this.#x, this.#y),
    );
    this.#over = new Surface(this.element, frame => this.#drawOver(frame));
    this.element.append(this.#tip);
    onThemeChange(() => {
      this.#painted = false;
    });
    this.element.addEventListener('keydown', event => this.#key(event));
    this.element.addEventListener('pointerdown', event => this.#down(event));
    this.element.addEventListener('pointermove', event => this.#hover(event));
    this.element.addEventListener('pointerup', event => this.#up(event));
    this.element.addEventListener('pointercancel', () => this.#endDrag());
    this.element.addEventListener('pointerleave', () => this.#leave());
    this.element.addEventListener('wheel', event => this.#wheel(event), { passive: false });
    this.element.addEventListener('focus', () => this.#focused());
    this.element.addEventListener('blur', () => this.#leave());
  }

  /** Device pixels of the plot: what to ask bins for; null before the first layout. */
  get pixels(): [number, number] | null {
    const { frame } = this.#base;
    if (!frame) return null;
    const { left, right, top, bottom } = plotOf(frame);
    return [Math.round((right - left) * frame.ratio), Math.round((bottom - top) * frame.ratio)];
  }

  show(data: HeatData, metric: Metric, x: Range, y: Range): void {
    this.#data = data;
    this.#metric = metric;
    this.#x = x;
    this.#y = y;
    this.#painted = false;
    this.#redraw();
    if (document.activeElement === this.element) this.#tell(false);
  }

  zoom(factor: number): void {
    const at = this.#cursor && this.#inside(this.#cursor) ? this.#shareOf(this.#cursor) : { x: 0.5, y: 0.5 };
    this.#zoomAbout(factor, at);
  }

  reset(): void {
    const { facts } = this.#data!;
    this.#view([0, facts.epochs], [0, facts.pageRows]);
  }

  #view(x: Range, y: Range): void {
    this.#x = x;
    this.#y = y;
    this.#redraw();
    this.#events.moved(x, y);
  }

  #redraw(): void {
    this.#base.redraw();
    this.#over.redraw();
  }

  #zoomAbout(factor: number, at: Point): void {
    const { epochs, pageRows } = this.#data!.facts;
    this.#view(zoomed(this.#x, factor, at.x, epochs, leastEpochs), zoomed(this.#y, factor, at.y, pageRows, leastPages));
  }

  /** Shares of the visible part, y from the bottom up. */
  #shareOf({ x, y }: Point): Point {
    return {
      x: (x - this.#x[0]) / (this.#x[1] - this.#x[0]),
      y: (y - this.#y[0]) / (this.#y[1] - this.#y[0]),
    };
  }

  #inside(point: Point): boolean {
    const { x, y } = this.#shareOf(point);
    return x >= 0 && x <= 1 && y >= 0 && y <= 1;
  }

  /** Shares of the plot under a mouse position, y from the bottom up; beyond 0 and 1 outside of it. */
  #shareAt({ offsetX, offsetY }: { offsetX: number; offsetY: number }): Point | null {
    const { frame } = this.#base;
    if (!frame) return null;
    const { left, right, top, bottom } = plotOf(frame);
    return { x: (offsetX - left) / (right - left), y: (bottom - offsetY) / (bottom - top) };
  }

  #at(share: Point): Point {
    return {
      x: this.#x[0] + share.x * (this.#x[1] - this.#x[0]),
      y: this.#y[0] + share.y * (this.#y[1] - this.#y[0]),
    };
  }

  #bin(): Bin | null {
    return this.#cursor && (this.#data?.binAt(this.#cursor.x, this.#cursor.y) ?? null);
  }

  #tell(aloud: boolean): void {
    const bin = this.#bin();
    this.#events.pointed(bin ? this.#data!.describe(bin) : [], aloud);
    this.#over.redraw();
  }

  #open(): void {
    const bin = this.#bin();
    if (!bin) return;
    const location = this.#data!.locationOf(bin);
    if (location) this.#events.open(location);
    else this.#events.pointed([...this.#data!.describe(bin), 'no source line is known'], true);
  }

  // Keys.

  #focused(): void {
    if (!this.#data || this.#press) return;
    this.#cursor ??= this.#at({ x: 0.5, y: 0.5 });
    this.#tell(false);
  }

  #key(event: KeyboardEvent): void {
    const data = this.#data;
    if (!data || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows: Readonly<Record<string, Point>> = {
      ArrowLeft: { x: -1, y: 0 },
      ArrowRight: { x: 1, y: 0 },
      ArrowUp: { x: 0, y: 1 },
      ArrowDown: { x: 0, y: -1 },
    };
    const arrow = arrows[event.key];
    if (arrow && event.shiftKey) this.#pan(arrow.x / 4, arrow.y / 4);
    else if (arrow) this.#step(arrow);
    else if (event.key === '+' || event.key === '=') this.zoom(1 / 1.5);
    else if (event.key === '-' || event.key === '_') this.zoom(1.5);
    else if (event.key === '0' || event.key === 'Home') this.reset();
    else if (event.key === 'Enter') this.#open();
    else if (event.key === 'Escape' && this.#drag) this.#endDrag();
    else return;
    event.preventDefault();
  }

  #pan(x: number, y: number): void {
    const { epochs, pageRows } = this.#data!.facts;
    this.#view(panned(this.#x, x, epochs), panned(this.#y, y, pageRows));
  }

  /** One bin on, or several where they are tiny; the view follows the cursor. */
  #step({ x, y }: Point): void {
    const { columns, rows, shown, epochs, pageRows } = this.#data!.facts;
    const width = Math.max((shown.x[1] - shown.x[0]) / columns, (this.#x[1] - this.#x[0]) * keyStep);
    const height = Math.max((shown.y[1] - shown.y[0]) / rows, (this.#y[1] - this.#y[0]) * keyStep);
    const from = this.#cursor ?? this.#at({ x: 0.5, y: 0.5 });
    const within = (value: number, whole: number) => Math.max(0, Math.min(value, whole - 1e-6));
    this.#cursor = { x: within(from.x + x * width, epochs), y: within(from.y + y * height, pageRows) };
    if (!this.#inside(this.#cursor)) {
      this.#view(revealing(this.#x, this.#cursor.x, epochs), revealing(this.#y, this.#cursor.y, pageRows));
    }
    this.#tell(true);
  }

  // Mouse.

  #down(event: PointerEvent): void {
    const share = this.#shareAt(event);
    if (event.button !== 0 || !share || !this.#data) return;
    this.#press = { x: event.offsetX, y: event.offsetY };
    this.element.setPointerCapture(event.pointerId);
  }

  #hover(event: PointerEvent): void {
    const share = this.#shareAt(event);
    if (!this.#data || !share) return;
    if (this.#press) {
      const here = { x: event.offsetX, y: event.offsetY };
      if (this.#drag || Math.hypot(here.x - this.#press.x, here.y - this.#press.y) > dragPixels) this.#drag = here;
    }
    const over = share.x >= 0 && share.x <= 1 && share.y >= 0 && share.y <= 1;
    this.#cursor = over ? this.#at(share) : null;
    this.#tell(false);
    this.#moveTip(event, over && !this.#drag);
  }

  #moveTip({ offsetX, offsetY }: PointerEvent, visible: boolean): void {
    const bin = this.#bin();
    this.#tip.hidden = !visible || !bin;
    if (!visible || !bin) return;
    this.#tip.replaceChildren(...this.#data!.describe(bin).map(line => el('div', {}, line)));
    const { clientWidth, clientHeight } = this.element;
    const { offsetWidth, offsetHeight } = this.#tip;
    // Beside the pointer where there is room, never under it.
    const x = offsetX + 14 + offsetWidth > clientWidth ? Math.max(0, offsetX - 14 - offsetWidth) : offsetX + 14;
    const y = offsetY + 14 + offsetHeight > clientHeight ? Math.max(0, offsetY - 14 - offsetHeight) : offsetY + 14;
    this.#tip.style.setProperty('transform', `translate(${x}px, ${y}px)`);
  }

  #up(event: PointerEvent): void {
    const { frame } = this.#base;
    const [press, drag] = [this.#press, this.#drag];
    this.#endDrag();
    if (!press || !frame || !this.#data) return;
    if (!drag) {
      const share = this.#shareAt(event);
      if (share) this.#cursor = this.#at(share);
      this.#open();
      return;
    }
    const { epochs, pageRows } = this.#data.facts;
    const [a, b] = [press, drag].map(({ x, y }) => this.#shareAt({ offsetX: x, offsetY: y })!) as [Point, Point];
    const { alongX, alongY } = axesOf(press, drag);
    this.#view(
      alongX ? brushed(this.#x, a.x, b.x, epochs, leastEpochs) : this.#x,
      alongY ? brushed(this.#y, a.y, b.y, pageRows, leastPages) : this.#y,
    );
  }

  #endDrag(): void {
    this.#press = this.#drag = null;
    this.#over.redraw();
  }

  #leave(): void {
    this.#tip.hidden = true;
    if (document.activeElement === this.element) return;
    this.#cursor = null;
    this.#tell(false);
  }

  #wheel(event: WheelEvent): void {
    const share = this.#shareAt(event);
    if (!this.#data || !share || share.x < 0 || share.x > 1 || share.y < 0 || share.y > 1) return;
    event.preventDefault();
    const delta = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY;
    // Some systems turn a wheel with Shift into a sideways one.
    if (event.shiftKey || event.deltaX !== 0) this.#pan((event.deltaX || delta) / 800, 0);
    else this.#zoomAbout(Math.exp(delta / 500), share);
  }

  // Drawing.

  #draw(frame: Frame): void {
    const data = this.#data;
    if (!data || data.facts.columns === 0 || data.facts.rows === 0) return;
    const plot = plotOf(frame);
    const { context } = frame;
    context.font = fontOf(this.element, fontSize);
    context.fillStyle = themeValue(this.element, '--plot-background');
    context.fillRect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
    this.#drawBins(frame, plot, data);
    this.#drawGaps(frame, plot, data);
    this.#drawTime(frame, plot, data);
    if (frame.width >= wide) this.#drawAddresses(frame, plot, data);
    this.#drawObjects(frame, plot, data);
    context.strokeStyle = themeValue(this.element, '--rule');
    context.lineWidth = 1 / frame.ratio;
    context.strokeRect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
  }

  #drawBins({ context }: Frame, plot: Plot, data: HeatData): void {
    const { columns, rows, shown } = data.facts;
    if (!this.#painted) {
      this.#image.width = columns;
      this.#image.height = rows;
      const image = new ImageData(columns, rows);
      const pixels = new Uint32Array(image.data.buffer);
      paintCounts(data.counts(this.#metric), data.greatest(this.#metric), themeRamp(this.element), pixels);
      this.#image.getContext('2d')!.putImageData(image, 0, 0);
      this.#painted = true;
    }
    const left = this.#px(plot, shown.x[0]);
    const bottom = this.#py(plot, shown.y[0]);
    context.save();
    context.beginPath();
    context.rect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
    context.clip();
    context.imageSmoothingEnabled = false;
    // Row 0 of the bins is the lowest address: upside down.
    context.translate(left, bottom);
    context.scale(1, -1);
    context.drawImage(this.#image, 0, 0, this.#px(plot, shown.x[1]) - left, bottom - this.#py(plot, shown.y[1]));
    context.restore();
  }

  #px({ left, right }: Plot, epoch: number): number {
    return left + ((epoch - this.#x[0]) / (this.#x[1] - this.#x[0])) * (right - left);
  }

  #py({ top, bottom }: Plot, page: number): number {
    return bottom - ((page - this.#y[0]) / (this.#y[1] - this.#y[0])) * (bottom - top);
  }

  /** A broken line across where the address jumps, and a sign on the axis; none closer than can be told apart. */
  #drawGaps({ context, ratio }: Frame, plot: Plot, data: HeatData): void {
    let last = Number.POSITIVE_INFINITY;
    for (const { from } of data.facts.segments) {
      const y = (Math.floor(this.#py(plot, from) * ratio) + 0.5) / ratio;
      if (y >= plot.bottom - 2 || y <= plot.top + 2 || last - y < 6) continue;
      last = y;
      context.lineWidth = 1;
      context.strokeStyle = themeValue(this.element, '--plot-background');
      line(context, plot.left, y, plot.right, y);
      context.strokeStyle = themeValue(this.element, '--note');
      context.setLineDash([4, 4]);
      line(context, plot.left, y, plot.right, y);
      context.setLineDash([]);
      line(context, plot.left - 4, y + 4, plot.left + 2, y);
      line(context, plot.left - 4, y + 1, plot.left + 2, y - 3);
    }
  }

  #drawTime({ context, width, ratio }: Frame, plot: Plot, data: HeatData): void {
    context.fillStyle = context.strokeStyle = themeValue(this.element, '--note');
    context.textAlign = 'center';
    context.textBaseline = 'top';
    context.lineWidth = 1 / ratio;
    const ticks = niceTicks(this.#x[0], this.#x[1], Math.max(2, (plot.right - plot.left) / 80), 1);
    const times = ticks.map(tick => data.timeAt(tick));
    const step = times.length > 1 ? (times.at(-1)! - times[0]!) / (times.length - 1) : 0;
    const labels = ticks.map((tick, i) => {
      const time = timeTick(times[i]!, step || times[i]!);
      const size = Math.max(context.measureText(time).width, context.measureText(whole(tick)).width) + 8;
      return { at: this.#px(plot, tick), size, weight: 1, time, tick };
    });
    for (const { at } of labels) line(context, at, plot.bottom, at, plot.bottom + 4);
    for (const { at, time, tick } of fittingLabels(labels, 0, width)) {
      context.fillText(time, at, plot.bottom + 6);
      context.fillText(whole(tick), at, plot.bottom + 6 + lineHeight);
    }
    const title = fitText(
      context,
      `modelled time; epochs of ${whole(data.facts.epochAccesses)} accesses`,
      width - plot.left,
    );
    context.textAlign = 'left';
    context.fillText(title, plot.left, plot.bottom + 6 + 2 * lineHeight);
  }

  #drawAddresses({ context }: Frame, plot: Plot, data: HeatData): void {
    const labels = data.facts.segments
      .map(({ from, to, address }) => ({
        at: this.#py(plot, from) - 1,
        size: lineHeight,
        weight: to - from,
        address,
      }))
      .filter(({ at }) => at >= plot.top && at <= plot.bottom);
    context.fillStyle = themeValue(this.element, '--note');
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (const { at, address } of fittingLabels(labels, plot.top, plot.bottom + lineHeight)) {
      context.fillText(address, plot.left - 7, at);
    }
  }

  /** Brackets beside the map for what lies there, and the names that have room, the largest first. */
  #drawObjects({ context, width, ratio }: Frame, plot: Plot, data: HeatData): void {
    const runs = data.facts.segments
      .flatMap(segment => segment.objects)
      .map(run => ({
        name: run.name,
        top: Math.max(plot.top, this.#py(plot, run.to)),
        bottom: Math.min(plot.bottom, this.#py(plot, run.from)),
      }))
      .filter(({ top, bottom }) => bottom - top >= 1);
    context.lineWidth = 2;
    context.strokeStyle = themeValue(this.element, '--note');
    runs.forEach(({ top, bottom }, i) => {
      // Neighbours stand apart by place, not by colour.
      const x = plot.right + (i % 2 ? 7 : 4);
      line(context, x, top + 1 / ratio, x, bottom - 1 / ratio);
    });
    context.fillStyle = themeValue(this.element, '--foreground');
    context.textAlign = 'left';
    context.textBaseline = 'middle';
    const labels = runs.map(({ name, top, bottom }) => ({
      at: Math.max(plot.top + lineHeight / 2, Math.min(plot.bottom - lineHeight / 2, (top + bottom) / 2)),
      size: lineHeight,
      weight: bottom - top,
      name,
    }));
    const left = plot.right + 13;
    for (const { at, name } of fittingLabels(labels, plot.top, plot.bottom)) {
      const [head, tail] = shortName(name);
      context.fillText(fitText(context, head, width - left, tail), left, at);
    }
  }

  #drawOver(frame: Frame): void {
    const { context, ratio } = frame;
    const plot = plotOf(frame);
    const [press, drag] = [this.#press, this.#drag];
    if (press && drag) {
      const { alongX, alongY } = axesOf(press, drag);
      const clampX = (x: number) => Math.max(plot.left, Math.min(plot.right, x));
      const clampY = (y: number) => Math.max(plot.top, Math.min(plot.bottom, y));
      const [x1, x2] = alongX ? [clampX(press.x), clampX(drag.x)] : [plot.left, plot.right];
      const [y1, y2] = alongY ? [clampY(press.y), clampY(drag.y)] : [plot.top, plot.bottom];
      context.fillStyle = themeValue(this.element, '--brush');
      context.fillRect(x1, y1, x2 - x1, y2 - y1);
      context.strokeStyle = themeValue(this.element, '--focus');
      context.strokeRect(x1, y1, x2 - x1, y2 - y1);
      return;
    }
    const bin = this.#bin();
    if (!bin || !this.#cursor || !this.#inside(this.#cursor)) return;
    const [fromX, toX] = this.#data!.epochsOf(bin).map(epoch => this.#px(plot, epoch)) as [number, number];
    const [fromY, toY] = this.#data!.pagesOf(bin).map(page => this.#py(plot, page)) as [number, number];
    const [x, y] = [(fromX + toX) / 2, (fromY + toY) / 2];
    context.strokeStyle = themeValue(this.element, '--foreground');
    context.lineWidth = 1 / ratio;
    context.setLineDash([3, 3]);
    line(context, x, plot.top, x, plot.bottom);
    line(context, plot.left, y, plot.right, y);
    context.setLineDash([]);
    // A frame around the bin, large enough to be seen around the tiniest, in two tones to stand out on any colour.
    const size = (from: number, to: number) => Math.max(7, Math.abs(to - from) + 4);
    const box = [x - size(fromX, toX) / 2, y - size(fromY, toY) / 2, size(fromX, toX), size(fromY, toY)] as const;
    context.lineWidth = 3;
    context.strokeStyle = themeValue(this.element, '--plot-background');
    context.strokeRect(...box);
    context.lineWidth = 1;
    context.strokeStyle = themeValue(this.element, '--foreground');
    context.strokeRect(...box);
  }
}

/** Counts as colours with the metric's unit, for beside the map. */
export class HeatLegend {
  readonly element: HTMLElement;
  readonly #words = el('p', { class: 'note' });
  readonly #box = el('div', { class: 'heat-scale', 'aria-hidden': 'true' });
  readonly #surface: Surface;
  #most = 0;

  constructor() {
    this.#surface = new Surface(this.#box, frame => this.#draw(frame));
    this.element = el('div', { class: 'heat-legend' }, this.#box, this.#words);
  }

  show(data: HeatData, metric: Metric): void {
    this.#most = data.greatest(metric);
    this.#words.textContent =
      this.#most === 0
        ? `no ${metricUnits[metric]} in sight`
        : `${metricUnits[metric]} per bin of ${data.binSize()}, logarithmic; bare where there are none. Whole run, exact counts.`;
    this.#surface.redraw();
  }

  #draw({ context, width, ratio }: Frame): void {
    if (this.#most === 0) return;
    const table = themeRamp(this.#box);
    const height = 10;
    for (let x = 0; x < width; x += 1 / ratio) {
      const color = table[Math.min(table.length - 1, Math.floor((x / width) * table.length))]!;
      context.fillStyle = `rgb(${color & 255} ${(color >> 8) & 255} ${(color >> 16) & 255})`;
      context.fillRect(x, 0, 1.5 / ratio, height);
    }
    context.font = fontOf(this.#box, fontSize);
    context.fillStyle = themeValue(this.#box, '--note');
    context.textBaseline = 'top';
    const labels = legendTicks(this.#most).map(({ value, share, last }) => {
      const text = countTick(value);
      const size = context.measureText(text).width;
      const at = Math.max(size / 2, Math.min(width - size / 2, share * width));
      return { text, at, size: size + 10, weight: last || value === 1 ? 1 : 0 };
    });
    context.textAlign = 'center';
    for (const { text, at } of fittingLabels(labels, -6, width + 6)) context.fillText(text, at, height + 3);
  }
}

/** Powers of ten on the scale from 1 to `most`, and `most` itself. */
export function legendTicks(most: number): { value: number; share: number; last: boolean }[] {
  const place = (value: number) => (most <= 1 ? 1 : Math.log(value) / Math.log(most));
  const ticks: { value: number; share: number; last: boolean }[] = [];
  for (let value = 1; value < most; value *= 10) ticks.push({ value, share: place(value), last: false });
  ticks.push({ value: most, share: 1, last: true });
  return ticks;
}

/** A flat drag selects along one axis, else along both. */
function axesOf(a: Point, b: Point): { alongX: boolean; alongY: boolean } {
  const [dx, dy] = [Math.abs(a.x - b.x), Math.abs(a.y - b.y)];
  return { alongX: dx >= flatPixels || dx >= dy, alongY: dy >= flatPixels || dy > dx };
}

function plotOf({ width, height }: Frame): Plot {
  const [left, right] = width >= wide ? [104, 176] : [10, Math.max(84, Math.min(150, width * 0.32))];
  return {
    left,
    right: Math.max(left + 40, width - right),
    top: margins.top,
    bottom: Math.max(40, height - margins.bottom),
  };
}

/** The stops of the theme, `--heat-0` (one access) to `--heat-6` (the most). */
function themeRamp(element: Element): Uint32Array {
  const stops = Array.from({ length: 7 }, (_, i) => parseHex(themeValue(element, `--heat-${i}`)));
  return ramp(stops);
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
