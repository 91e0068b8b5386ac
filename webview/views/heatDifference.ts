/** The heatmap's third map: what differs between this run and the run before. Map or table, legend, picture. */

import { DifferenceChart, drawDifferenceScale } from '../charts/difference.js';
import {
  DifferenceData,
  type DifferenceLook,
  type DifferenceObject,
  differenceText,
  differenceWords,
  signed,
  unitWords,
  wholeDifference,
} from '../charts/differenceData.js';
import { Surface } from '../charts/surface.js';
import { el } from '../dom.js';
import { whole } from '../format.js';
import { Grid, type GridColumn, rowsOf } from '../grid.js';
import * as l10n from '../l10n.js';
import type { Picture } from '../picture.js';
import type { Metric } from '../state.js';
import { tableColumnWidth } from './heatmapTable.js';
import type { ViewContext } from './view.js';

/** As many stretches of the runs as can be read. */
const mostStretches = 8;
const pictureHeight = 480;
const help = l10n.t(
  'Point to read counts, turn the wheel to zoom, click to see the source. Keys: arrows move, Shift+arrows pan, + and − zoom, 0 shows all, Backspace goes back, Space points at the allocation, Enter also goes to its source.',
);

/** Views that one can go back to. */
const mostSteps = 100;

function isAsFine({ facts }: DifferenceData, before: DifferenceData | null): boolean {
  return facts.allRows === before?.facts.allRows && facts.allColumns === before.facts.allColumns;
}

export class HeatDifference {
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #chart: DifferenceChart;
  readonly #scale = el('div', { class: 'heat-scale', 'aria-hidden': 'true' });
  readonly #surface: Surface;
  readonly #words = el('p', { class: 'note' });
  readonly #readout = el('p', { class: 'readout note' }, help);
  readonly #map: HTMLElement;
  readonly #table: Grid<DifferenceObject>;
  #data: DifferenceData | null = null;
  #metric: Metric = 'accesses';
  /** Which are shown. */
  #runs = '';
  #look = wholeDifference;
  #history: readonly DifferenceLook[] = [];

