/** Page inspector: the touched pages as a table, and everything that the profile knows of one of them. */

import { word } from '../../core/model/words.js';
import type { PageDetail, PageInspectorFacts, PageRow, Selection, ViewData } from '../../core/protocol.js';
import { type Axis, Chart, Plot, type PlotData } from '../charts/plot.js';
import { niceTicks } from '../charts/scale.js';
import { el } from '../dom.js';
import { bytes, compact, countTick, nanoseconds, percent, readWriteSplit, span, timeTick, whole } from '../format.js';
import { Grid, type GridColumn } from '../grid.js';
import * as l10n from '../l10n.js';
import { hotness, section, shareBar, sourceLink } from '../parts.js';
import { type Picture, pictureButton } from '../picture.js';
import { plainTable } from '../plainTable.js';
import { onlyFocusChanged } from '../selection.js';
import type { PagesChoice } from '../state.js';
import { button, dropdown, filterField, textField } from '../toolkit.js';
import { windowText } from '../window.js';
import { column, greatest, type Numbers } from '../wire.js';
import type { View, ViewContext, ViewKind } from './view.js';

export const pageInspector: ViewKind = {
  id: 'pageInspector',
  label: l10n.t('Pages'),
  icon: 'inspect',
  create: context => new PageInspectorView(context),
};

const classes = [
  { value: '', label: l10n.t('All classes') },
  { value: 'hot', label: l10n.t('Hot pages') },
  { value: 'warm', label: l10n.t('Warm pages') },
  { value: 'cold', label: l10n.t('Cold pages') },
];

const historyHeight = 160;

class PageInspectorView implements View {
  readonly element = el('div', { class: 'stack' });
  readonly #grid: Grid<PageRow>;
  readonly #class = dropdown(l10n.t('Class'), classes, hotness => this.#change({ hotness }));
  readonly #count = el('span', { class: 'note', role: 'status' });
  readonly #note = el('small', {});
  readonly #found = el('p', { class: 'note', role: 'status', hidden: true });
  readonly #detail = el('div', { class: 'stack' });
  readonly #history = new Plot(l10n.t('Accesses to the page over time'));
  #facts: PageInspectorFacts | null = null;
  #data: ViewData | null = null;
  /** The selection that the rows were shown for. */
  #shown: Selection | null = null;
  #question = 0;

  constructor(readonly context: ViewContext) {
    this.#grid = this.#makeGrid();
    const { filter } = context.state().pages;
    const heading = el('h2', {}, l10n.t('Touched pages'), this.#note);
    const address = textField(l10n.t('Address, such as 0x7f00…'), text => this.#goTo(text));
    this.element.append(
      el(
        'section',
        { class: 'part' },
        heading,
        el(
          'div',
          { class: 'toolbar' },
          filterField(l10n.t('Filter by object, kind, tier'), filter, text => this.#change({ filter: text })),
          this.#class.element,
          this.#count,
          el('span', { class: 'spring' }),
          address.element,
          button({
            label: l10n.t('Go to address'),
            icon: 'arrow-right',
            appearance: 'icon',
            press: () => this.#goTo(address.value()),
          }),
          pictureButton(context, () => this.#picture()),
        ),
        this.#found,
        this.#grid.element,
      ),
      this.#detail,
    );
  }

  #makeGrid(): Grid<PageRow> {
    const { context } = this;
    return new Grid<PageRow>({
      label: l10n.t('Pages'),
      columns: pageColumns(0, 1, false, null),
      sort: sorting => this.#change(sorting),
      activate: row => this.#choose(row.page),
      focus: row => this.#choose(row.page),
      failed: error => context.failed(error),
      copy: (text, rows) => {
        context.copy(text);
        context.announce(l10n.t('{0} copied', l10n.plural(rows, '{0} page', '{0} pages')));
      },
    });
  }

  async load(): Promise<void> {
    const question = ++this.#question;
    const selection = this.context.selection();
    const sameRows = onlyFocusChanged(this.#shown, selection);
    const { focus } = selection;
    const page: Readonly<Record<string, number>> = focus?.kind === 'page' ? { page: focus.page } : {};
    const data = await this.#ask(0, 100, page);
    if (question !== this.#question) return;
    this.#shown = selection;
    const facts = data.facts as PageInspectorFacts;
    this.#facts = facts;
    this.#data = data;
    if (!sameRows) this.#showRows(facts);
    if (facts.focus !== null) this.#grid.select(facts.focus);
    this.#showDetail(facts, data);
  }

  #ask(from: number, to: number, more: Readonly<Record<string, string | number>> = {}): Promise<ViewData> {
    const { sort, descending, filter, hotness } = this.context.state().pages;
    return this.context.ask({ range: { y: [from, to] }, options: { sort, descending, filter, hotness, ...more } });
  }

  #change(change: Partial<PagesChoice>): void {
    this.context.remember({ pages: { ...this.context.state().pages, ...change } });
    this.#shown = null;
    this.load().catch(error => this.context.failed(error));
  }

  /** The page for this view and for all others. */
  #choose(page: number): void {
    const { focus } = this.context.selection();
    if (focus?.kind === 'page' && focus.page === page) return;
    this.context.select({ focus: { kind: 'page', page } }).catch(error => this.context.failed(error));
  }

  #goTo(text: string): void {
    if (text.trim() === '') return;
    this.#ask(0, 1, { address: text }).then(
      ({ facts }) => {
        const { found } = facts as PageInspectorFacts;
        if (!found) return this.#tell(l10n.t('No page was touched.'));
        this.#choose(found.page);
        this.#tell(found.exact ? '' : l10n.t('{0} lies in no touched page; the nearest one is shown.', text.trim()));
      },
      error => this.#tell(error instanceof Error ? error.message : String(error)),
    );
  }

