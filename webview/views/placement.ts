/** Placement: which allocation belongs in which tier under the selected policy, and what that would cost. */
import type { AllocationDetail, PlacementFacts, Selection } from '../../core/protocol.js';
import { sparkline } from '../charts/sparkline.js';
import { el, setShare } from '../dom.js';
import { bytes, compact, counted, percent, times, whole } from '../format.js';
import { Grid, type GridColumn } from '../grid.js';
import { menuButton } from '../menu.js';
import { hotness, list, objectName, placeOf, section, sourceLink, splitBar } from '../parts.js';
import { onlyFocusChanged } from '../selection.js';
import type { PlacementChoice } from '../state.js';
import { dropdown, filterField } from '../toolkit.js';
import { windowText } from '../window.js';
import { column, greatest, type Numbers } from '../wire.js';
import type { View, ViewContext, ViewKind } from './view.js';

type Row = PlacementFacts['rows'][number];

export const placement: ViewKind = {
  id: 'placement',
  label: 'Placement',
  icon: 'layers',
  create: context => new PlacementView(context),
};

const accesses = ({ reads, writes }: Row) => reads + writes;
const traffic = ({ trafficReads, trafficWrites }: Row) => trafficReads + trafficWrites;

/** What the table's figures are of: words for the columns' tooltips. */
type Scope = Pick<PlacementFacts, 'counted' | 'window' | 'accesses' | 'compared'>;

/** Shown at first, as far as there is room; the others are in the menu. */
const usual = [
  'name',
  'tier',
  'hotness',
  'accesses',
  'before',
  'traffic',
  'bytes',
  'pages',
  'density',
  'blocks',
  'kind',
];

/** All columns, in their order; the smaller the priority, the longer one stays where the table is narrow. */
function columnsOf({ counted: unit, window, accesses: all, compared }: Scope): GridColumn<Row>[] {
  const when = windowText(window);
  const words = (
    id: string,
    label: string,
    title: string,
    width: number,
    priority: number,
    cell: (row: Row) => string,
  ): GridColumn<Row> => ({ id, label, title, width, priority, sortable: true, cell, text: cell });
  const figure = (
    id: string,
    label: string,
    title: string,
    priority: number,
    value: (row: Row) => number,
    more: Partial<GridColumn<Row>> = {},
  ): GridColumn<Row> => ({
    id,
    label,
    title,
    width: 80,
    priority,
    numeric: true,
    sortable: true,
    cell: row => compact(value(row)),
    hint: row => whole(value(row)),
    text: row => String(value(row)),
    ...more,
  });
  const ofSize = (value: (row: Row) => number): Partial<GridColumn<Row>> => ({
    unit: 'bytes',
    cell: row => bytes(value(row)),
    hint: row => `${whole(value(row))} bytes`,
  });
  const ofShare = (value: (row: Row) => number): Partial<GridColumn<Row>> => ({
    unit: 'share, 0 to 1',
    cell: row => percent(value(row)),
    hint: row => percent(value(row)),
  });
  const share = (row: Row) => (all > 0 ? accesses(row) / all : 0);
  const writeShare = (row: Row) => (accesses(row) > 0 ? row.writes / accesses(row) : 0);
  const columns: (GridColumn<Row> | null)[] = [
    {
      ...words(
        'name',
        'Allocation',
        'What the bytes belong to: an allocation site with all its blocks, a global, a stack, a mapping',
        100,
        0,
        row => row.name,
      ),
      flexible: true,
      cell: row => objectName(row.name),
      hint: row => (row.location ? `${row.name}\n${placeOf(row.location)}` : row.name),
    },
    words(
      'tier',
      'Tier',
      'Memory tier in which the selected policy puts it; mixed: split over tiers',
      62,
      1,
      row => row.tier || '—',
    ),
    {
      ...words('hotness', 'Class', `Class by ${unit} per page per modelled second, ${when}`, 70, 3, row => row.hotness),
      cell: row => hotness(row.hotness),
    },
    figure('accesses', 'Accesses', `Reads and writes: ${unit} in ${when}`, 2, accesses, {
      width: 96,
      unit: `${unit} in ${when}`,
      hint: row => `${whole(row.reads)} reads, ${whole(row.writes)} writes; ${percent(share(row))} of ${compact(all)}`,
    }),
    compared
      ? figure('before', 'Was', `${unit} in the run before, whole run`, 4, row => row.before ?? 0, {
          unit: `${unit} in the run before`,
          cell: row => (row.before === null ? 'new' : compact(row.before)),
          hint: row => (row.before === null ? 'no such allocation in the run before' : whole(row.before)),
          text: row => (row.before === null ? '' : String(row.before)),
        })
      : null,
    figure('share', 'Share', `Share of the ${compact(all)} ${unit} in ${when}`, 11, share, {
      width: 66,
      ...ofShare(share),
    }),
    figure('reads', 'Reads', `Reads: ${unit} in ${when}`, 12, row => row.reads, { unit: `${unit} in ${when}` }),
    figure('writes', 'Writes', `Writes: ${unit} in ${when}`, 13, row => row.writes, { unit: `${unit} in ${when}` }),
    figure('writeShare', 'Write share', `Share of writes in its ${unit}`, 14, writeShare, ofShare(writeShare)),
    figure(
      'traffic',
      'Traffic',
      `Cache lines of 64 bytes that miss the modelled last-level cache in ${when}: what its tier serves`,
      5,
      traffic,
      {
        unit: `cache lines in ${when}`,
        hint: row => `${whole(row.trafficReads)} fills, ${whole(row.trafficWrites)} write-backs`,
      },
    ),
    figure('trafficReads', 'Fills', `Cache lines read from memory in ${when}; modelled`, 15, row => row.trafficReads, {
      unit: `cache lines in ${when}`,
    }),
    figure(
      'trafficWrites',
      'Write-backs',
      `Dirty cache lines written to memory in ${when}; modelled`,
      16,
      row => row.trafficWrites,
      { width: 96, unit: `cache lines in ${when}` },
    ),
    figure(
      'bytes',
      'Size',
      'Bytes alive at once, at most',
      6,
      row => row.bytes,
      ofSize(row => row.bytes),
    ),
    figure(
      'touchedBytes',
      'Touched',
      'Bytes that it has in pages that were touched, whole run',
      17,
      row => row.touchedBytes,
      ofSize(row => row.touchedBytes),
    ),
    figure('pages', 'Pages', `Distinct pages touched in ${when}`, 7, row => row.pages, {
      width: 66,
      cell: row => whole(row.pages),
    }),
    figure(
      'density',
      'Density',
      'Share of the 64-byte lines of its touched pages that were used, whole run',
      8,
      row => row.density,
      { width: 72, ...ofShare(row => row.density) },
    ),
    figure('rate', 'Rate', `${unit} per touched page per modelled second in ${when}`, 18, row => row.perPagePerSecond, {
      unit: `${unit} per page per modelled second`,
    }),
    figure('blocks', 'Blocks', 'Blocks allocated in all', 9, row => row.blocks, {
      width: 66,
      cell: row => whole(row.blocks),
    }),
    words('kind', 'Kind', 'heap, global, stack, file, anonymous or unattributed', 90, 10, row => row.kind),
    {
      ...words('source', 'Source', 'File and line of the allocation or declaration', 140, 19, row =>
        row.location ? placeOf(row.location) : '—',
      ),
      cell: row => (row.location ? `${row.location.file.split('/').pop()}:${row.location.line}` : '—'),
      hint: row => (row.location ? placeOf(row.location) : 'no source line is known'),
    },
  ];
  return columns.filter(column => column !== null);
}

