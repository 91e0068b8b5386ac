/** Trackers: what each mechanism found of the truly hottest pages, and what it would cost. */

import type { TrackersFacts } from '../../core/protocol.js';
import { changeText } from '../change.js';
import { el, icon } from '../dom.js';
import { bytes, noValue, percentValue, score, whole } from '../format.js';
import { Grid, type GridColumn, rowsOf, sortedBy } from '../grid.js';
import * as l10n from '../l10n.js';
import { section, shareBar } from '../parts.js';
import { button } from '../toolkit.js';
import type { View, ViewContext, ViewKind } from './view.js';

type Row = TrackersFacts['rows'][number] & { readonly chosen: boolean };
type Score = 'precision' | 'recall' | 'f1' | 'rankCorrelation' | 'workingSetError';

export const trackers: ViewKind = {
  id: 'trackers',
  label: l10n.t('Trackers'),
  icon: 'eye',
  create: context => new TrackersView(context),
};

/** Fewer completed periods than this say little (design, section 2: modelled time). */
const enoughPeriods = 10;

/** Why a mechanism has no value there: it is never an invented number. */
const reasons: Readonly<Record<Score, string>> = {
  precision: l10n.t('No value: it names no pages, or reported none.'),
  recall: l10n.t('No value: it names no pages, or reported none.'),
  f1: l10n.t('No value: it names no pages, or reported none.'),
  rankCorrelation: l10n.t('No value: it names no pages, or all that it reported rank equal.'),
  workingSetError: l10n.t('No value: it names no pages, or reported none.'),
};

function scoreColumn(id: Score, label: string, title: string, priority: number, width = 84): GridColumn<Row> {
  return {
    id,
    label,
    title,
    width,
    priority,
    numeric: true,
    sortable: true,
    cell: row => {
      const value = row[id];
      return value === null ? noValue : score(value);
    },
    hint: row => (row[id] === null ? reasons[id] : title),
  };
}

const columns: readonly GridColumn<Row>[] = [
  {
    id: 'label',
    label: l10n.t('Tracker'),
    title: l10n.t('Access-tracking mechanism; its row says what it needs on a real machine'),
    width: 110,
    flexible: true,
    priority: 0,
    sortable: true,
    cell: row => row.label,
    hint: row => l10n.t('{0}\nneeds {1}', row.label, row.needs),
  },
  {
    id: 'seen',
    label: l10n.t('Seen'),
    title: l10n.t('Whether everything is shown as this tracker sees the run; Enter on a row chooses it'),
    width: 74,
    priority: 0,
    cell: row => (row.chosen ? el('span', {}, icon('eye'), ' ', l10n.t('now')) : row.blind ? noValue : ''),
    hint: row =>
      row.chosen
        ? l10n.t('Everything is shown as it sees the run')
        : (row.blind ?? l10n.t('Enter shows everything so')),
  },
  scoreColumn('f1', 'F1', l10n.t('Harmonic mean of precision and recall, 0 to 1'), 1, 62),
  {
    id: 'overheadPercent',
    label: l10n.t('Overhead'),
    title: l10n.t('Modelled cost to the run, per cent of its modelled time'),
    width: 82,
    priority: 2,
    numeric: true,
    sortable: true,
    cell: row => percentValue(row.overheadPercent),
  },
  scoreColumn('precision', l10n.t('Precision'), l10n.t('Share of its top pages that are truly hottest, 0 to 1'), 3),
  scoreColumn(
    'recall',
    l10n.t('Recall'),
    l10n.t('Share of the truly hottest pages among its top pages, 0 to 1'),
    4,
    70,
  ),
  {
    id: 'pagesReported',
    label: l10n.t('Pages'),
    title: l10n.t('Pages that it reported'),
    width: 66,
    priority: 5,
    numeric: true,
    sortable: true,
    cell: row => (row.pagesReported === null ? noValue : whole(row.pagesReported)),
    hint: row =>
      row.pagesReported === null ? l10n.t('No value: the mechanism gives no page identity, or reported nothing.') : '',
  },
  scoreColumn(
    'rankCorrelation',
    l10n.t('Rank corr.'),
    l10n.t('Spearman rank correlation with the exact counts, -1 to 1'),
    6,
    92,
  ),
  {
    id: 'workingSetError',
    label: l10n.t('WS error'),
    title: l10n.t('Relative error of the working-set size; 0 % is right'),
    width: 84,
    priority: 7,
    numeric: true,
    sortable: true,
    cell: row => (row.workingSetError === null ? noValue : percentValue(row.workingSetError * 100)),
  },
  {
    id: 'vmExits',
    label: l10n.t('VM exits'),
    title: l10n.t('Exits to the hypervisor that the mechanism causes, whole run'),
    width: 78,
    priority: 8,
    numeric: true,
    sortable: true,
    cell: row => whole(row.vmExits),
  },
  {
    id: 'memoryBytes',
    label: l10n.t('Memory'),
    title: l10n.t('Modelled memory that the mechanism needs at most: logs, bitmaps, sketches; page tables apart'),
    width: 82,
    priority: 9,
    numeric: true,
    sortable: true,
    cell: row => (row.memoryBytes === null ? noValue : bytes(row.memoryBytes)),
    hint: row =>
      row.memoryBytes === null ? l10n.t('No value: the profile was saved by a version that did not say.') : '',
  },
  {
    id: 'periods',
    label: l10n.t('Periods'),
    title: l10n.t('Completed periods on modelled time; fewer than {0} are too short to judge by', enoughPeriods),
    width: 112,
    priority: 10,
    numeric: true,
    sortable: true,
    cell: periods,
    hint: row => (row.periods === null ? l10n.t('No value: the mechanism has no period.') : ''),
  },
];

