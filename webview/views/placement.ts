/** Placement: which allocation belongs in which tier under the selected policy, and what that would cost. */

import { word } from '../../core/model/words.js';
import type { AllocationDetail, PlacementFacts, Selection } from '../../core/protocol.js';
import { CapacitySection } from '../capacityCurve.js';
import { sparkline } from '../charts/sparkline.js';
import { el, setShare } from '../dom.js';
import { bytes, compact, percent, times, whole } from '../format.js';
import { Grid, type GridColumn } from '../grid.js';
import * as l10n from '../l10n.js';
import { menuButton } from '../menu.js';
import { hotness, list, objectName, placeOf, section, sourceLink, splitBar } from '../parts.js';
import { onlyFocusChanged } from '../selection.js';
import type { PlacementChoice } from '../state.js';
import { dropdown, filterField } from '../toolkit.js';
import { WhatIf } from '../whatIf.js';
import { windowText } from '../window.js';
import { column, greatest, type Numbers } from '../wire.js';
import type { View, ViewContext, ViewKind } from './view.js';

type Row = PlacementFacts['rows'][number];

export const placement: ViewKind = {
  id: 'placement',
  label: l10n.t('Placement'),
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
/** What belongs to no object has no name of its own. */
const nameOf = ({ kind, name }: Row): string => (kind === 'unattributed' ? word(kind) : name);

function columnsOf({ counted, window, accesses: all, compared }: Scope): GridColumn<Row>[] {
  const unit = word(counted);
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
    hint: row => l10n.t('{0} bytes', whole(value(row))),
  });
  const ofShare = (value: (row: Row) => number): Partial<GridColumn<Row>> => ({
    unit: l10n.t('share, 0 to 1'),
    cell: row => percent(value(row)),
    hint: row => percent(value(row)),
  });
  const share = (row: Row) => (all > 0 ? accesses(row) / all : 0);
  const writeShare = (row: Row) => (accesses(row) > 0 ? row.writes / accesses(row) : 0);
  const columns: (GridColumn<Row> | null)[] = [
    {
      ...words(
        'name',
        l10n.t('Allocation'),
        l10n.t('What the bytes belong to: an allocation site with all its blocks, a global, a stack, a mapping'),
        100,
        0,
        nameOf,
      ),
      flexible: true,
      cell: row => objectName(nameOf(row)),
      hint: row => (row.location ? `${nameOf(row)}\n${placeOf(row.location)}` : nameOf(row)),
    },
    words(
      'tier',
      l10n.t('Tier'),
      l10n.t('Memory tier in which the selected policy puts it; mixed: split over tiers'),
      62,
      1,
      row => word(row.tier) || '—',
    ),
    {
      ...words(
        'hotness',
        l10n.t('Class'),
        l10n.t('Class by {0} per page per modelled second, {1}', unit, when),
        70,
        3,
        row => row.hotness,
      ),
      cell: row => hotness(row.hotness),
    },
    figure('accesses', l10n.t('Accesses'), l10n.t('Reads and writes: {0} in {1}', unit, when), 2, accesses, {
      width: 96,
      unit: l10n.t('{0} in {1}', unit, when),
      hint: row =>
        l10n.t(
          '{0} reads, {1} writes; {2} of {3}',
          whole(row.reads),
          whole(row.writes),
          percent(share(row)),
          compact(all),
        ),
    }),
    compared
      ? figure('before', l10n.t('Was'), l10n.t('{0} in the run before, whole run', unit), 4, row => row.before ?? 0, {
          unit: l10n.t('{0} in the run before', unit),
          cell: row => (row.before === null ? 'new' : compact(row.before)),
          hint: row => (row.before === null ? l10n.t('no such allocation in the run before') : whole(row.before)),
          text: row => (row.before === null ? '' : String(row.before)),
        })
      : null,
    figure('share', l10n.t('Share'), l10n.t('Share of the {0} {1} in {2}', compact(all), unit, when), 11, share, {
      width: 66,
      ...ofShare(share),
    }),
    figure('reads', l10n.t('Reads'), l10n.t('Reads: {0} in {1}', unit, when), 12, row => row.reads, {
      unit: l10n.t('{0} in {1}', unit, when),
    }),
    figure('writes', l10n.t('Writes'), l10n.t('Writes: {0} in {1}', unit, when), 13, row => row.writes, {
      unit: l10n.t('{0} in {1}', unit, when),
    }),
    figure(
      'writeShare',
      l10n.t('Write share'),
      l10n.t('Share of writes in its {0}', unit),
      14,
      writeShare,
      ofShare(writeShare),
    ),
    figure(
      'traffic',
      l10n.t('Traffic'),
      l10n.t('Cache lines of 64 bytes that miss the modelled last-level cache in {0}: what its tier serves', when),
      5,
      traffic,
      {
        unit: l10n.t('cache lines in {0}', when),
        hint: row => l10n.t('{0} fills, {1} write-backs', whole(row.trafficReads), whole(row.trafficWrites)),
      },
    ),
    figure(
      'trafficReads',
      l10n.t('Fills'),
      l10n.t('Cache lines read from memory in {0}; modelled', when),
      15,
      row => row.trafficReads,
      {
        unit: l10n.t('cache lines in {0}', when),
      },
    ),
    figure(
      'trafficWrites',
      l10n.t('Write-backs'),
      l10n.t('Dirty cache lines written to memory in {0}; modelled', when),
      16,
      row => row.trafficWrites,
      { width: 96, unit: l10n.t('cache lines in {0}', when) },
    ),
    figure(
      'bytes',
      l10n.t('Size'),
      l10n.t('Bytes alive at once, at most'),
      6,
      row => row.bytes,
      ofSize(row => row.bytes),
    ),
    figure(
      'touchedBytes',
      l10n.t('Touched'),
      l10n.t('Bytes that it has in pages that were touched, whole run'),
      17,
      row => row.touchedBytes,
      ofSize(row => row.touchedBytes),
    ),
    figure('pages', l10n.t('Pages'), l10n.t('Distinct pages touched in {0}', when), 7, row => row.pages, {
      width: 66,
      cell: row => whole(row.pages),
    }),
    figure(
      'density',
      l10n.t('Density'),
      l10n.t('Share of the 64-byte lines of its touched pages that were used, whole run'),
      8,
      row => row.density,
      { width: 72, ...ofShare(row => row.density) },
    ),
    figure(
      'rate',
      l10n.t('Rate'),
      l10n.t('{0} per touched page per modelled second in {1}', unit, when),
      18,
      row => row.perPagePerSecond,
      {
        unit: l10n.t('{0} per page per modelled second', unit),
      },
    ),
    figure('blocks', l10n.t('Blocks'), l10n.t('Blocks allocated in all'), 9, row => row.blocks, {
      width: 66,
      cell: row => whole(row.blocks),
    }),
    words('kind', l10n.t('Kind'), l10n.t('heap, global, stack, file, anonymous or unattributed'), 90, 10, row =>
      word(row.kind),
    ),
    {
      ...words('source', l10n.t('Source'), l10n.t('File and line of the allocation or declaration'), 140, 19, row =>
        row.location ? placeOf(row.location) : '—',
      ),
      cell: row => (row.location ? `${row.location.file.split('/').pop()}:${row.location.line}` : '—'),
      hint: row => (row.location ? placeOf(row.location) : l10n.t('no source line is known')),
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
  readonly #capacity = new CapacitySection();
  readonly #whatIf: WhatIf;
  readonly #assumptions = el('div', {});
  readonly #policy = dropdown(l10n.t('Policy'), [], value => void this.#choose({ policy: value }));
  readonly #grid: Grid<Row>;
  #columns: readonly GridColumn<Row>[] = [];
  /** Whose details are shown: asked for once. */
  #detailed: Row | null = null;
  /** The selection that the rows were shown for. */
  #shown: Selection | null = null;
  #question = 0;

  constructor(readonly context: ViewContext) {
    this.#whatIf = new WhatIf(context.select, error => context.failed(error));
    this.#grid = new Grid<Row>({
      label: l10n.t('Allocations'),
      columns: [],
      sort: sorting => this.#change(sorting),
      activate: row => row.location && context.reveal(row.location),
      focus: row => this.#point(row),
      failed: error => context.failed(error),
      copy: (text, rows) => {
        context.copy(text);
        context.announce(l10n.t('{0} copied', l10n.plural(rows, '{0} allocation', '{0} allocations')));
      },
    });
    const { filter } = context.state().placement;
    this.element.append(
      this.#summary,
      el(
        'section',
        { class: 'part' },
        el('h2', {}, l10n.t('Allocations'), this.#note),
        el(
          'div',
          { class: 'toolbar' },
          filterField(l10n.t('Filter by name, file, function, kind, tier'), filter, text =>
            this.#change({ filter: text }),
          ),
          this.#count,
          el('span', { class: 'spring' }),
          menuButton({ label: l10n.t('Columns'), icon: 'list-selection', items: () => this.#columnItems() }),
          menuButton({
            label: l10n.t('Copy'),
            icon: 'copy',
            items: () => [
              { label: l10n.t('Copy selected rows'), press: () => void this.#grid.copySelected() },
              { label: l10n.t('Copy all rows'), press: () => void this.#grid.copyAll() },
            ],
          }),
        ),
        this.#grid.element,
        this.#details,
      ),
      this.#whatIf.element,
      this.#capacity.element,
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
    this.#capacity.show(facts);
    this.#whatIf.show(facts, selection);
    this.#assumptions.replaceChildren(section(l10n.t('Assumptions of the cost model'), null, list(facts.assumptions)));
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
      { label: l10n.t('Usual columns'), press: () => choose(null) },
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
      policies.map(({ id }) => ({ value: id, label: id === recommended ? l10n.t('{0} (recommended)', id) : id })),
    );
    const chosen = policies.find(({ id }) => id === policy);
    this.#summary.replaceChildren(
      el(
        'div',
        { class: 'toolbar' },
        el('span', { class: 'label', 'aria-hidden': 'true' }, l10n.t('Policy')),
        this.#policy.element,
      ),
      chosen
        ? el(
            'p',
            { class: 'headline' },
            el('strong', {}, times(chosen.slowdown)),
            l10n.t(
              ' modelled run time of everything in the fastest tier (range {0} to {1}); the fastest tier serves {2} of the traffic, whole run.',
              times(chosen.range[0]),
              times(chosen.range[1]),
              percent(chosen.fastTierHitRatio),
            ),
          )
        : '',
      el('div', { class: 'tier-bars' }, ...tiers.map(tierBar)),
    );
  }

  #showRows(facts: PlacementFacts): void {
    const { sort, descending } = this.context.state().placement;
    this.#count.textContent =
      facts.total === facts.objects
        ? l10n.plural(facts.objects, '{0} allocation', '{0} allocations')
        : l10n.t('{0} of {1}', whole(facts.total), l10n.plural(facts.objects, '{0} allocation', '{0} allocations'));
    this.#note.textContent = l10n.t(
      '{0} in {1}; Enter goes to the source',
      word(facts.counted),
      windowText(facts.window),
    );
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
    [l10n.t('Kind'), word(row.kind)],
    [l10n.t('Tier'), word(row.tier) || '—'],
    [l10n.t('Class'), word(row.hotness)],
    [
      l10n.t('Size'),
      l10n.t('{0} at most, in {1}', bytes(row.bytes), l10n.plural(row.blocks, '{0} block', '{0} blocks')),
    ],
    [l10n.t('Pages'), l10n.t('{0} touched, {1} of their lines used', whole(row.pages), percent(row.density))],
    [l10n.t('Accesses'), l10n.t('{0} reads, {1} writes', whole(row.reads), whole(row.writes))],
    [
      l10n.t('Share'),
      l10n.t(
        '{0} of {1} {2} in {3}',
        percent(facts.accesses > 0 ? accesses(row) / facts.accesses : 0),
        compact(facts.accesses),
        word(facts.counted),
        when,
      ),
    ],
    ...(facts.compared
      ? [
          [
            l10n.t('Was'),
            row.before === null ? l10n.t('not in the run before') : `${whole(row.before)} ${word(facts.counted)}`,
          ] as [string, string],
        ]
      : []),
    [
      l10n.t('Traffic'),
      l10n.t('{0} fills, {1} write-backs of 64 B', whole(row.trafficReads), whole(row.trafficWrites)),
    ],
  ];
  const each = epochsPerBin === 1 ? 'epoch' : l10n.t('{0} epochs', whole(epochsPerBin));
  const most = greatest(history);
  return [
    el('h3', {}, sourceLink(nameOf(row), row.location, reveal)),
    splitBar(row.reads, row.writes),
    el('dl', {}, ...figures.flatMap(([term, text]) => [el('dt', {}, term), el('dd', {}, text)])),
    el(
      'h4',
      {},
      l10n.t(
        'Over time: {0} to its pages, whole run; {1} in the busiest {2}',
        word(facts.counted),
        compact(most),
        each,
      ),
    ),
    sparkline(history, most),
    ...(users.length > 0
      ? [
          el(
            'h4',
            {},
            l10n.t(
              'Used by, whole run{0}',
              usersInAll > users.length
                ? l10n.t(
                    ': the first {0} of {1}',
                    whole(users.length),
                    l10n.plural(usersInAll, '{0} line', '{0} lines'),
                  )
                : '',
            ),
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
                  l10n.t(
                    ' {0} reads, {1} writes, {2} cache lines',
                    compact(user.reads),
                    compact(user.writes),
                    compact(user.traffic),
                  ),
                ),
              ),
            ),
          ),
        ]
      : []),
    ...(stack.length > 0
      ? [
          el('h4', {}, l10n.t('Allocated by')),
          el('ol', { class: 'frames' }, ...stack.map(frame => el('li', {}, frame))),
        ]
      : []),
  ];
}

function tierBar(tier: PlacementFacts['tiers'][number]): HTMLElement {
  const share = tier.capacityBytes > 0 ? tier.usedBytes / tier.capacityBytes : 0;
  return el(
    'div',
    { class: 'tier-bar', title: l10n.t('{0} of {1} bytes', whole(tier.usedBytes), whole(tier.capacityBytes)) },
    el(
      'div',
      { class: 'tier-top' },
      el('strong', {}, tier.name),
      el('span', {}, l10n.t('{0} of {1} used ({2})', bytes(tier.usedBytes), bytes(tier.capacityBytes), percent(share))),
    ),
    setShare(el('div', { class: 'share-bar tier-fill', 'aria-hidden': 'true' }, el('span', {})), share),
    el('p', { class: 'note' }, l10n.t('{0} ns a load, {1} ns a store, idle', tier.readLatencyNs, tier.writeLatencyNs)),
  );
}
