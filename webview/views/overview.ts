/**
 * Overview: the six figures that matter, what changed since the run before, the best things to do, and the hottest
 * lines and allocations.
 */
import type { OverviewFacts, ViewData, WorkingSetFacts } from '../../core/protocol.js';
import { sparkline } from '../charts/sparkline.js';
import { el, icon } from '../dom.js';
import { bytes, compact, counted, nanoseconds, nearlyAll, percent, span, times, whole } from '../format.js';
import { list, section, shareBar, splitBar } from '../parts.js';
import { column } from '../wire.js';
import { adviceSection } from './overview/advice.js';
import { changesSection } from './overview/changes.js';
import { ranking } from './overview/ranking.js';
import { classBar, type Tile, tile } from './overview/tiles.js';
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
        element.replaceChildren(
          programLine(facts),
          el('div', { class: 'tiles' }, ...tiles(facts, set).map(tile)),
          changesSection(facts, context),
          adviceSection(facts, context),
          section(
            'Hottest lines',
            `share of ${compact(facts.runAccesses)} ${facts.counted}, ${windowText(facts.linesWindow)}`,
            ranking({
              label: 'Hottest lines',
              rows: facts.topLines.map(line => ({
                ...line,
                note: line.pages === null ? '' : counted(line.pages, 'page'),
              })),
              of: facts.runAccesses,
              reveal: context.reveal,
            }),
          ),
          section(
            'Hottest allocations',
            `share of ${compact(facts.reads + facts.writes)} ${facts.counted}, ${windowText(facts.window)}`,
            ranking({
              label: 'Hottest allocations',
              rows: facts.topObjects.map(object => ({ ...object, note: bytes(object.bytes) })),
              of: facts.reads + facts.writes,
              reveal: context.reveal,
            }),
          ),
          ...(facts.warnings.length > 0 ? [section('What to be careful about', null, warnings(facts.warnings))] : []),
        );
      },
    };
  },
};

/** `whole run`, or `epochs 3–9`. */
function windowText(window: OverviewFacts['window']): string {
  return window ? `epochs ${span(window[0], window[1])}` : 'whole run';
}

function programLine(facts: OverviewFacts): HTMLElement {
  const [program = '', ...rest] = facts.program.split(' ');
  const name = [program.split('/').pop(), ...rest].join(' ');
  const attributed = facts.runAccesses === 0 ? 1 : 1 - facts.unattributed / facts.runAccesses;
  const fact = (title: string, text: string) => el('span', { class: 'fact', title }, text);
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
      fact('What counts as an access: see the documentation of levels', `${facts.level} level`),
      fact(
        `${whole(facts.unattributed)} of the ${facts.linesWindow ? 'window' : 'run'}'s ${whole(facts.runAccesses)} ${facts.counted} reached no source line`,
        `${nearlyAll(attributed)} of ${facts.counted} at a source line`,
      ),
      fact('Preset of the emulated machine', `machine ${facts.machine}`),
      fact(
        `Modelled on ${facts.machine}, mode native, without the recorder's slowdown; ${windowText(facts.window)}`,
        `${nanoseconds(facts.modelledNs)} modelled`,
      ),
    ),
  );
}