class PlacementView implements View {
  readonly element = el('div', { class: 'stack' });
  readonly #summary = el('div', { class: 'stack' });
  readonly #count = el('span', { class: 'note', role: 'status' });
  readonly #note = el('small', {});
  readonly #details = el('div', { class: 'details', hidden: true });
  readonly #assumptions = el('div', {});
  readonly #policy = dropdown('Policy', [], value => void this.#choose({ policy: value }));
  readonly #grid: Grid<Row>;
  #columns: readonly GridColumn<Row>[] = [];
  /** Whose details are shown: asked for once. */
  #detailed: Row | null = null;
  /** The selection that the rows were shown for. */
  #shown: Selection | null = null;
  #question = 0;

  constructor(readonly context: ViewContext) {
    this.#grid = new Grid<Row>({
      label: 'Allocations',
      columns: [],
      sort: sorting => this.#change(sorting),
      activate: row => row.location && context.reveal(row.location),
      focus: row => this.#point(row),
      failed: error => context.failed(error),
      copy: (text, rows) => {
        context.copy(text);
        context.announce(`${counted(rows, 'allocation')} copied`);
      },
    });
    const { filter } = context.state().placement;
    this.element.append(
      this.#summary,
      el(
        'section',
        { class: 'part' },
        el('h2', {}, 'Allocations', this.#note),
        el(
          'div',
          { class: 'toolbar' },
          filterField('Filter by name, file, function, kind, tier', filter, text => this.#change({ filter: text })),
          this.#count,
          el('span', { class: 'spring' }),
          menuButton({ label: 'Columns', icon: 'list-selection', items: () => this.#columnItems() }),
          menuButton({
            label: 'Copy',
            icon: 'copy',
            items: () => [
              { label: 'Copy selected rows', press: () => void this.#grid.copySelected() },
              { label: 'Copy all rows', press: () => void this.#grid.copyAll() },
            ],
          }),
        ),
        this.#grid.element,
        this.#details,
      ),
      this.#assumptions,
    );
  }

  async load(): Promise<void> {
    const question = ++this.#question;
    const selection = this.context.selection();
    const sameRows = onlyFocusChanged(this.#shown, selection);
    const facts = await this.#ask(0, 100);
    if (question !== this.#question) return;
    this.#shown = selection;
    if (sameRows) {
      await this.#showFocus(facts);
      return;
    }
    const { policy } = this.context.selection();
    this.#showSummary(facts, policy);
    this.#showRows(facts);
    this.#assumptions.replaceChildren(section('Assumptions of the cost model', null, list(facts.assumptions)));
  }

  async #ask(from: number, to: number): Promise<PlacementFacts> {
    const { sort, descending, filter } = this.context.state().placement;
    const data = await this.context.ask({ range: { y: [from, to] }, options: { sort, descending, filter } });
    return data.facts as PlacementFacts;
  }

  #change(change: Partial<PlacementChoice>): void {
    this.context.remember({ placement: { ...this.context.state().placement, ...change } });
    const question = ++this.#question;
    const selection = this.context.selection();
    // Whoever asks next, overtaking this, has to show the rows as well.
    this.#shown = null;
    this.#ask(0, 100).then(
      facts => {
        if (question !== this.#question) return;
        this.#shown = selection;
        this.#showRows(facts);
        if (facts.focus === null) this.#grid.scrollToTop();
      },
      error => this.context.failed(error),
    );
  }

  /** Columns in the order of the table, each on or off; the name stays. */
  #columnItems() {
    const { columns: chosen } = this.context.state().placement;
    const wanted = new Set(chosen ?? usual);
    const choose = (ids: readonly string[] | null) => {
      this.context.remember({ placement: { ...this.context.state().placement, columns: ids } });
      this.#setColumns();
    };
    return [
      ...this.#columns.map(({ id, label }) => ({
        label,
        checked: wanted.has(id),
        disabled: id === 'name',
        press: () => {
          const others = [...wanted].filter(other => other !== id);
          choose(wanted.has(id) ? others : [...others, id]);
        },
      })),
      { label: 'Usual columns', press: () => choose(null) },
    ];
  }

  #setColumns(): void {
    const wanted = new Set(this.context.state().placement.columns ?? usual);
    const shown = this.#columns.filter(({ id }) => id === 'name' || wanted.has(id));
    this.#grid.setColumns(shown);
  }

  async #choose(change: Parameters<ViewContext['select']>[0]): Promise<void> {
    try {
      await this.context.select(change);
    } catch (error) {
      this.context.failed(error);
    }
  }

  #showSummary({ tiers, policies, recommended }: PlacementFacts, policy: string): void {
    this.#policy.set(
      policy,
      policies.map(({ id }) => ({ value: id, label: id === recommended ? `${id} (recommended)` : id })),
    );
    const chosen = policies.find(({ id }) => id === policy);
    this.#summary.replaceChildren(
      el(
        'div',
        { class: 'toolbar' },
        el('span', { class: 'label', 'aria-hidden': 'true' }, 'Policy'),
        this.#policy.element,
      ),
      chosen
        ? el(
            'p',
            { class: 'headline' },
            el('strong', {}, times(chosen.slowdown)),
            ` modelled run time of everything in the fastest tier (range ${times(chosen.range[0])} to ${times(chosen.range[1])}); the fastest tier serves ${percent(chosen.fastTierHitRatio)} of the traffic, whole run.`,
          )
        : '',
      el('div', { class: 'tier-bars' }, ...tiers.map(tierBar)),
    );
  }

  #showRows(facts: PlacementFacts): void {
    const { sort, descending } = this.context.state().placement;
    this.#count.textContent =
      facts.total === facts.objects
        ? counted(facts.objects, 'allocation')
        : `${whole(facts.total)} of ${counted(facts.objects, 'allocation')}`;
    this.#note.textContent = `${facts.counted} in ${windowText(facts.window)}; Enter goes to the source`;
    this.#columns = columnsOf(facts);
    this.#setColumns();
    this.#grid.show(
      {
        total: facts.total,
        fetch: (from, to) => (from === facts.from ? facts.rows : this.#ask(from, to).then(({ rows }) => rows)),
      },
      { sort, descending },
    );
    void this.#showFocus(facts);
  }

  /** Details of the row that is pointed at here or elsewhere, which may lie beyond the rows at hand. */
  async #showFocus(facts: PlacementFacts): Promise<void> {
    const { focus } = facts;
    if (focus === null) {
      this.#detailed = null;
      this.#details.hidden = true;
      return;
    }
    this.#grid.select(focus);
    const question = this.#question;
    try {
      const row = facts.rows[focus - facts.from] ?? (await this.#ask(focus, focus + 1)).rows[0];
      if (row && question === this.#question) await this.#detail(row);
    } catch (error) {
      this.context.failed(error);
    }
  }

  /** The row for this view and for all others. */
  #point(row: Row): void {
    const { focus } = this.context.selection();
    if (focus?.kind === 'object' && focus.object === row.object) void this.#detail(row);
    else void this.#choose({ focus: { kind: 'object', object: row.object } });
  }

  /** All figures of the row, those that have no column at this width too; then what only core knows. */
  async #detail(row: Row): Promise<void> {
    this.#detailed = row;
    const data = await this.context.ask({ range: { y: [0, 1] }, options: { object: row.object } });
    const facts = data.facts as PlacementFacts;
    // Another row may have been chosen meanwhile.
    if (this.#detailed !== row || !facts.detail) return;
    this.#details.hidden = false;
    const history = column(data.columns.history!);
    this.#details.replaceChildren(...detailOf(row, facts, facts.detail, history, this.context));
  }
}