function periods(row: Row): string {
  if (row.periods === null) return noValue;
  return row.periods < enoughPeriods ? l10n.t('{0} (too short)', row.periods) : whole(row.periods);
}

/** Values that a column sorts by, `null` last. */
function sortValue(row: Row, id: string): number | string | null {
  if (id === 'label') return row.label;
  const value = row[id as Score | 'vmExits' | 'overheadPercent' | 'memoryBytes' | 'pagesReported' | 'periods'];
  return value ?? null;
}

class TrackersView implements View {
  readonly element = el('div', { class: 'stack' });
  /** In place of all else, where there is no tracker. */
  readonly #none = el('p', { class: 'note', role: 'status', hidden: true });
  readonly #table: HTMLElement;
  readonly #each: HTMLElement;
  readonly #cards = el('div', { class: 'cards' });
  readonly #grid: Grid<Row>;
  #rows: readonly Row[] = [];

  constructor(readonly context: ViewContext) {
    this.#grid = new Grid<Row>({
      label: l10n.t('Trackers'),
      columns,
      sort: sorting => {
        context.remember({ trackers: sorting });
        this.#show();
      },
      activate: row => void this.#choose(row),
    });
    // All of them, to be compared at one look.
    this.#grid.element.style.setProperty('--most-rows', '24');
    this.#table = el(
      'section',
      { class: 'part' },
      el('h2', {}, l10n.t('Trackers'), el('small', {}, l10n.t('against the exact counts'))),
      el(
        'p',
        { class: 'note' },
        l10n.t(
          'Truth is the tenth of the touched pages with the most accesses, unless set otherwise; each tracker is judged by as many of its own top pages, over the whole run. Overhead and memory are modelled. Where a run is shorter than the periods of a mechanism, the setting Pagelens: Time Scale stretches its time. Enter on a row shows the source and every view as that tracker sees the run.',
        ),
      ),
      this.#grid.element,
    );
    this.#each = section(
      l10n.t('Each tracker'),
      l10n.t('scores as bars, cost, and what a real machine needs for it'),
      this.#cards,
    );
    this.element.append(this.#none, this.#table, this.#each);
  }

  async load(): Promise<void> {
    const { facts } = await this.context.ask({});
    const { rows, chosen, none } = facts as TrackersFacts;
    this.#none.textContent = none ?? '';
    this.#none.hidden = none === null;
    for (const part of [this.#table, this.#each]) part.hidden = none !== null;
    this.#rows = rows.map(row => ({ ...row, chosen: row.id === chosen }));
    this.#show();
  }

  /** A second time shows the exact counts again. */
  async #choose(row: Row): Promise<void> {
    if (row.blind) {
      this.context.announce(row.blind);
      return;
    }
    try {
      await this.context.select({ tracker: row.chosen ? 'exact' : row.id });
      this.context.announce(
        row.chosen ? l10n.t('Exact counts are shown') : l10n.t('Everything is shown as {0} sees it', row.label),
      );
    } catch (error) {
      this.context.failed(error);
    }
  }

  #show(): void {
    const { sort, descending } = this.context.state().trackers;
    const known = columns.some(column => column.id === sort);
    // As the table of trackers has them, the exact counts first, until the user sorts.
    const rows = known ? sortedBy(this.#rows, row => sortValue(row, sort), descending) : this.#rows;
    this.#grid.show(rowsOf(rows), { sort: known ? sort : '', descending });
    this.#cards.replaceChildren(...rows.map(row => card(row, () => void this.#choose(row))));
  }
}