  #tell(text: string): void {
    this.#found.hidden = text === '';
    this.#found.textContent = text;
  }

  #showRows(facts: PageInspectorFacts): void {
    const { sort, descending, hotness } = this.context.state().pages;
    this.#class.set(hotness);
    this.#note.textContent = l10n.t(
      '{0} each; {1} in {2}; arrows choose one for every view',
      bytes(facts.pageSize),
      word(facts.counted),
      windowText(facts.window),
    );
    this.#count.textContent =
      facts.total === facts.pages
        ? l10n.plural(facts.pages, '{0} page', '{0} pages')
        : l10n.t('{0} of {1}', whole(facts.total), l10n.plural(facts.pages, '{0} page', '{0} pages'));
    const processes = new Set(facts.rows.map(row => row.process)).size > 1;
    this.#grid.setColumns(
      pageColumns(facts.pages, facts.linesPerPage, processes, facts.compared ? facts.counted : null),
    );
    this.#grid.show(
      {
        total: facts.total,
        fetch: (from, to) =>
          from === facts.from && facts.rows.length > 0
            ? facts.rows
            : this.#ask(from, to).then(answer => (answer.facts as PageInspectorFacts).rows),
      },
      { sort, descending },
    );
  }

  #showDetail(facts: PageInspectorFacts, data: ViewData): void {
    const { detail } = facts;
    if (!detail) {
      this.#detail.replaceChildren(
        el(
          'p',
          { class: 'note' },
          l10n.t('Choose a page in the table or in the heatmap, or type an address, to see what is known of it.'),
        ),
      );
      return;
    }
    this.#history.show(historyPlot(facts, detail, data));
    this.#detail.replaceChildren(
      section(
        l10n.t('Page {0}', detail.address),
        l10n.t(
          '{0} of process {1}; modelled traffic, and counts exact unless said otherwise',
          bytes(facts.pageSize),
          detail.process + 1,
        ),
        factsOf(facts, detail, this.context),
      ),
      section(l10n.t('History'), historyNote(facts, detail), this.#history.element),
      section(
        l10n.t('Who uses it'),
        detail.object < 0
          ? null
          : l10n.t(
              'lines that access {0}, whole run; which of them reached this page is not recorded',
              detail.objectName,
            ),
        usersOf(detail, this.context),
      ),
      section(
        l10n.t('Tier by policy'),
        l10n.t('where each policy puts its main object'),
        policiesOf(detail, this.context),
      ),
      section(
        l10n.t('Seen by trackers'),
        l10n.t('each in its own unit, beside the exact count; ranks among all pages, 1 has most'),
        trackersOf(detail, facts),
      ),
    );
  }

  #picture(): Picture | null {
    const [facts, data] = [this.#facts, this.#data];
    const detail = facts?.detail;
    if (!facts || !data || !detail) return null;
    const plot = historyPlot(facts, detail, data);
    return {
      name: `page ${detail.address}`,
      width: this.#history.element.clientWidth,
      parts: [
        {
          title: l10n.t('Page {0}: {1}', detail.address, detail.objectName || l10n.t('no object')),
          note: historyNote(facts, detail),
          legend: plot.series,
          height: historyHeight,
          draw: (frame, style) => new Chart(frame, style, plot).draw(),
        },
      ],
    };
  }
}