  constructor(context: ViewContext) {
    this.#context = context;
    this.#chart = new DifferenceChart({
      pointed: (lines, aloud) => {
        this.#readout.textContent = lines.length > 0 ? lines.join(' · ') : help;
        if (aloud) context.announce(lines.join(', '));
      },
      chosen: (object, open) => void this.#pointAt(object, open),
      moved: look => void this.#go(look),
      back: () => this.back(),
    });
    this.#surface = new Surface(this.#scale, frame => {
      if (this.#chart.scale) drawDifferenceScale(frame, this.#scale, this.#chart.scale);
    });
    this.#table = new Grid<DifferenceObject>({
      label: l10n.t('Difference of two runs by allocation and progress'),
      columns: [],
      activate: object => void this.#pointAt(object, true),
    });
    this.#map = el('div', { class: 'heat-map' }, this.#chart.element);
    const legend = el('div', { class: 'heat-legend' }, this.#scale, this.#words);
    this.element = el('div', { class: 'heat-map' }, this.#map, this.#table.element, legend, this.#readout);
  }

  /** Asks core anew. Of other runs, all of the map is shown. */
  async load(metric: Metric, table: boolean): Promise<void> {
    const { profile, baseline } = this.#context.selection();
    const runs = JSON.stringify([profile, baseline]);
    if (runs !== this.#runs) {
      this.#runs = runs;
      this.#history = [];
      this.#look = wholeDifference;
    }
    this.#data = await this.#ask(this.#look);
    this.show(metric, table);
  }

  zoom(steps: number): void {
    this.#chart.zoom(steps);
  }

  reset(): void {
    this.#chart.reset();
  }

  back(): void {
    const last = this.#history.at(-1);
    this.#history = this.#history.slice(0, -1);
    if (last) void this.#go(last, false);
    else this.#context.announce(l10n.t('nothing was shown before'));
  }

  async #ask(look: DifferenceLook): Promise<DifferenceData> {
    return new DifferenceData(await this.#context.ask({ options: { part: 'difference', ...look } }));
  }

  /** @param remember it can be gone back from */
  async #go(look: DifferenceLook, remember = true): Promise<void> {
    const from = this.#look;
    this.#look = look;
    try {
      const data = await this.#ask(look);
      // Another part is wanted by now.
      if (this.#look !== look) return;
      if (look.zoom > from.zoom && isAsFine(data, this.#data)) {
        this.#look = from;
        this.#context.announce(l10n.t('there is nothing finer to see: the runs tell no more'));
        return;
      }
      if (remember) this.#history = [...this.#history.slice(1 - mostSteps), from];
      this.#data = data;
      this.show(this.#metric, !this.#table.element.hidden);
    } catch (error) {
      this.#context.failed(error);
    }
  }

  /** What is at hand, coloured by another count or as a table. */
  show(metric: Metric, table: boolean): void {
    const data = this.#data;
    if (!data) return;
    this.#metric = metric;
    this.#map.hidden = this.#scale.hidden = this.#readout.hidden = table;
    this.#table.element.hidden = !table;
    this.#chart.show(data, metric, this.#look);
    this.#words.textContent = differenceWords(data, metric, this.#chart.scale);
    this.#surface.redraw();
    if (!table) return;
    this.#table.setColumns(this.#columns(data, metric));
    this.#table.show(rowsOf(data.facts.objects));
  }

  picture(): Picture | null {
    const [data, { scale }] = [this.#data, this.#chart];
    if (!data || !scale) return null;
    return {
      name: 'heatmap-difference',
      width: this.#chart.size.width,
      parts: [
        {
          title: l10n.t('Difference of two runs by allocation and progress'),
          note: differenceWords(data, this.#metric, scale),
          height: pictureHeight,
          draw: (frame, style) => this.#chart.picture(frame, style),
        },
        {
          title: l10n.t('Scale'),
          note: l10n.t(
            '{0} per page and column, this run minus the run before; lines: less',
            unitWords(this.#metric, data.facts),
          ),
          height: 40,
          draw: (frame, style) => drawDifferenceScale({ ...frame, width: Math.min(frame.width, 320) }, style, scale),
        },
      ],
    };
  }

  async #pointAt({ object, location }: DifferenceObject, open: boolean): Promise<void> {
    if (open && location) this.#context.reveal(location);
    else if (open) this.#context.announce(l10n.t('no source line is known'));
    try {
      await this.#context.select({ focus: { kind: 'object', object } });
    } catch (error) {
      this.#context.failed(error);
    }
  }

  #columns(data: DifferenceData, metric: Metric): GridColumn<DifferenceObject>[] {
    const { columns } = data.facts;
    const unit = unitWords(metric, data.facts);
    const stretches = Math.min(mostStretches, columns);
    const ends = (i: number) =>
      [Math.floor((i * columns) / stretches), Math.floor(((i + 1) * columns) / stretches)] as const;
    const pages = (
      id: string,
      label: string,
      title: string,
      of: (object: DifferenceObject) => number,
    ): GridColumn<DifferenceObject> => ({
      ...{ id, label, title, width: 64, priority: 2, numeric: true },
      cell: object => whole(of(object)),
    });
    return [
      {
        ...{ id: 'object', label: l10n.t('Allocation'), width: 100, flexible: true, priority: 0 },
        title: l10n.t('Allocations of both runs, those with the greatest share of either first'),
        cell: ({ name }) => name,
        hint: ({ name }) => name,
      },
      pages('pages', l10n.t('Pages'), l10n.t('Pages that are mostly its own'), object => object.pages),
      pages(
        'was',
        l10n.t('Were'),
        l10n.t('Pages that were mostly its own in the run before'),
        object => object.pagesBefore,
      ),
      ...Array.from({ length: stretches }, (_, i): GridColumn<DifferenceObject> => {
        const [from, to] = ends(i);
        const [start, end] = data.stretch(from, to);
        return {
          ...{ id: `stretch-${i}`, label: start, width: tableColumnWidth, priority: 0, numeric: true },
          title: l10n.t('{0} per page from {1} to {2} of either run, this run minus the run before', unit, start, end),
          cell: object => {
            const { now, before } = data.meansOf(metric, object, from, to);
            return signed(now - before);
          },
          hint: object => differenceText(data.meansOf(metric, object, from, to), unit),
        };
      }),
    ];
  }
}
