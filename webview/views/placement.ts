/** Placement: which allocation belongs in which tier under the selected policy, and what that would cost. */
import type { PlacementFacts } from '../../core/protocol.js';
import { el, setShare } from '../dom.js';
import { bytes, compact, counted, percent, times, whole } from '../format.js';
import { Grid, type GridColumn } from '../grid.js';
import { hotness, list, objectName, placeOf, section, sourceLink, splitBar } from '../parts.js';
import type { Sorting } from '../state.js';
import { dropdown, filterField } from '../toolkit.js';
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

const columns: readonly GridColumn<Row>[] = [
  {
    id: 'name',
    label: 'Allocation',
    title: 'What the bytes belong to: an allocation site with all its blocks, a global, a stack, a mapping',
    width: 100,
    flexible: true,
    priority: 0,
    sortable: true,
    cell: row => objectName(row.name),
    hint: row => (row.location ? `${row.name}\n${placeOf(row.location)}` : row.name),
  },
  {
    id: 'tier',
    label: 'Tier',
    title: 'Memory tier in which the selected policy puts it; mixed: split over tiers',
    width: 62,
    priority: 1,
    sortable: true,
    cell: row => row.tier || '—',
  },
  {
    id: 'hotness',
    label: 'Class',
    title: 'Class by accesses per page per modelled second, whole run',
    width: 70,
    priority: 3,
    sortable: true,
    cell: row => hotness(row.hotness),
  },
  {
    id: 'accesses',
    label: 'Accesses',
    title: 'Reads and writes, whole run',
    width: 96,
    priority: 2,
    numeric: true,
    sortable: true,
    cell: row => compact(accesses(row)),
    hint: row => `${whole(row.reads)} reads, ${whole(row.writes)} writes`,
  },
  {
    id: 'traffic',
    label: 'Traffic',
    title: 'Cache lines of 64 bytes that miss the modelled last-level cache, whole run: what its tier serves',
    width: 76,
    priority: 5,
    numeric: true,
    sortable: true,
    cell: row => compact(traffic(row)),
    hint: row => `${whole(row.trafficReads)} fills, ${whole(row.trafficWrites)} write-backs`,
  },
  {
    id: 'bytes',
    label: 'Size',
    title: 'Bytes alive at once, at most',
    width: 80,
    priority: 4,
    numeric: true,
    sortable: true,
    cell: row => bytes(row.bytes),
    hint: row => `${whole(row.bytes)} bytes`,
  },
  {
    id: 'pages',
    label: 'Pages',
    title: 'Distinct pages touched, whole run',
    width: 66,
    priority: 6,
    numeric: true,
    sortable: true,
    cell: row => whole(row.pages),
  },
  {
    id: 'density',
    label: 'Density',
    title: 'Share of the 64-byte lines of its touched pages that were used',
    width: 72,
    priority: 7,
    numeric: true,
    sortable: true,
    cell: row => percent(row.density),
  },
  {
    id: 'blocks',
    label: 'Blocks',
    title: 'Blocks allocated in all',
    width: 66,
    priority: 8,
    numeric: true,
    sortable: true,
    cell: row => whole(row.blocks),
  },
  {
    id: 'kind',
    label: 'Kind',
    title: 'heap, global, stack, file, anonymous or unattributed',
    width: 90,
    priority: 9,
    sortable: true,
    cell: row => row.kind,
  },
];

class PlacementView implements View {
  readonly element = el('div', { class: 'stack' });
  readonly #summary = el('div', { class: 'stack' });
  readonly #count = el('span', { class: 'note', role: 'status' });
  readonly #details = el('div', { class: 'details', hidden: true });
  readonly #assumptions = el('div', {});
  readonly #policy = dropdown('Policy', [], value => void this.#choose(value));
  readonly #grid: Grid<Row>;

  constructor(readonly context: ViewContext) {
    this.#grid = new Grid<Row>({
      label: 'Allocations',
      columns,
      sort: sorting => this.#change(sorting),
      activate: row => row.location && context.reveal(row.location),
      focus: row => this.#detail(row),
      failed: error => context.failed(error),
    });
    const { filter } = context.state().placement;
    this.element.append(
      this.#summary,
      el(
        'section',
        { class: 'part' },
        el('h2', {}, 'Allocations', el('small', {}, 'Enter goes to the source')),
        el(
          'div',
          { class: 'toolbar' },
          filterField('Filter by name, kind, tier, stack', filter, text => this.#change({ filter: text })),
          this.#count,
        ),
        this.#grid.element,
        this.#details,
      ),
      this.#assumptions,
    );
  }

  async load(): Promise<void> {
    const facts = await this.#ask(0, 100);
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

  #change(change: Partial<Sorting & { filter: string }>): void {
    this.context.remember({ placement: { ...this.context.state().placement, ...change } });
    this.#ask(0, 100).then(
      facts => {
        this.#showRows(facts);
        this.#grid.scrollToTop();
      },
      error => this.context.failed(error),
    );
  }

  async #choose(policy: string): Promise<void> {
    if (policy === this.context.selection().policy) return;
    try {
      await this.context.select({ policy });
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
            ` modelled run time of everything in the fastest tier (range ${times(chosen.range[0])} to ${times(chosen.range[1])}); the fastest tier serves ${percent(chosen.fastTierHitRatio)} of the traffic.`,
          )
        : '',
      el('div', { class: 'tier-bars' }, ...tiers.map(tierBar)),
    );
  }

  #showRows(facts: PlacementFacts): void {
    const { sort, descending, filter } = this.context.state().placement;
    this.#count.textContent =
      filter.trim() === '' ? counted(facts.total, 'allocation') : `${counted(facts.total, 'allocation')} found`;
    this.#details.hidden = true;
    this.#grid.show(
      {
        total: facts.total,
        fetch: (from, to) => (from === facts.from ? facts.rows : this.#ask(from, to).then(({ rows }) => rows)),
      },
      { sort, descending },
    );
  }

  /** All figures of the row, those that have no column at this width too, and the allocation's stack. */
  #detail(row: Row): void {
    const figures: [string, string][] = [
      ['Kind', row.kind],
      ['Tier', row.tier || '—'],
      ['Class', row.hotness],
      ['Size', `${bytes(row.bytes)} at most, in ${counted(row.blocks, 'block')}`],
      ['Pages', `${whole(row.pages)} touched, ${percent(row.density)} of their lines used`],
      ['Accesses', `${whole(row.reads)} reads, ${whole(row.writes)} writes`],
      ['Traffic', `${whole(row.trafficReads)} fills, ${whole(row.trafficWrites)} write-backs of 64 B`],
    ];
    this.#details.hidden = false;
    this.#details.replaceChildren(
      el('h3', {}, sourceLink(row.name, row.location, this.context.reveal)),
      splitBar(row.reads, row.writes),
      el('dl', {}, ...figures.flatMap(([term, text]) => [el('dt', {}, term), el('dd', {}, text)])),
      ...(row.stack.length > 0
        ? [el('h4', {}, 'Allocated by'), el('ol', { class: 'frames' }, ...row.stack.map(frame => el('li', {}, frame)))]
        : []),
    );
  }
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
