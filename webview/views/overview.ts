/** Overview: the run in a few tiles, its hottest lines and allocations, and what to be careful about. */
import type { Location, OverviewFacts, ViewData, WorkingSetFacts } from '../../core/protocol.js';
import { sparkline } from '../charts/sparkline.js';
import { el, icon, setShare } from '../dom.js';
import { bytes, compact, counted, nanoseconds, nearlyAll, percent, whole } from '../format.js';
import { hotness, list, section, shareBar, sourceLink, splitBar } from '../parts.js';
import { column, greatest } from '../wire.js';
import type { View, ViewContext, ViewKind } from './view.js';

export const overview: ViewKind = {
  id: 'overview',
  label: 'Overview',
  icon: 'dashboard',
  create(context: ViewContext): View {
    const element = el('div', { class: 'stack' });
    return {
      element,
      async load() {
        const [run, set] = await Promise.all([
          context.ask({}),
          // No more points than the little chart has pixels.
          context.ask({ view: 'workingSet', pixels: [200, 40] }),
        ]);
        const facts = run.facts as OverviewFacts;
        const accesses = facts.reads + facts.writes;
        element.replaceChildren(
          programLine(facts),
          el('div', { class: 'tiles' }, ...tiles(facts, set)),
          section(
            'Hottest lines',
            `share of the run's ${compact(accesses)} accesses`,
            ranking(
              'Hottest lines',
              facts.topLines.map(line => ({ ...line, note: counted(line.pages, 'page') })),
              accesses,
              context.reveal,
            ),
          ),
          section(
            'Hottest allocations',
            `share of the run's ${compact(accesses)} accesses`,
            ranking(
              'Hottest allocations',
              facts.topObjects.map(object => ({ ...object, note: bytes(object.bytes) })),
              accesses,
              context.reveal,
            ),
          ),
          ...(facts.warnings.length > 0 ? [section('What to be careful about', null, warnings(facts.warnings))] : []),
        );
      },
    };
  },
};

function programLine(facts: OverviewFacts): HTMLElement {
  const [program = '', ...rest] = facts.program.split(' ');
  const accesses = facts.reads + facts.writes;
  const name = [program.split('/').pop(), ...rest].join(' ');
  return el(
    'div',
    { class: 'program' },
    el('h1', { title: facts.program }, name),
    el(
      'p',
      { class: 'note' },
      el(
        'span',
        { class: facts.complete ? 'fact' : 'fact incomplete' },
        icon(facts.complete ? 'pass' : 'warning'),
        facts.complete ? 'complete recording' : 'recording cut short',
      ),
      el('span', { class: 'fact' }, facts.exit),
      el(
        'span',
        { class: 'fact', title: 'What counts as an access: see the documentation of levels' },
        `${facts.level} level`,
      ),
      el(
        'span',
        {
          class: 'fact',
          title: `${whole(facts.unattributed)} of the run's ${whole(accesses)} accesses reached no source line`,
        },
        `${nearlyAll(accesses === 0 ? 1 : 1 - facts.unattributed / accesses)} of accesses at a source line`,
      ),
      el('span', { class: 'fact', title: 'Preset of the emulated machine' }, `machine ${facts.machine}`),
    ),
  );
}

