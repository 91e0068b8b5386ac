/**
 * The heatmap's canvas: address up, modelled time across, counts as colour.
 *
 * Low addresses lie at the bottom. Only touched pages have rows, so a broken line marks where the address jumps. What
 * is at hand is drawn at once and stretched to what is in sight; sharper bins follow: zooming never waits.
 *
 * Mouse: drag selects a part, the wheel zooms, a click points at what lies there and goes to its source. Keys: arrows
 * move a cursor, with Shift they pan, + and - zoom about it, 0 shows all, Backspace goes back, Space points at what lies
 * there, Enter also goes to its source.
 */

import { el } from '../dom.js';
import * as l10n from '../l10n.js';
import type { HeatColor } from '../state.js';
import { drawAxes } from './heatAxes.js';
import type { Box, HeatAxes } from './heatData.js';
import { type Step, stepFor } from './heatGrid.js';
import { drawAgreement, drawCursor, drawFocus, drawTierPatterns, drawWindow } from './heatMarks.js';
import { drawTiles, noTierRamp, type Paint, themeRamp, tierRamps } from './heatPaint.js';
import { fontSize, type Plot, plotOf } from './heatPlot.js';
import { type HeatScale, type ScaleKind, scaleOf, widened } from './heatScale.js';
import type { HeatTiles } from './heatTiles.js';
import { HeatTip } from './heatTip.js';
import { type Frame, fontOf, onThemeChange, Surface, themeValue } from './surface.js';
import { brushed, panned, type Range, revealing, zoomed } from './viewport.js';

export interface HeatEvents {
  /** The visible part changed. `gesture`: what belongs to one movement is one step back. */
  readonly moved: (x: Range, y: Range, gesture: string) => void;
  readonly back: () => void;
  /** What lies in a bin is pointed at; `open`: its source is wanted, too. */
  readonly chosen: (box: Box, open: boolean) => void;
  /** The bin under the cursor in words; `aloud` when it was moved by keys. */
  readonly pointed: (lines: readonly string[], aloud: boolean) => void;
  /** Bins arrived, or their colours changed meaning. */
  readonly painted: (scale: HeatScale | null) => void;
}

export interface HeatLook {
  readonly axes: HeatAxes;
  readonly tiles: HeatTiles;
  readonly color: HeatColor;
  readonly scale: ScaleKind;
  readonly x: Range;
  readonly y: Range;
  /** Epochs that all views show; null: all. */
  readonly window: Range | null;
}

/** Milliseconds of a frame for painting tiles anew: the rest of its 16 is for drawing them, and for all else. */
const paintingMs = 4;
/** CSS pixels of a bin: finer ones could not be told apart, and would be four times as many. */
const binPixels = 2;
/** A press that moves less is a click. */
const dragPixels = 4;
/** A drag flatter than this selects along one axis only. */
const flatPixels = 10;
/** The closest look: fewer would be no map any more. */
const leastEpochs = 4;
const leastPages = 4;
/** A key press goes at least this share of the map, so that a map of a thousand bins can be crossed. */
const keyStep = 1 / 64;

interface Point {
  readonly x: number;
  readonly y: number;
}

export class HeatChart {
  readonly element = el('div', {
    class: 'heat',
    role: 'application',
    tabindex: 0,
    'aria-roledescription': l10n.t('heatmap'),
    'aria-label': l10n.t('Page accesses by address and time'),
    'aria-describedby': 'heat-help',
  });
  readonly #base: Surface;
  readonly #over: Surface;
  readonly #tip: HeatTip;
  readonly #events: HeatEvents;
  #look: HeatLook | null = null;
  #scale: HeatScale | null = null;
  /** For what the scale was made, and of which tiles. */
  #scaleOf = '';
  #scaledFor: readonly unknown[] = [];
  #paint: Paint | null = null;
  #x: Range = [0, 1];
  #y: Range = [0, 1];
  /** In epochs and page rows. */
  #cursor: Point | null = null;
  #press: Point | null = null;
  #drag: Point | null = null;
  /** Nothing is drawn over the map. */
  #overBare = true;