const accesses = ({ reads, writes }: PageRow) => reads + writes;
const purity = (row: PageRow) => (accesses(row) === 0 ? 0 : Math.max(row.reads, row.writes) / accesses(row));

/** Of pages, addresses say nothing in another run: their place in the same allocation does. */
function wasColumn(unit: string): GridColumn<PageRow> {
  return {
    id: 'before',
    label: l10n.t('Was'),
    title: l10n.t(
      '{0} in the run before, whole run: the same allocation at the same relative position, a mean a page where it has another number of them',
      word(unit),
    ),
    width: 96,
    priority: 1,
    numeric: true,
    cell: row => (row.before === null ? l10n.t('new') : compact(row.before)),
    hint: row => (row.before === null ? l10n.t('no such allocation in the run before') : compact(row.before)),
    text: row => (row.before === null ? '' : String(row.before)),
  };
}

/** @param compared what is counted, where rows say what their places were in the run before; else null */
function pageColumns(
  pages: number,
  linesPerPage: number,
  processes: boolean,
  compared: string | null,
): GridColumn<PageRow>[] {
  const figure = (
    id: string,
    label: string,
    title: string,
    priority: number,
    value: (row: PageRow) => number,
    shown: (value: number) => string = compact,
  ): GridColumn<PageRow> => ({
    id,
    label,
    title,
    width: 96,
    priority,
    numeric: true,
    sortable: true,
    cell: row => shown(value(row)),
    hint: row => whole(value(row)),
    text: row => String(value(row)),
  });
  const share = (id: string, label: string, title: string, priority: number, value: (row: PageRow) => number) => ({
    ...figure(id, label, title, priority, value, percent),
    width: 72,
    hint: (row: PageRow) => percent(value(row)),
  });
  return [
    {
      id: 'address',
      label: l10n.t('Address'),
      title: l10n.t(
        'First byte of the page{0}; {1} pages were touched',
        processes ? l10n.t(', and its process') : '',
        whole(pages),
      ),
      width: 144,
      priority: 0,
      sortable: true,
      cell: row => (processes ? `${row.process + 1}: ${row.address}` : row.address),
      text: row => row.address,
    },
    {
      id: 'object',
      label: l10n.t('Main object'),
      title: l10n.t('What most of the page’s accesses go to'),
      width: 96,
      flexible: true,
      priority: 2,
      sortable: true,
      cell: row => row.objectName || 'none',
      hint: row => row.objectName,
      text: row => row.objectName,
    },
    figure('accesses', l10n.t('Accesses'), l10n.t('Reads and writes that begin on the page'), 1, accesses),
    ...(compared === null ? [] : [wasColumn(compared)]),
    {
      id: 'hotness',
      label: l10n.t('Class'),
      title: l10n.t('Class by accesses among all touched pages'),
      width: 70,
      priority: 3,
      sortable: true,
      cell: row => hotness(row.hotness),
      text: row => row.hotness,
    },
    share(
      'density',
      l10n.t('Density'),
      l10n.t('Share of its {0} lines of 64 bytes that were used, whole run', whole(linesPerPage)),
      4,
      row => row.linesUsed / linesPerPage,
    ),
    share(
      'purity',
      l10n.t('Purity'),
      l10n.t('Share of its accesses that go in its main direction: 100 % is only read, or only written'),
      5,
      purity,
    ),
    figure(
      'traffic',
      l10n.t('Traffic'),
      l10n.t('Cache lines of 64 bytes that miss the modelled last-level cache, both directions'),
      6,
      row => row.traffic,
    ),
    {
      id: 'tier',
      label: l10n.t('Tier'),
      title: l10n.t('Where the selected policy puts its main object'),
      width: 66,
      priority: 7,
      sortable: true,
      cell: row => word(row.tier) || '—',
      text: row => row.tier,
    },
    figure('reads', l10n.t('Reads'), l10n.t('Reads that begin on the page'), 8, row => row.reads),
    figure('writes', l10n.t('Writes'), l10n.t('Writes that begin on the page'), 9, row => row.writes),
  ];
}