function tiles(facts: OverviewFacts, set: ViewData): Tile[] {
  const { before, counted: what, pageSize } = facts;
  const accesses = facts.reads + facts.writes;
  const traffic = facts.trafficReads + facts.trafficWrites;
  const size = (count: number) => bytes(count * pageSize);
  const pages = (count: number) => `${counted(count, 'page')} (${size(count)})`;
  const share = (part: number, of: number) => (of === 0 ? 0 : part / of);
  const window = windowText(facts.window);
  const { epochsPerPoint, epochAccesses } = set.facts as WorkingSetFacts;
  const curve = column(set.columns.pages!);
  const point = epochsPerPoint > 1 ? `, each point the greatest of ${epochsPerPoint}` : '';
  return [
    {
      label: what[0]!.toUpperCase() + what.slice(1),
      value: compact(accesses),
      note: what === 'accesses' ? `loads and stores, ${window}` : `in the mechanism's own unit, ${window}`,
      hint: `${whole(facts.reads)} reads and ${whole(facts.writes)} writes of 1 to 64 bytes, ${window}, ${facts.level} level. How much the program touches memory at all.`,
      below: splitBar(facts.reads, facts.writes),
      change: before && { before: before.reads + before.writes, now: accesses, say: compact },
    },
    {
      label: 'Memory traffic, modelled',
      value: bytes(traffic * 64),
      note:
        what === 'accesses'
          ? `${percent(share(traffic, accesses))} of accesses miss the caches, ${window}`
          : `cache lines of 64 B, ${window}`,
      hint: `${whole(facts.trafficReads)} fills and ${whole(facts.trafficWrites)} write-backs of 64 B: lines that miss the modelled last-level cache, ${window}. What a memory tier has to serve.`,
      below: splitBar(facts.trafficReads, facts.trafficWrites),
      change: before && {
        before: before.trafficReads + before.trafficWrites,
        now: traffic,
        say: lines => bytes(lines * 64),
      },
    },
    {
      label: what === 'accesses' ? 'Pages touched' : 'Pages reported',
      value: size(facts.pagesTouched),
      note: `${counted(facts.pagesTouched, 'page')} of ${bytes(pageSize)}, ${window}; at most ${size(facts.peakWorkingSet)} in one epoch`,
      hint: `${whole(facts.pagesRead)} pages were read and ${whole(facts.pagesWritten)} written at least once, ${window}. Peak working set: ${pages(facts.peakWorkingSet)}, the most of any of the ${counted(facts.epochs, 'epoch')} of ${whole(epochAccesses)} accesses. The line shows the whole run${point}. How much memory the program needs.`,
      below: sparkline(curve, facts.peakWorkingSet),
      change: before && { before: before.pagesTouched, now: facts.pagesTouched, say: size },
    },
    {
      label: 'Hot set',
      value: percent(share(facts.hotPages, facts.pagesTouched)),
      note: `of pages touched receive ${percent(facts.hotShare)} of ${what}: ${pages(facts.hotPages)}, ${window}`,
      hint: `hot: the fewest pages that receive ${percent(facts.hotShare)} of ${what}; cold: those that receive the last few, and the never touched; warm: between. Shares are options. The smaller, the more a small fast tier helps.`,
      below: classBar(facts),
      change: before && { before: before.hotPages, now: facts.hotPages, say: size },
    },
    {
      label: 'Density',
      value: nearlyAll(facts.density),
      note: 'of the 64-byte lines of touched pages were used, whole run',
      hint: 'Share of the cache lines of all touched pages that at least one access used, whole run, exact counts. Low: hot and cold bytes share pages.',
      below: shareBar(facts.density),
      change: before && { before: before.density, now: facts.density, say: nearlyAll },
    },
    slowdownTile(facts),
  ];
}

function slowdownTile({ slowdown, before }: OverviewFacts): Tile {
  const label = 'Slowdown by placement, modelled';
  const meaning =
    'Modelled run time under the selected policy over that with everything in the fastest tier; 1 is the best. The range is over how many misses a core overlaps. Whole run.';
  if (!slowdown) {
    return { label, value: '—', note: 'the profile has no placement', hint: meaning, below: el('p', {}), change: null };
  }
  const { policy, value, range } = slowdown;
  return {
    label,
    value: times(value),
    note: `of everything in the fastest tier, whole run; policy ${policy}`,
    hint: meaning,
    below: el('p', { class: 'note' }, `range ${times(range[0])} to ${times(range[1])}`),
    change: before?.slowdown ? { before: before.slowdown.value, now: value, say: times } : null,
  };
}

function warnings(texts: readonly string[]): HTMLElement {
  const items = list(texts);
  items.classList.add('warnings');
  for (const item of items.children) item.prepend(icon('warning'));
  return items;
}
