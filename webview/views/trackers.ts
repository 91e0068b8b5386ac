/** Trackers: what each mechanism found of the truly hottest pages, and what it would cost. */
import type { TrackersFacts } from '../../core/protocol.js';
import { changeText } from '../change.js';
import { el, icon } from '../dom.js';
import { counted, noValue, percentValue, score, whole } from '../format.js';
import { Grid, type GridColumn, rowsOf, sortedBy } from '../grid.js';
import { section, shareBar } from '../parts.js';
import { button } from '../toolkit.js';
import type { View, ViewContext, ViewKind } from './view.js';

type Row = TrackersFacts['rows'][number] & { readonly chosen: boolean };
type Score = 'precision' | 'recall' | 'f1' | 'rankCorrelation' | 'workingSetError';

export const trackers: ViewKind = {
  id: 'trackers',
  label: 'Trackers',
  icon: 'eye',
  create: context => new TrackersView(context),
};

/** Fewer completed periods than this say little (design, section 2: modelled time). */
const enoughPeriods = 10;

/** Why a mechanism has no value there: it is never an invented number. */
const reasons: Readonly<Record<Score, string>> = {
  precision: 'No value: it names no pages, or reported none.',
  recall: 'No value: it names no pages, or reported none.',
  f1: 'No value: it names no pages, or reported none.',
  rankCorrelation: 'No value: it names no pages, or all that it reported rank equal.',
  workingSetError: 'No value: it names no pages, or reported none.',
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
    label: 'Tracker',
    title: 'Access-tracking mechanism; its row says what it needs on a real machine',
    width: 110,
    flexible: true,
    priority: 0,
    sortable: true,
    cell: row => row.label,
    hint: row => `${row.label}\nneeds ${row.needs}`,
  },
  {
    id: 'seen',
    label: 'Seen',
    title: 'Whether everything is shown as this tracker sees the run; Enter on a row chooses it',
    width: 74,
    priority: 0,
    cell: row => (row.chosen ? el('span', {}, icon('eye'), ' now') : row.blind ? noValue : ''),
    hint: row => (row.chosen ? 'Everything is shown as it sees the run' : (row.blind ?? 'Enter shows everything so')),
  },
  scoreColumn('f1', 'F1', 'Harmonic mean of precision and recall, 0 to 1', 1, 62),
  {
    id: 'overheadPercent',
    label: 'Overhead',
    title: 'Modelled cost to the run, per cent of its modelled time',
    width: 82,
    priority: 2,
    numeric: true,
    sortable: true,
    cell: row => percentValue(row.overheadPercent),
  },
  scoreColumn('precision', 'Precision', 'Share of its top pages that are truly hottest, 0 to 1', 3),
  scoreColumn('recall', 'Recall', 'Share of the truly hottest pages among its top pages, 0 to 1', 4, 70),
  {
    id: 'pagesReported',
    label: 'Pages',
    title: 'Pages that it reported',
    width: 66,
    priority: 5,
    numeric: true,
    sortable: true,
    cell: row => (row.pagesReported === null ? noValue : whole(row.pagesReported)),
    hint: row =>
      row.pagesReported === null ? 'No value: the mechanism gives no page identity, or reported nothing.' : '',
  },
  scoreColumn('rankCorrelation', 'Rank corr.', 'Spearman rank correlation with the exact counts, -1 to 1', 6, 92),
  scoreColumn('workingSetError', 'WS error', 'Relative error of the working-set size; 0 is right', 7, 84),
  {
    id: 'vmExits',
    label: 'VM exits',
    title: 'Exits to the hypervisor that the mechanism causes, whole run',
    width: 78,
    priority: 8,
    numeric: true,
    sortable: true,
    cell: row => whole(row.vmExits),
  },
  {
    id: 'periods',
    label: 'Periods',
    title: `Completed periods on modelled time; fewer than ${enoughPeriods} are too short to judge by`,
    width: 112,
    priority: 9,
    numeric: true,
    sortable: true,
    cell: periods,
    hint: row => (row.periods === null ? 'No value: the mechanism has no period.' : ''),
  },
];

function periods(row: Row): string {
  if (row.periods === null) return noValue;
  return row.periods < enoughPeriods ? `${row.periods} (too short)` : whole(row.periods);
}