function tiles(facts: OverviewFacts, set: ViewData): HTMLElement[] {
  const accesses = facts.reads + facts.writes;
  const traffic = facts.trafficReads + facts.trafficWrites;
  const size = (count: number) => bytes(count * facts.pageSize);
  const perAccess = accesses === 0 ? 0 : traffic / accesses;
  const { epochsPerPoint, epochAccesses } = set.facts as WorkingSetFacts;
  const pages = column(set.columns.pages!);
  const peak = greatest(pages);
  const everyEpoch = `${counted(facts.epochs, 'epoch')} of ${whole(epochAccesses)} accesses`;
  return [
    tile({
      label: 'Accesses',
      value: compact(accesses),
      note: 'loads and stores, whole run',
      hint: `${whole(facts.reads)} reads and ${whole(facts.writes)} writes of 1 to 64 bytes in the whole run, ${facts.level} level`,
      below: splitBar(facts.reads, facts.writes),
    }),
    tile({
      label: 'Pages touched',
      value: whole(facts.pagesTouched),
      note: `${size(facts.pagesTouched)} in pages of ${bytes(facts.pageSize)}`,
      hint: `${whole(facts.pagesRead)} pages were read and ${whole(facts.pagesWritten)} written at least once in the whole run`,
      below: classBar(facts),
    }),
    tile({
      label: 'Memory traffic',
      value: compact(traffic),
      note: `cache lines of 64 B = ${bytes(traffic * 64)}, ${percent(perAccess)} of accesses`,
      hint: `${whole(facts.trafficReads)} fills and ${whole(facts.trafficWrites)} write-backs: lines that miss the modelled last-level cache, whole run`,
      below: splitBar(facts.trafficReads, facts.trafficWrites),
    }),
    tile({
      label: 'Peak working set',
      value: size(peak),
      note: `${counted(peak, 'page')} in one of ${everyEpoch}`,
      hint: `Distinct pages touched in an epoch; the greatest of ${everyEpoch}. The line shows all epochs${epochsPerPoint > 1 ? `, each point the greatest of ${epochsPerPoint}` : ''}.`,
      below: sparkline(pages, peak),
    }),
    tile({
      label: 'Density',
      value: nearlyAll(facts.density),
      note: `of the 64-byte lines of touched pages were used`,
      hint: 'Share of the cache lines of all touched pages that at least one access used, whole run',
      below: shareBar(facts.density),
    }),
    tile({
      label: 'Modelled time',
      value: nanoseconds(facts.modelledNs),
      note: `on ${facts.machine}, without the recorder's slowdown`,
      hint: 'From the cost model of the emulated machine, mode native; every rate is per modelled second',
      below: el(
        'p',
        { class: 'note' },
        `${compact(facts.modelledNs > 0 ? accesses / (facts.modelledNs / 1e9) : 0)} accesses/s, ${counted(facts.epochs, 'epoch')}`,
      ),
    }),
  ];
}

interface Tile {
  readonly label: string;
  readonly value: string;
  /** Unit, denominator and window, in small print. */
  readonly note: string;
  readonly hint: string;
  readonly below: HTMLElement;
}

function tile({ label, value, note, hint, below }: Tile): HTMLElement {
  return el(
    'div',
    { class: 'tile', title: hint },
    el('h2', {}, label),
    el('div', { class: 'value' }, value),
    el('p', { class: 'note' }, note),
    below,
  );
}

/** Hot, warm and cold pages as parts of one bar, with their numbers in words below. */
function classBar({ hotPages, warmPages, coldPages, pagesTouched }: OverviewFacts): HTMLElement {
  const parts = [
    ['hot', hotPages],
    ['warm', warmPages],
    ['cold', coldPages],
  ] as const;
  const share = (count: number) => (pagesTouched === 0 ? 0 : count / pagesTouched);
  return el(
    'div',
    {
      title:
        'hot: the fewest pages that receive 80 % of accesses; cold: those that receive the last 1 %, and the never touched; warm: between. Shares are settings.',
    },
    el(
      'div',
      { class: 'class-bar', 'aria-hidden': 'true' },
      ...parts.map(([name, count]) => setShare(el('span', { class: name }), share(count))),
    ),
    el(
      'div',
      { class: 'class-words' },
      ...parts.map(([name, count]) => el('span', {}, hotness(name), ` ${compact(count)}`)),
    ),
  );
}

interface Ranked {
  readonly label: string;
  readonly location: Location | null;
  readonly reads: number;
  readonly writes: number;
  readonly hotness: string;
  readonly tier: string;
  readonly note: string;
}

function ranking(
  label: string,
  rows: readonly Ranked[],
  accesses: number,
  reveal: (location: Location) => void,
): HTMLElement {
  if (rows.length === 0) return el('p', { class: 'note' }, 'None: no access reached one.');
  const most = Math.max(...rows.map(row => row.reads + row.writes), 1);
  return el(
    'ol',
    { class: 'ranking', 'aria-label': label },
    ...rows.map(row => {
      const count = row.reads + row.writes;
      const readShare = count === 0 ? 0 : row.reads / count;
      return el(
        'li',
        { title: `${whole(row.reads)} reads, ${whole(row.writes)} writes, whole run` },
        el(
          'div',
          { class: 'ranking-top' },
          sourceLink(row.label, row.location, reveal),
          el('span', { class: 'figure' }, percent(accesses === 0 ? 0 : count / accesses)),
        ),
        // The bar compares rows; the figure above is of the whole run.
        shareBar(count / most, row.hotness),
        el(
          'div',
          { class: 'ranking-facts note' },
          hotness(row.hotness),
          el('span', {}, `${percent(readShare)} read`),
          el('span', {}, row.note),
          row.tier === ''
            ? null
            : el('span', { class: 'tier', title: 'Memory tier that the selected policy gives it' }, row.tier),
        ),
      );
    }),
  );
}

function warnings(texts: readonly string[]): HTMLElement {
  const items = list(texts);
  items.classList.add('warnings');
  for (const item of items.children) item.prepend(icon('warning'));
  return items;
}