function factsOf(facts: PageInspectorFacts, detail: PageDetail, context: ViewContext): HTMLElement {
  const all = detail.exactReads + detail.exactWrites;
  const used = detail.linesUsed / facts.linesPerPage;
  const rows: [string, Node | string][] = [
    [
      l10n.t('Class'),
      el(
        'span',
        {},
        hotness(detail.hotness),
        facts.counted === 'accesses' ? '' : l10n.t(' by {0}', word(facts.counted)),
      ),
    ],
    [
      l10n.t('Accesses'),
      l10n.t(
        '{0} ({1}), rank {2} of {3}; exact, whole run',
        whole(all),
        readWriteSplit(detail.exactReads, detail.exactWrites),
        whole(detail.exactRank),
        l10n.plural(facts.pages, '{0} page', '{0} pages'),
      ),
    ],
    ...(facts.window || facts.counted !== 'accesses'
      ? [
          [
            l10n.t('As shown'),
            l10n.t(
              '{0} reads, {1} writes: {2} in {3}',
              compact(detail.reads),
              compact(detail.writes),
              word(facts.counted),
              windowText(facts.window),
            ),
          ] as [string, string],
        ]
      : []),
    [
      l10n.t('Traffic'),
      l10n.t(
        '{0} lines filled, {1} written back in {2}; modelled',
        whole(detail.trafficReads),
        whole(detail.trafficWrites),
        windowText(facts.window),
      ),
    ],
    [
      l10n.t('Lines used'),
      el(
        'span',
        { class: 'bar-figure' },
        shareBar(used),
        l10n.t('{0} of {1} ({2}), whole run', whole(detail.linesUsed), whole(facts.linesPerPage), percent(used)),
      ),
    ],
    [
      l10n.t('Main object'),
      detail.object < 0
        ? l10n.t('none: its bytes belong to no allocation, global, stack or file')
        : el(
            'span',
            {},
            sourceLink(detail.objectName, detail.objectLocation, context.reveal),
            l10n.t(
              ' ({0}, {1}) has most of its accesses; others on it are not recorded',
              detail.objectKind,
              l10n.plural(detail.objectPages, '{0} page', '{0} pages'),
            ),
          ),
    ],
  ];
  return el(
    'div',
    { class: 'details' },
    el('dl', {}, ...rows.flatMap(([term, value]) => [el('dt', {}, term), el('dd', {}, value)])),
  );
}

function historyNote({ counted, window }: PageInspectorFacts, { epochsPerBin }: PageDetail): string {
  const unit = word(counted);
  const each = epochsPerBin === 1 ? l10n.t('each epoch') : l10n.t('every {0} epochs', whole(epochsPerBin));
  const shaded = window ? l10n.t('; {0} shaded', windowText(window)) : '';
  return l10n.t('{0} and cache lines of traffic in {1} of the whole run{2}', unit, each, shaded);
}