function detailOf(
  row: Row,
  facts: PlacementFacts,
  { stack, users, usersInAll, epochsPerBin }: AllocationDetail,
  history: Numbers,
  { reveal }: ViewContext,
): HTMLElement[] {
  const when = windowText(facts.window);
  const figures: [string, string][] = [
    ['Kind', row.kind],
    ['Tier', row.tier || '—'],
    ['Class', row.hotness],
    ['Size', `${bytes(row.bytes)} at most, in ${counted(row.blocks, 'block')}`],
    ['Pages', `${whole(row.pages)} touched, ${percent(row.density)} of their lines used`],
    ['Accesses', `${whole(row.reads)} reads, ${whole(row.writes)} writes`],
    [
      'Share',
      `${percent(facts.accesses > 0 ? accesses(row) / facts.accesses : 0)} of ${compact(facts.accesses)} ${facts.counted} in ${when}`,
    ],
    ...(facts.compared
      ? [
          ['Was', row.before === null ? 'not in the run before' : `${whole(row.before)} ${facts.counted}`] as [
            string,
            string,
          ],
        ]
      : []),
    ['Traffic', `${whole(row.trafficReads)} fills, ${whole(row.trafficWrites)} write-backs of 64 B`],
  ];
  const each = epochsPerBin === 1 ? 'epoch' : `${whole(epochsPerBin)} epochs`;
  const most = greatest(history);
  return [
    el('h3', {}, sourceLink(row.name, row.location, reveal)),
    splitBar(row.reads, row.writes),
    el('dl', {}, ...figures.flatMap(([term, text]) => [el('dt', {}, term), el('dd', {}, text)])),
    el('h4', {}, `Over time: ${facts.counted} to its pages, whole run; ${compact(most)} in the busiest ${each}`),
    sparkline(history, most),
    ...(users.length > 0
      ? [
          el(
            'h4',
            {},
            `Used by, whole run${usersInAll > users.length ? `: the first ${whole(users.length)} of ${counted(usersInAll, 'line')}` : ''}`,
          ),
          el(
            'ol',
            { class: 'users' },
            ...users.map(user =>
              el(
                'li',
                {},
                sourceLink(user.label, user.location, reveal),
                el(
                  'span',
                  { class: 'note' },
                  ` ${compact(user.reads)} reads, ${compact(user.writes)} writes, ${compact(user.traffic)} cache lines`,
                ),
              ),
            ),
          ),
        ]
      : []),
    ...(stack.length > 0
      ? [el('h4', {}, 'Allocated by'), el('ol', { class: 'frames' }, ...stack.map(frame => el('li', {}, frame)))]
      : []),
  ];
}

function tierBar(tier: PlacementFacts['tiers'][number]): HTMLElement {
  const share = tier.capacityBytes > 0 ? tier.usedBytes / tier.capacityBytes : 0;
  return el(
    'div',
    { class: 'tier-bar', title: `${whole(tier.usedBytes)} of ${whole(tier.capacityBytes)} bytes` },
    el(
      'div',
      { class: 'tier-top' },
      el('strong', {}, tier.name),
      el('span', {}, `${bytes(tier.usedBytes)} of ${bytes(tier.capacityBytes)} used (${percent(share)})`),
    ),
    setShare(el('div', { class: 'share-bar tier-fill', 'aria-hidden': 'true' }, el('span', {})), share),
    el('p', { class: 'note' }, `${tier.readLatencyNs} ns a load, ${tier.writeLatencyNs} ns a store, idle`),
  );
}
