/** Heatmap: address by time, with what to colour by, zoom, links to the other views, and the same counts as a table. */

import type { Focus, LiveHeat, ViewData, ViewQuery } from '../../core/protocol.js';
import { HeatChart, type HeatLook } from '../charts/heat.js';
import { type Box, HeatAxes, HeatBins } from '../charts/heatData.js';
import { HeatLegend } from '../charts/heatLegend.js';
import { liveTile, liveView } from '../charts/heatLive.js';
import { heatPicture } from '../charts/heatPicture.js';
import type { HeatScale } from '../charts/heatScale.js';
import { HeatTiles } from '../charts/heatTiles.js';
import type { Range } from '../charts/viewport.js';
import { el } from '../dom.js';
import { span, whole } from '../format.js';
import { Grid, rowsOf } from '../grid.js';
import * as l10n from '../l10n.js';
import { pictureButton } from '../picture.js';
import { type HeatColor, type HeatmapChoice, heatColors, type Metric } from '../state.js';
import { button, dropdown, toggle } from '../toolkit.js';
import { HeatDifference } from './heatDifference.js';
import { tableColumns, tableColumnWidth, tableRows } from './heatmapTable.js';
import type { View, ViewContext, ViewKind } from './view.js';

export const heatmap: ViewKind = {
  id: 'heatmap',
  label: l10n.t('Heatmap'),
  icon: 'flame',
  live: true,
  create: context => new HeatmapView(context),
};

const help = l10n.t(
  'Point to read counts, drag to select, turn the wheel to zoom, click to point at what lies there and see its source. Keys: arrows move, Shift+arrows pan, + and − zoom, 0 shows all, Backspace goes back, Space points at what lies there, Enter also goes to its source.',
);
/** Movements of one kind closer together than this are one step back, ms. */
const gesturePause = 700;
const mostSteps = 100;

type ShownRun = 'now' | 'before' | 'difference';