/** All figures of a tracker, those without a column at this width too; a score that it has not, with the reason. */
function card(row: Row, choose: () => void): HTMLElement {
  const bar = (id: Score, label: string) => [
    el('dt', {}, label),
    row[id] === null
      ? el('dd', {}, `${noValue} ${reasons[id]}`)
      : el('dd', { class: 'bar-figure' }, shareBar(Math.abs(row[id])), score(row[id])),
  ];
  return el(
    'div',
    { class: 'details' },
    el('h3', {}, row.label),
    el(
      'dl',
      {},
      ...bar('f1', 'F1'),
      ...bar('precision', l10n.t('Precision')),
      ...bar('recall', l10n.t('Recall')),
      ...bar('rankCorrelation', l10n.t('Rank correlation')),
      el('dt', {}, l10n.t('Pages reported')),
      el('dd', {}, row.pagesReported === null ? noValue : whole(row.pagesReported)),
      el('dt', {}, l10n.t('Working-set error')),
      el('dd', {}, row.workingSetError === null ? noValue : percentValue(row.workingSetError * 100)),
      el('dt', {}, l10n.t('Cost')),
      el('dd', {}, cost(row)),
      el('dt', {}, l10n.t('Periods')),
      el('dd', {}, row.periods === null ? l10n.t('it has none') : periods(row)),
      el('dt', {}, l10n.t('Needs')),
      el('dd', {}, row.needs || l10n.t('not known to this version')),
      ...agreement(row),
      ...warnings(row),
      ...change(row),
    ),
    chooser(row, choose),
  );
}

function cost({ overheadPercent, vmExits, memoryBytes }: Row): string {
  const time = percentValue(overheadPercent);
  const exits = l10n.plural(vmExits, '{0} VM exit', '{0} VM exits');
  return memoryBytes === null
    ? l10n.t('{0} of modelled time, {1}', time, exits)
    : l10n.t('{0} of modelled time, {1}, {2} of memory', time, exits, bytes(memoryBytes));
}

/** Of the hottest pages: found and missed, and what it took for hot. The heatmap shows which. */
function agreement({ agreement: agreed }: Row): HTMLElement[] {
  if (!agreed) return [];
  return [
    el('dt', {}, l10n.t('Agreement')),
    el(
      'dd',
      {},
      l10n.t(
        'of {0} it found {1} and missed {2}; {3} of its own are not among them',
        l10n.plural(agreed.k, '{0} truly hottest page', '{0} truly hottest pages'),
        whole(agreed.found),
        whole(agreed.missed),
        whole(agreed.falsely),
      ),
    ),
  ];
}

function warnings({ warnings: told }: Row): HTMLElement[] {
  if (told.length === 0) return [];
  const notes = told.map(text => el('div', {}, icon('warning'), ` ${text}`));
  return [el('dt', {}, l10n.t('Note')), el('dd', {}, ...notes)];
}

function change({ before, f1, overheadPercent }: Row): HTMLElement[] {
  if (!before) return [];
  const cost = changeText(before.overheadPercent, overheadPercent) ?? l10n.t('from none');
  const was = (value: number | null) => (value === null ? noValue : score(value));
  return [
    el('dt', {}, l10n.t('Run before')),
    el(
      'dd',
      {},
      l10n.t(
        'F1 {0}, now {1}; overhead {2} ({3} since)',
        was(before.f1),
        was(f1),
        percentValue(before.overheadPercent),
        cost,
      ),
    ),
  ];
}

function chooser(row: Row, choose: () => void): HTMLElement {
  if (row.blind) return el('p', { class: 'note' }, row.blind);
  const exact = row.id === 'exact';
  const label = row.chosen
    ? exact
      ? l10n.t('Exact counts are shown')
      : 'Show the exact counts again'
    : exact
      ? l10n.t('Show the exact counts')
      : l10n.t('Show the run as {0} sees it', row.label);
  if (row.chosen && exact) return el('p', { class: 'note' }, icon('eye'), ` ${label}`);
  return el(
    'div',
    { class: 'buttons' },
    button({ label, icon: row.chosen ? 'close' : 'eye', appearance: 'secondary', press: choose }),
  );
}