  constructor(events: HeatEvents) {
    this.#events = events;
    this.#base = new Surface(
      this.element,
      frame => this.#draw(frame),
      () => this.#look && this.#events.moved(this.#x, this.#y, 'resize'),
    );
    this.#over = new Surface(this.element, frame => this.#drawOver(frame));
    this.#tip = new HeatTip(this.element);
    onThemeChange(() => {
      this.#paint = null;
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

  /** CSS pixels of the whole chart. */
  get size(): { readonly width: number; readonly height: number } {
    return this.#base.frame ?? { width: 600, height: 400 };
  }

  /** What the colours mean now; null: nothing is counted in sight. */
  get scale(): HeatScale | null {
    return this.#scale;
  }

  /** Bins across and down that have room. */
  get binsAcross(): [number, number] {
    const { left, right, top, bottom } = plotOf(this.size, this.#x, this.#y, false);
    return [Math.floor((right - left) / binPixels), Math.floor((bottom - top) / binPixels)];
  }

  /** Epochs and rows that a bin spans when a part of the map fills the plot. */
  stepFor(x: Range, y: Range, leastX: number): Step {
    const [across, down] = this.binsAcross;
    return { x: stepFor(x[1] - x[0], across, leastX), y: stepFor(y[1] - y[0], down, 1) };
  }

  show(look: HeatLook): void {
    const axes = this.#look?.axes;
    this.#look = look;
    this.#x = look.x;
    this.#y = look.y;
    // Rows have other tiers then.
    if (axes !== look.axes && look.color === 'tier') this.#paint = null;
    this.arrived();
    if (document.activeElement === this.element) this.#tell(false);
  }

  /** Bins came. Colours change when all are there, not with each. */
  arrived(): void {
    const look = this.#look;
    if (!look) return;
    if (look.tiles.complete) this.#rescale(look);
    this.#redraw();
  }

  /** Another tile set, such as of another profile: nothing of the old scale holds. */
  forget(): void {
    this.#scaleOf = '';
    this.#scaledFor = [];
  }

  #rescale({ tiles, color, scale: kind }: HeatLook): void {
    const sharp = tiles.sharp();
    const seen = [kind, color, ...sharp];
    if (seen.length === this.#scaledFor.length && seen.every((part, i) => part === this.#scaledFor[i])) {
      this.#events.painted(this.#scale);
      return;
    }
    this.#scaledFor = seen;
    const metric = color === 'tier' ? 'accesses' : color;
    const made = scaleOf(
      kind,
      sharp.map(({ bins }) => bins.densities(metric)),
    );
    const what = [kind, color, sharp[0]?.id.x, sharp[0]?.id.y].join(' ');
    const scale = made && this.#scale && what === this.#scaleOf ? widened(this.#scale, made) : made;
    if (scale !== this.#scale || what !== this.#scaleOf) this.#paint = null;
    this.#scale = scale;
    this.#scaleOf = what;
    this.#events.painted(scale);
  }

  zoom(factor: number): void {
    const at = this.#cursor && this.#inside(this.#cursor) ? this.#shareOf(this.#cursor) : { x: 0.5, y: 0.5 };
    this.#zoomAbout(factor, at, 'zoom');
  }

  reset(): void {
    const { x, y } = this.#look!.axes.whole;
    this.#view([0, x], [0, y], 'reset');
  }

  /** Draws what is shown onto another canvas or picture, in the colours of `style`. */
  picture(frame: Frame, style: Element): void {
    if (this.#look) this.#drawAll(frame, style, this.#paintOf(this.#look, style), Number.POSITIVE_INFINITY);
  }

  #view(x: Range, y: Range, gesture: string): void {
    this.#x = x;
    this.#y = y;
    this.#redraw();
    this.#events.moved(x, y, gesture);
  }

  #redraw(): void {
    this.#base.redraw();
    // Bare and to stay so: clearing it takes as long as drawing.
    if (this.#cursor || this.#drag || !this.#overBare) this.#over.redraw();
  }

  #zoomAbout(factor: number, at: Point, gesture: string): void {
    const { x, y } = this.#look!.axes.whole;
    this.#view(zoomed(this.#x, factor, at.x, x, leastEpochs), zoomed(this.#y, factor, at.y, y, leastPages), gesture);
  }

  #plot(frame: Frame): Plot {
    return plotOf(frame, this.#x, this.#y, this.#look?.axes.facts.agreement != null);
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
    const { left, right, top, bottom } = this.#plot(frame);
    return { x: (offsetX - left) / (right - left), y: (bottom - offsetY) / (bottom - top) };
  }

  #at(share: Point): Point {
    return {
      x: this.#x[0] + share.x * (this.#x[1] - this.#x[0]),
      y: this.#y[0] + share.y * (this.#y[1] - this.#y[0]),
    };
  }

  /** The bin under the cursor: the finest known there, and what it holds; where none is known yet, its place. */
  #pointed(): { readonly box: Box; readonly lines: readonly string[] } | null {
    const look = this.#look;
    if (!look || !this.#cursor) return null;
    const { x, y } = this.#cursor;
    const known = look.tiles.binAt(x, y);
    if (known) {
      const box = known.bins.boxOf(known.bin);
      return { box, lines: look.axes.describe(box, known.bins.countsOf(known.bin)) };
    }
    const whole = look.axes.whole;
    if (x < 0 || y < 0 || x >= whole.x || y >= whole.y) return null;
    const { step } = look.axes.facts;
    const cell = (value: number, size: number, end: number): Range => {
      const from = Math.floor(value / size) * size;
      return [from, Math.min(from + size, end)];
    };
    const box = { x: cell(x, step.x, whole.x), y: cell(y, step.y, whole.y) };
    return { box, lines: look.axes.describe(box, null) };
  }

  #tell(aloud: boolean): void {
    this.#events.pointed(this.#pointed()?.lines ?? [], aloud);
    this.#over.redraw();
  }