function historyPlot(facts: PageInspectorFacts, detail: PageDetail, data: ViewData): PlotData {
  const of = (name: string): Numbers => column(data.columns[name]!);
  const [reads, writes, traffic] = [of('historyReads'), of('historyWrites'), of('historyTraffic')];
  const { endNs, epochs, epochsPerBin } = detail;
  const most = Math.max(greatest(reads), greatest(writes), greatest(traffic), 1) * 1.05;
  const timeAt = (epoch: number) =>
    epoch <= 0 ? 0 : endNs[Math.min(endNs.length - 1, Math.ceil(epoch / epochsPerBin) - 1)]!;
  const x: Axis = {
    from: 0,
    to: epochs,
    logarithmic: false,
    title: l10n.t('modelled time at the end of the epoch'),
    ticks: count => niceTicks(0, epochs, count, 1),
    label: epoch => timeTick(timeAt(epoch), timeAt(epochs) / 100),
  };
  return {
    points: Float64Array.from(endNs, (_, bin) => (bin * epochsPerBin + Math.min(epochs, (bin + 1) * epochsPerBin)) / 2),
    series: [
      { name: 'reads', values: reads, color: '--series-1', dash: [], kind: 'area' },
      { name: 'writes', values: writes, color: '--series-3', dash: [6, 3], kind: 'line' },
      { name: 'traffic', values: traffic, color: '--series-2', dash: [2, 2], kind: 'line' },
    ],
    x,
    y: {
      from: 0,
      to: most,
      logarithmic: false,
      title: word(facts.counted),
      ticks: count => niceTicks(0, most, count, 1),
      label: countTick,
    },
    marks: [],
    shaded: facts.window,
    sentence: bin => {
      const to = Math.min(epochs, (bin + 1) * epochsPerBin);
      const when = l10n.t(
        'epoch{0} {1}, until {2}',
        to - bin * epochsPerBin > 1 ? 's' : '',
        span(bin * epochsPerBin, to),
        nanoseconds(endNs[bin]!),
      );
      return l10n.t(
        '{0}: {1} reads, {2} writes, {3} cache lines of traffic',
        when,
        compact(reads[bin]!),
        compact(writes[bin]!),
        compact(traffic[bin]!),
      );
    },
  };
}

function usersOf({ object, users, usersInAll }: PageDetail, context: ViewContext): HTMLElement {
  if (object < 0) return el('p', { class: 'note' }, l10n.t('Without an object no lines are known.'));
  const rows = users.map(({ label, location, reads, writes, traffic }) => [
    sourceLink(label, location, context.reveal),
    compact(reads),
    compact(writes),
    compact(traffic),
  ]);
  const more = l10n.t('The first {0} of {1}.', whole(users.length), whole(usersInAll));
  return el(
    'div',
    {},
    plainTable([l10n.t('Line'), l10n.t('Reads'), l10n.t('Writes'), l10n.t('Traffic')], rows),
    usersInAll > users.length ? el('p', { class: 'note' }, more) : null,
  );
}

function policiesOf({ policies }: PageDetail, context: ViewContext): HTMLElement {
  const rows = policies.map(({ id, tier, recommended }) => {
    const words = [recommended ? 'recommended' : '', id === context.selection().policy ? 'selected' : ''];
    return [id, words.filter(Boolean).join(', '), tier === 'mixed' ? l10n.t('mixed: split over tiers') : tier || '—'];
  });
  return plainTable([l10n.t('Policy'), '', l10n.t('Tier')], rows);
}

function trackersOf(detail: PageDetail, facts: PageInspectorFacts): HTMLElement {
  const others = detail.trackers.filter(({ id }) => id !== 'exact');
  const rankText = (reads: number | null, writes: number | null, rank: number | null) => {
    if (rank !== null) return whole(rank);
    return reads === null && writes === null ? l10n.t('names no pages') : l10n.t('not reported');
  };
  const row = (label: string, reads: number | null, writes: number | null, rank: number | null) => [
    label,
    reads === null ? '—' : compact(reads),
    writes === null ? '—' : compact(writes),
    rankText(reads, writes, rank),
  ];
  return plainTable(
    [l10n.t('Mechanism'), l10n.t('Reads'), l10n.t('Writes'), l10n.t('Rank of {0}', whole(facts.pages))],
    [
      row(l10n.t('Exact count'), detail.exactReads, detail.exactWrites, detail.exactRank),
      ...others.map(({ label, reads, writes, rank }) => row(label, reads, writes, rank)),
    ],
  );
}
