/** Heatmap: address by time, with what to count, zoom, and the same counts as a table. */
import type { HeatmapFacts } from '../../core/protocol.js';
import { HeatChart, HeatLegend } from '../charts/heat.js';
import { HeatData, metricUnits } from '../charts/heatData.js';
import type { Range } from '../charts/viewport.js';
import { el } from '../dom.js';
import { compact, nanoseconds, span, whole } from '../format.js';
import { Grid, type GridColumn, rowsOf } from '../grid.js';
import { type HeatmapChoice, type Metric, metrics } from '../state.js';
import { button, dropdown, toggle } from '../toolkit.js';
import type { View, ViewContext, ViewKind } from './view.js';

export const heatmap: ViewKind = {
  id: 'heatmap',
  label: 'Heatmap',
  icon: 'flame',
  create: context => new HeatmapView(context),
};

/** The table's bins: as many as can be read. */
const tableRows = 24;
const tableColumnWidth = 76;
const help =
  'Point to read counts, drag to select, turn the wheel to zoom, click for the source. Keys: arrows move, Shift+arrows pan, + and − zoom, 0 shows all, Enter goes to the source.';

class HeatmapView implements View {
  readonly element = el('div', { class: 'heatmap-view' });
  readonly #chart: HeatChart;
  readonly #legend = new HeatLegend();
  readonly #table: Grid<number>;
  readonly #readout = el('p', { class: 'readout note' }, help);
  readonly #map: HTMLElement;
  readonly #metric = dropdown('Count', metricChoices(), value => this.#choose({ metric: value as Metric }));
  readonly #asTable = toggle({
    label: 'Show as table',
    icon: 'table',
    change: table => this.#choose({ table }),
  });
  readonly #zoomButtons: HTMLElement;
  #data: HeatData | null = null;
  #asking = false;
  #askAgain = false;

  constructor(readonly context: ViewContext) {
    this.#chart = new HeatChart({
      moved: (x, y) => this.#moved(x, y),
      open: context.reveal,
      pointed: (lines, aloud) => {
        this.#readout.textContent = lines.length > 0 ? lines.join(' · ') : help;
        if (aloud) context.announce(lines.join(', '));
      },
    });
    this.#table = new Grid<number>({
      label: 'Counts by address and time',
      columns: [],
      activate: row => this.#openRow(row),
    });
    const tool = (label: string, icon: string, press: () => void) =>
      button({ label, icon, appearance: 'icon', press: () => this.#data && press() });
    this.#zoomButtons = el(
      'div',
      { class: 'buttons', role: 'group', 'aria-label': 'Zoom' },
      tool('Zoom in', 'zoom-in', () => this.#chart.zoom(1 / 2)),
      tool('Zoom out', 'zoom-out', () => this.#chart.zoom(2)),
      tool('Show all', 'screen-normal', () => this.#chart.reset()),
    );
    this.#map = el('div', { class: 'heat-map' }, this.#chart.element, this.#legend.element, this.#readout);
    this.element.append(
      el(
        'div',
        { class: 'toolbar' },
        el('span', { class: 'label', 'aria-hidden': 'true' }, 'Count'),
        this.#metric.element,
        el('span', { class: 'spring' }),
        this.#zoomButtons,
        this.#asTable.element,
      ),
      this.#map,
      this.#table.element,
      el('p', { class: 'visually-hidden', id: 'heat-help' }, help),
    );
  }

  async load(): Promise<void> {
    this.#showChoice();
    await this.#ask();
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
    // Another metric is in the same answer; the table has bins of its own.
    if (this.#choice().table || table) void this.#refresh();
    else if (this.#data) this.#draw(this.#data);
  }

  #showChoice(): void {
    const { metric, table } = this.#choice();
    this.#metric.set(metric);
    this.#asTable.set(table);
    this.#map.hidden = table;
    this.#zoomButtons.hidden = table;
    this.#table.element.hidden = !table;
  }

  #moved(x: Range, y: Range): void {
    this.#remember({ x, y });
    void this.#refresh();
  }

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
    const { table, profile, x, y } = this.#choice();
    const known = profile === this.context.selection().profile;
    const range = { ...(known && x ? { x } : {}), ...(known && y ? { y } : {}) };
    const across = Math.max(2, Math.floor((this.element.clientWidth - 200) / tableColumnWidth));
    const pixels: [number, number] = table ? [Math.min(8, across), tableRows] : (this.#chart.pixels ?? [600, 400]);
    this.#data = new HeatData(await this.context.ask({ range, pixels }));
    this.#draw(this.#data);
    // The map got its place while the first answer was on its way.
    const [width, height] = this.#chart.pixels ?? pixels;
    if (!table && (width !== pixels[0] || height !== pixels[1])) void this.#refresh();
  }

  #draw(data: HeatData): void {
    const { metric, table, profile, x, y } = this.#choice();
    if (table) {
      this.#fill(data, metric);
      return;
    }
    const known = profile === this.context.selection().profile;
    const { shown } = data.facts;
    this.#chart.show(data, metric, within(known ? x : null, shown.x), within(known ? y : null, shown.y));
    this.#legend.show(data, metric);
  }

  #fill(data: HeatData, metric: Metric): void {
    this.#table.setColumns(tableColumns(data, metric));
    this.#table.show(rowsOf(Array.from({ length: data.facts.rows }, (_, row) => row)));
  }

  #openRow(row: number): void {
    const location = this.#data?.locationOf({ column: 0, row });
    if (location) this.context.reveal(location);
    else this.context.announce('no source line is known');
  }
}

/** What is remembered, unless the answer shows something else: the profile may have shrunk. */
function within(wanted: Range | null, shown: HeatmapFacts['shown']['x']): Range {
  return wanted && wanted[0] >= shown[0] && wanted[1] <= shown[1] ? wanted : shown;
}

function metricChoices() {
  const labels: Readonly<Record<Metric, string>> = {
    accesses: 'Accesses',
    reads: 'Reads',
    writes: 'Writes',
    traffic: 'Traffic',
  };
  return metrics.map(value => ({ value, label: labels[value] }));
}

function tableColumns(data: HeatData, metric: Metric): GridColumn<number>[] {
  const { columns } = data.facts;
  const names = (row: number) => {
    const [from, to] = data.pagesOf({ column: 0, row });
    const runs = data.facts.segments.flatMap(segment => segment.objects);
    return [...new Set(runs.filter(run => run.from < to && run.to > from).map(run => run.name))];
  };
  const times = Array.from({ length: columns }, (_, at): GridColumn<number> => {
    const [from, to] = data.epochsOf({ column: at, row: 0 });
    return {
      id: `time-${at}`,
      label: nanoseconds(data.timeAt(from)),
      title: `${metricUnits[metric]} from ${nanoseconds(data.timeAt(from))} to ${nanoseconds(data.timeAt(to))} of modelled time, epoch ${span(Math.floor(from), Math.ceil(to))}`,
      width: tableColumnWidth,
      priority: 0,
      numeric: true,
      cell: row => compact(data.count(metric, { column: at, row })),
      hint: row => `${whole(data.count(metric, { column: at, row }))} ${metricUnits[metric]}`,
    };
  });
  return [
    {
      id: 'objects',
      label: 'Objects',
      title: 'What lies in these pages, from low to high addresses',
      width: 100,
      flexible: true,
      priority: 0,
      cell: row => {
        const [first, ...more] = names(row);
        return `${first ?? 'unnamed'}${more.length > 0 ? ` and ${more.length} more` : ''}`;
      },
      hint: row => names(row).join('\n'),
    },
    ...times,
  ];
}