class HeatmapView implements View {
  readonly element = el('div', { class: 'heatmap-view' });
  readonly #chart: HeatChart;
  readonly #tiles: HeatTiles;
  readonly #legend = new HeatLegend();
  readonly #table: Grid<number>;
  readonly #readout = el('p', { class: 'readout note' }, help);
  readonly #map: HTMLElement;
  readonly #links = el('div', { class: 'heat-links' });
  readonly #color = dropdown(l10n.t('Colour by'), colorChoices, value => this.#choose({ color: value as HeatColor }));
  readonly #scale = dropdown(l10n.t('Scale'), scaleChoices, value =>
    this.#choose({ scale: value as HeatmapChoice['scale'] }),
  );
  readonly #run = dropdown(l10n.t('Run'), runChoices, value => this.#chooseRun(value as ShownRun));
  readonly #difference: HeatDifference;
  readonly #asTable = toggle({
    label: l10n.t('Show as table'),
    icon: 'table',
    change: table => this.#choose({ table }),
  });
  readonly #zoomButtons: HTMLElement;
  readonly #backButton: HTMLElement;
  #axes: HeatAxes | null = null;
  /** The recording that goes on, which is shown in place of the profile. */
  #live: { readonly axes: HeatAxes; readonly tiles: HeatTiles; readonly note: string } | null = null;
  #rows: HeatBins | null = null;
  /** Of which run, or of both. */
  #shown: ShownRun = 'now';
  #history: { readonly x: Range; readonly y: Range }[] = [];
  #gesture = { kind: '', at: 0 };
  #asking = false;
  #askAgain = false;

  constructor(readonly context: ViewContext) {
    this.#tiles = new HeatTiles({
      ask: query => context.ask(query),
      arrived: () => this.#chart.arrived(),
      outdated: () => void this.#refresh(),
      failed: error => context.failed(error),
    });
    this.#chart = new HeatChart({
      moved: (x, y, gesture) => this.#moved(x, y, gesture),
      back: () => this.#back(),
      chosen: (box, open) => void this.#pointAt(box, open),
      pointed: (lines, aloud) => {
        this.#readout.textContent = lines.length > 0 ? lines.join(' · ') : help;
        if (aloud) context.announce(lines.join(', '));
      },
      painted: scale => this.#showLegend(scale),
    });
    this.#table = new Grid<number>({
      label: l10n.t('Counts by address and time'),
      columns: [],
      activate: row => this.#openRow(row),
    });
    const tool = (label: string, icon: string, press: () => void) =>
      button({ label, icon, appearance: 'icon', press: () => this.#axes && !this.#live && press() });
    this.#backButton = tool(l10n.t('Back to the part shown before'), 'arrow-left', () =>
      this.#differs ? this.#difference.back() : this.#back(),
    );
    this.#zoomButtons = el(
      'div',
      { class: 'buttons', role: 'group', 'aria-label': l10n.t('Zoom') },
      this.#backButton,
      tool(l10n.t('Zoom in'), 'zoom-in', () => (this.#differs ? this.#difference.zoom(1) : this.#chart.zoom(1 / 2))),
      tool(l10n.t('Zoom out'), 'zoom-out', () => (this.#differs ? this.#difference.zoom(-1) : this.#chart.zoom(2))),
      tool(l10n.t('Show all'), 'screen-normal', () => (this.#differs ? this.#difference.reset() : this.#chart.reset())),
    );
    this.#difference = new HeatDifference(context);
    this.#map = el('div', { class: 'heat-map' }, this.#chart.element, this.#legend.element, this.#readout);
    this.element.append(
      el(
        'div',
        { class: 'toolbar' },
        el('span', { class: 'label', 'aria-hidden': 'true' }, l10n.t('Colour by')),
        this.#color.element,
        this.#scale.element,
        this.#run.element,
        el('span', { class: 'spring' }),
        this.#zoomButtons,
        pictureButton(context, () => this.#picture()),
        this.#asTable.element,
      ),
      this.#links,
      this.#map,
      this.#table.element,
      el('p', { class: 'visually-hidden', id: 'heat-help' }, help),
    );
  }

  async load(): Promise<void> {
    this.#live = null;
    if (this.context.selection().baseline === null) this.#shown = 'now';
    this.#showChoice();
    await this.#ask();
    await this.#tiles.settled();
  }

  live(heat: LiveHeat): void {
    const data = liveView(heat);
    const axes = new HeatAxes(data);
    const tiles = new HeatTiles({
      ask: () => Promise.reject(new Error('a recording that goes on is shown as it comes')),
      arrived: () => {},
      outdated: () => {},
      failed: () => {},
    });
    tiles.begin(axes.facts);
    tiles.put(liveTile, data);
    const note = l10n.t(
      'recording: so far {0} accesses to {1} pages. Time is told in accesses; modelled time is known when the recording has ended.',
      whole(heat.accesses),
      whole(heat.pages),
    );
    this.#live = { axes, tiles, note };
    this.#showChoice();
    const { color, scale } = this.#choice();
    const [x, y]: Range[] = [
      [0, axes.whole.x],
      [0, axes.whole.y],
    ];
    tiles.look(x!, y!, { x: 1, y: 1 });
    this.#chart.show({ axes, tiles, color: metricOf(color), scale, x: x!, y: y!, window: null });
  }

  #choice(): HeatmapChoice {
    return this.context.state().heatmap;
  }

  #remember(change: Partial<HeatmapChoice>): void {
    const { profile } = this.context.selection();
    this.context.remember({ heatmap: { ...this.#choice(), ...change, profile } });
  }

  #choose(change: Partial<HeatmapChoice>): void {
    const { table } = this.#choice();
    this.#remember(change);
    this.#showChoice();
    // Another colour is in the same answers; the table has bins of its own.
    if (this.#differs) this.#difference.show(metricOf(this.#choice().color), this.#choice().table);
    else if (this.#choice().table || table) void this.#refresh();
    else this.#draw();
  }

  #chooseRun(shown: ShownRun): void {
    this.#shown = shown;
    this.#history = [];
    this.#remember({ x: null, y: null });
    this.#showChoice();
    void this.#refresh();
  }

  #showChoice(): void {
    const { color, scale, table } = this.#choice();
    const asTable = table && !this.#live;
    this.#color.set(color);
    this.#scale.set(scale);
    this.#run.set(this.#shown);
    this.#run.element.hidden = this.#live !== null || this.context.selection().baseline === null;
    this.#asTable.set(asTable);
    const differs = this.#differs;
    // Only one map, legend and readout is in the page at a time.
    if (!differs) this.#difference.element.remove();
    else if (!this.#difference.element.isConnected) this.element.append(this.#difference.element);
    this.#scale.element.hidden = differs;
    this.#map.hidden = asTable || differs;
    this.#zoomButtons.hidden = asTable || this.#live !== null;
    this.#table.element.hidden = !asTable || differs;
    this.#links.hidden = differs || this.#live !== null;
  }

  // What is in sight.

  /** The remembered part of this profile, or all. */
  #sight({ whole }: HeatAxes): { readonly x: Range; readonly y: Range } {
    const { profile, x, y } = this.#choice();
    const known = profile === this.context.selection().profile;
    const within = (range: Range | null, end: number): Range =>
      known && range && range[1] <= end ? range : [0, Math.max(end, 1)];
    return { x: within(x, whole.x), y: within(y, whole.y) };
  }

  #moved(x: Range, y: Range, gesture: string): void {
    if (this.#live || !this.#axes) return;
    if (gesture !== 'resize') this.#step(gesture);
    this.#remember({ x, y });
    this.#tiles.look(x, y, this.#chart.stepFor(x, y, this.#axes.facts.leastStepX));
    void this.#refresh();
  }

  /** Remembers where the user was before a movement. */
  #step(gesture: string): void {
    const now = performance.now();
    const same = gesture === this.#gesture.kind && now - this.#gesture.at < gesturePause;
    this.#gesture = { kind: gesture, at: now };
    if (same) return;
    this.#history = [...this.#history.slice(1 - mostSteps), this.#sight(this.#axes!)];
  }

  #back(): void {
    const last = this.#history.pop();
    if (!last || this.#live) {
      this.context.announce(l10n.t('nothing was shown before'));
      return;
    }
    this.#goTo(last.x, last.y);
  }

  #goTo(x: Range, y: Range): void {
    this.#gesture = { kind: '', at: 0 };
    this.#remember({ x, y });
    this.#tiles.look(x, y, this.#chart.stepFor(x, y, this.#axes!.facts.leastStepX));
    this.#draw();
    void this.#refresh();
  }

  // Asking.

  /** One question at a time; what changed meanwhile is asked for with the next. */
  async #refresh(): Promise<void> {
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    try {
      do {
        this.#askAgain = false;
        await this.#ask();
      } while (this.#askAgain);
    } catch (error) {
      this.context.failed(error);
    } finally {
      this.#asking = false;
    }
  }

  async #ask(): Promise<void> {
    const { color, table, profile, x, y } = this.#choice();
    if (this.#differs) {
      await this.#difference.load(metricOf(color), table);
      return;
    }
    const known = profile === this.context.selection().profile;
    const range = { ...(known && x ? { x } : {}), ...(known && y ? { y } : {}) };
    if (table) await this.#askTable(range);
    else await this.#askMap(range);
  }

  get #before(): boolean {
    return this.#shown === 'before';
  }

  get #differs(): boolean {
    return this.#shown === 'difference' && this.#live === null;
  }

  get #ofRun(): NonNullable<ViewQuery['options']> {
    return this.#before ? { baseline: true } : {};
  }

  async #askMap(range: ViewQuery['range']): Promise<void> {
    const options = { part: 'axes', ...this.#ofRun };
    const axes = new HeatAxes(await this.context.ask({ range, options, pixels: this.#chart.binsAcross }));
    if (axes.facts.stamp !== this.#axes?.facts.stamp) {
      this.#chart.forget();
      this.#history = [];
    }
    this.#axes = axes;
    this.#tiles.begin(axes.facts, this.#ofRun);
    const sight = this.#sight(axes);
    this.#tiles.look(sight.x, sight.y, this.#chart.stepFor(sight.x, sight.y, axes.facts.leastStepX));
    this.#draw();
  }

  #draw(): void {
    if (!this.#axes || this.#live) return;
    const { color, scale } = this.#choice();
    const window = this.#before ? null : this.context.selection().window;
    const look: HeatLook = { axes: this.#axes, tiles: this.#tiles, color, scale, window, ...this.#sight(this.#axes) };
    this.#chart.show(look);
    this.#showLinks();
  }

  #showLegend(scale: HeatScale | null): void {
    const { color } = this.#choice();
    if (this.#live) this.#legend.show(this.#live.axes, metricOf(color), scale, this.#live.note);
    else if (this.#axes) this.#legend.show(this.#axes, color, scale, this.#note());
  }

  #note(): string {
    const run = this.#before ? l10n.t('The run before') : l10n.t('Whole run');
    return this.#axes?.facts.counted === 'accesses'
      ? l10n.t('{0}, exact counts.', run)
      : l10n.t('{0}, as the tracker sees it.', run);
  }

  // Links to the other views.

  async #pointAt(box: Box, open: boolean): Promise<void> {
    if (!this.#axes || this.#live) return;
    const object = this.#axes.objectOf(box);
    const one = box.y[1] - box.y[0] === 1;
    const focus: Focus | null = one
      ? { kind: 'page', page: box.y[0] }
      : object && { kind: 'object', object: object.object };
    if (open && object?.location) this.context.reveal(object.location);
    else if (open) this.#say(l10n.t('no source line is known'));
    if (!focus || this.#before) return;
    try {
      await this.context.select({ focus });
    } catch (error) {
      this.context.failed(error);
    }
  }

  #say(text: string): void {
    this.#readout.textContent = `${this.#readout.textContent} · ${text}`;
    this.context.announce(text);
  }

  /** The visible epochs, whole, for every view. */
  #shareWindow(): void {
    const { x } = this.#sight(this.#axes!);
    void this.#select({ window: [Math.floor(x[0]), Math.ceil(x[1])] });
  }

  async #select(change: Parameters<ViewContext['select']>[0]): Promise<void> {
    try {
      await this.context.select(change);
    } catch (error) {
      this.context.failed(error);
    }
  }

  /** What can be done about the window and about what is pointed at; nothing where there is neither. */
  #showLinks(): void {
    const axes = this.#axes!;
    const { x } = this.#sight(axes);
    const { window } = this.context.selection();
    const { focus } = axes.facts;
    const zoomedIn = x[0] > 0 || x[1] < axes.whole.x;
    const isWindow = window?.[0] === Math.floor(x[0]) && window?.[1] === Math.ceil(x[1]);
    const parts: Node[] = [];
    if (zoomedIn && !isWindow && !this.#before) {
      parts.push(link(l10n.t('Use this window everywhere'), () => this.#shareWindow()));
    }
    // The page's own strip names the window and ends it.
    if (window && !isWindow && !this.#before) {
      parts.push(
        link(l10n.t('Zoom to the window, epochs {0}', span(window[0], window[1])), () => this.#goToStep(window, null)),
      );
    }
    if (focus) {
      parts.push(
        el(
          'span',
          { class: 'heat-focus' },
          el('span', { 'aria-hidden': 'true' }, '▭ '),
          l10n.t('Pointed at: {0}.', focus.label),
        ),
        link(l10n.t('Zoom to it'), () => this.#goToStep(null, focus.extent)),
        link(l10n.t('Point at nothing'), () => void this.#select({ focus: null })),
      );
    }
    const words = parts.map(part => part.textContent).join('|');
    if (words === this.#shownLinks) return;
    this.#shownLinks = words;
    this.#links.replaceChildren(...parts);
  }
  #shownLinks = '';

  #goToStep(x: Range | null, y: Range | null): void {
    const axes = this.#axes!;
    this.#step('link');
    const least = (range: Range, size: number, end: number): Range => {
      const from = Math.max(0, Math.min(range[0], end - size));
      return [from, Math.min(end, Math.max(range[1], from + size))];
    };
    const sight = this.#sight(axes);
    this.#goTo(x ? least(x, 4, axes.whole.x) : sight.x, y ? least(y, 4, axes.whole.y) : sight.y);
  }

  #picture() {
    if (this.#differs) return this.#choice().table ? null : this.#difference.picture();
    const axes = this.#axes;
    if (!axes || this.#live || this.#choice().table) return null;
    return heatPicture(this.#chart, axes, this.#choice().color, this.#note());
  }

  // The table.

  async #askTable(range: ViewQuery['range']): Promise<void> {
    const across = Math.max(2, Math.floor((this.element.clientWidth - 200) / tableColumnWidth));
    const pixels: [number, number] = [Math.min(8, across), tableRows];
    const data: ViewData = await this.context.ask({ range, pixels, options: this.#ofRun });
    const [axes, bins] = [new HeatAxes(data), new HeatBins(data)];
    this.#axes = axes;
    this.#rows = bins;
    const { color } = this.#choice();
    this.#table.setColumns(tableColumns(axes, bins, metricOf(color)));
    this.#table.show(rowsOf(Array.from({ length: bins.facts.rows }, (_, row) => row)));
    this.#showLinks();
  }

  #openRow(row: number): void {
    if (this.#rows) void this.#pointAt(this.#rows.boxOf({ column: 0, row }), true);
  }
}

/** A tier has no count of its own: accesses say how much it is in use. */
function metricOf(color: HeatColor): Metric {
  return color === 'tier' ? 'accesses' : color;
}

/** A button in a line of text. */
function link(label: string, press: () => void): HTMLElement {
  const element = el('button', { type: 'button', class: 'link' }, label);
  element.addEventListener('click', press);
  return element;
}

const colorLabels: Readonly<Record<HeatColor, string>> = {
  accesses: l10n.t('Accesses'),
  reads: l10n.t('Reads'),
  writes: l10n.t('Writes'),
  traffic: l10n.t('Traffic'),
  tier: l10n.t('Tier'),
};
const colorChoices = heatColors.map(value => ({ value, label: colorLabels[value] }));
const scaleChoices = [
  { value: 'log', label: l10n.t('Logarithmic') },
  { value: 'percentile', label: l10n.t('Percentile') },
];
const runChoices = [
  { value: 'now', label: l10n.t('This run') },
  { value: 'before', label: l10n.t('Run before') },
  { value: 'difference', label: l10n.t('Difference') },
];