  #choose(open: boolean): void {
    const pointed = this.#pointed();
    if (pointed) this.#events.chosen(pointed.box, open);
  }

  // Keys.

  #focused(): void {
    if (!this.#look || this.#press) return;
    this.#cursor ??= this.#at({ x: 0.5, y: 0.5 });
    this.#tell(false);
  }

  #key(event: KeyboardEvent): void {
    if (!this.#look || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows: Readonly<Record<string, Point>> = {
      ArrowLeft: { x: -1, y: 0 },
      ArrowRight: { x: 1, y: 0 },
      ArrowUp: { x: 0, y: 1 },
      ArrowDown: { x: 0, y: -1 },
    };
    const arrow = arrows[event.key];
    if (arrow && event.shiftKey) this.#pan(arrow.x / 4, arrow.y / 4, 'pan');
    else if (arrow) this.#step(arrow);
    else if (event.key === '+' || event.key === '=') this.zoom(1 / 1.5);
    else if (event.key === '-' || event.key === '_') this.zoom(1.5);
    else if (event.key === '0' || event.key === 'Home') this.reset();
    else if (event.key === 'Backspace') this.#events.back();
    else if (event.key === 'Enter') this.#choose(true);
    else if (event.key === ' ') this.#choose(false);
    else if (event.key === 'Escape' && this.#drag) this.#endDrag();
    else return;
    event.preventDefault();
  }

  #pan(x: number, y: number, gesture: string): void {
    const whole = this.#look!.axes.whole;
    this.#view(panned(this.#x, x, whole.x), panned(this.#y, y, whole.y), gesture);
  }

  /** One bin on, or several where they are tiny; the view follows the cursor. */
  #step({ x, y }: Point): void {
    const { axes } = this.#look!;
    const { step } = axes.facts;
    const width = Math.max(step.x, (this.#x[1] - this.#x[0]) * keyStep);
    const height = Math.max(step.y, (this.#y[1] - this.#y[0]) * keyStep);
    const from = this.#cursor ?? this.#at({ x: 0.5, y: 0.5 });
    const within = (value: number, whole: number) => Math.max(0, Math.min(value, whole - 1e-6));
    this.#cursor = { x: within(from.x + x * width, axes.whole.x), y: within(from.y + y * height, axes.whole.y) };
    if (!this.#inside(this.#cursor)) {
      const [toX, toY] = [
        revealing(this.#x, this.#cursor.x, axes.whole.x),
        revealing(this.#y, this.#cursor.y, axes.whole.y),
      ];
      this.#view(toX, toY, 'step');
    }
    this.#tell(true);
  }

  // Mouse.

  #down(event: PointerEvent): void {
    const share = this.#shareAt(event);
    if (event.button !== 0 || !share || !this.#look) return;
    this.#press = { x: event.offsetX, y: event.offsetY };
    this.element.setPointerCapture(event.pointerId);
  }

  #hover(event: PointerEvent): void {
    const share = this.#shareAt(event);
    if (!this.#look || !share) return;
    if (this.#press) {
      const here = { x: event.offsetX, y: event.offsetY };
      if (this.#drag || Math.hypot(here.x - this.#press.x, here.y - this.#press.y) > dragPixels) this.#drag = here;
    }
    const over = share.x >= 0 && share.x <= 1 && share.y >= 0 && share.y <= 1;
    this.#cursor = over ? this.#at(share) : null;
    this.#tell(false);
    this.#tip.show(event, over && !this.#drag ? (this.#pointed()?.lines ?? null) : null);
  }

  #up(event: PointerEvent): void {
    const { frame } = this.#base;
    const [press, drag] = [this.#press, this.#drag];
    this.#endDrag();
    if (!press || !frame || !this.#look) return;
    if (!drag) {
      const share = this.#shareAt(event);
      const over = share && share.x >= 0 && share.x <= 1 && share.y >= 0 && share.y <= 1;
      if (over) this.#cursor = this.#at(share);
      if (over) this.#choose(true);
      return;
    }
    const whole = this.#look.axes.whole;
    const [a, b] = [press, drag].map(({ x, y }) => this.#shareAt({ offsetX: x, offsetY: y })!) as [Point, Point];
    const { alongX, alongY } = axesOf(press, drag);
    this.#view(
      alongX ? brushed(this.#x, a.x, b.x, whole.x, leastEpochs) : this.#x,
      alongY ? brushed(this.#y, a.y, b.y, whole.y, leastPages) : this.#y,
      'brush',
    );
  }

  #endDrag(): void {
    this.#press = this.#drag = null;
    this.#over.redraw();
  }

  #leave(): void {
    this.#tip.hide();
    if (document.activeElement === this.element) return;
    this.#cursor = null;
    this.#tell(false);
  }

  #wheel(event: WheelEvent): void {
    const share = this.#shareAt(event);
    if (!this.#look || !share || share.x < 0 || share.x > 1 || share.y < 0 || share.y > 1) return;
    event.preventDefault();
    const delta = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 16 : event.deltaY;
    // Some systems turn a wheel with Shift into a sideways one.
    if (event.shiftKey || event.deltaX !== 0) this.#pan((event.deltaX || delta) / 800, 0, 'wheel');
    else this.#zoomAbout(Math.exp(delta / 500), share, 'wheel');
  }

  // Drawing.

  #paintOf(look: HeatLook, style: Element): Paint | null {
    if (!this.#scale) return null;
    const { tiers } = look.axes.facts;
    return {
      color: look.color,
      scale: this.#scale,
      axes: look.axes,
      ramp: themeRamp(style),
      tiers: tierRamps(style, tiers.length),
      noTier: noTierRamp,
    };
  }

  #draw(frame: Frame): void {
    if (!this.#look) return;
    this.#paint ??= this.#paintOf(this.#look, this.element);
    const done = this.#drawAll(frame, this.element, this.#paint, performance.now() + paintingMs);
    if (!done) this.#base.redraw();
  }

  /** @returns whether all is painted as it should be; see `drawTiles` */
  #drawAll(frame: Frame, style: Element, paint: Paint | null, until: number): boolean {
    const { axes, tiles, color, window } = this.#look!;
    const { context } = frame;
    const plot = this.#plot(frame);
    const ground = themeValue(style, '--plot-background');
    context.font = fontOf(style, fontSize);
    context.fillStyle = ground;
    context.fillRect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
    const done = paint === null || drawTiles(context, plot, tiles, paint, ground, until);
    if (color === 'tier') drawTierPatterns(context, plot, axes, style);
    drawAgreement(context, plot, axes, style);
    if (window) drawWindow(context, plot, window, style);
    drawAxes(frame, plot, axes, style);
    drawFocus(context, plot, axes, style);
    return done;
  }

  #drawOver(frame: Frame): void {
    const { context } = frame;
    this.#overBare = false;
    const plot = this.#plot(frame);
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
    const pointed = this.#pointed();
    if (!pointed || !this.#cursor || !this.#inside(this.#cursor)) {
      this.#overBare = true;
      return;
    }
    drawCursor(frame, plot, pointed.box, this.element);
  }
}

/** A flat drag selects along one axis, else along both. */
function axesOf(a: Point, b: Point): { alongX: boolean; alongY: boolean } {
  const [dx, dy] = [Math.abs(a.x - b.x), Math.abs(a.y - b.y)];
  return { alongX: dx >= flatPixels || dx >= dy, alongY: dy >= flatPixels || dy > dx };
}