/** Values that a column sorts by, `null` last. */
function sortValue(row: Row, id: string): number | string | null {
  if (id === 'label') return row.label;
  const value = row[id as Score | 'vmExits' | 'overheadPercent' | 'pagesReported' | 'periods'];
  return value ?? null;
}

class TrackersView implements View {
  readonly element = el('div', { class: 'stack' });
  readonly #cards = el('div', { class: 'cards' });
  readonly #grid: Grid<Row>;
  #rows: readonly Row[] = [];

  constructor(readonly context: ViewContext) {
    this.#grid = new Grid<Row>({
      label: 'Trackers',
      columns,
      sort: sorting => {
        context.remember({ trackers: sorting });
        this.#show();
      },
      activate: row => void this.#choose(row),
    });
    this.element.append(
      el(
        'section',
        { class: 'part' },
        el('h2', {}, 'Trackers', el('small', {}, 'against the exact counts')),
        el(
          'p',
          { class: 'note' },
          'Truth is the tenth of the touched pages with the most accesses, unless set otherwise; each tracker is judged by as many of its own top pages, over the whole run. Overhead is modelled. Enter on a row shows the source and every view as that tracker sees the run.',
        ),
        this.#grid.element,
      ),
      section('Each tracker', 'scores as bars, cost, and what a real machine needs for it', this.#cards),
    );
  }

  async load(): Promise<void> {
    const { facts } = await this.context.ask({});
    const { rows, chosen } = facts as TrackersFacts;
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
      this.context.announce(row.chosen ? 'Exact counts are shown' : `Everything is shown as ${row.label} sees it`);
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
      ...bar('precision', 'Precision'),
      ...bar('recall', 'Recall'),
      ...bar('rankCorrelation', 'Rank correlation'),
      el('dt', {}, 'Pages reported'),
      el('dd', {}, row.pagesReported === null ? noValue : whole(row.pagesReported)),
      el('dt', {}, 'Working-set error'),
      el('dd', {}, row.workingSetError === null ? noValue : percentValue(row.workingSetError * 100)),
      el('dt', {}, 'Cost'),
      el('dd', {}, `${percentValue(row.overheadPercent)} of modelled time, ${counted(row.vmExits, 'VM exit')}`),
      el('dt', {}, 'Periods'),
      el('dd', {}, row.periods === null ? 'it has none' : periods(row)),
      el('dt', {}, 'Needs'),
      el('dd', {}, row.needs || 'not known to this version'),
      ...agreement(row),
      ...change(row),
    ),
    chooser(row, choose),
  );
}

/** Of the hottest pages: found and missed, and what it took for hot. The heatmap shows which. */
function agreement({ agreement: agreed }: Row): HTMLElement[] {
  if (!agreed) return [];
  return [
    el('dt', {}, 'Agreement'),
    el(
      'dd',
      {},
      `of ${counted(agreed.k, 'truly hottest page')} it found ${whole(agreed.found)} and missed ${whole(agreed.missed)}; ${whole(agreed.falsely)} of its own are not among them`,
    ),
  ];
}

function change({ before, f1, overheadPercent }: Row): HTMLElement[] {
  if (!before) return [];
  const cost = changeText(before.overheadPercent, overheadPercent) ?? 'from none';
  const was = (value: number | null) => (value === null ? noValue : score(value));
  return [
    el('dt', {}, 'Run before'),
    el(
      'dd',
      {},
      `F1 ${was(before.f1)}, now ${was(f1)}; overhead ${percentValue(before.overheadPercent)} (${cost} since)`,
    ),
  ];
}

function chooser(row: Row, choose: () => void): HTMLElement {
  if (row.blind) return el('p', { class: 'note' }, row.blind);
  const exact = row.id === 'exact';
  const label = row.chosen
    ? exact
      ? 'Exact counts are shown'
      : 'Show the exact counts again'
    : exact
      ? 'Show the exact counts'
      : `Show the run as ${row.label} sees it`;
  if (row.chosen && exact) return el('p', { class: 'note' }, icon('eye'), ` ${label}`);
  return el(
    'div',
    { class: 'buttons' },
    button({ label, icon: row.chosen ? 'close' : 'eye', appearance: 'secondary', press: choose }),
  );
}
