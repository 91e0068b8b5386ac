/**
 * Overview: the six figures that matter, what changed since the run before, the best things to do, and the hottest
 * lines and allocations.
 */

import { word } from '../../core/model/words.js';
import type { OverviewFacts, ViewData, WorkingSetFacts } from '../../core/protocol.js';
import { sparkline } from '../charts/sparkline.js';
import { el, icon } from '../dom.js';
import { bytes, compact, nanoseconds, nearlyAll, percent, span, times, whole } from '../format.js';
import * as l10n from '../l10n.js';
import { list, section, shareBar, splitBar } from '../parts.js';
import { column } from '../wire.js';
import { adviceSection } from './overview/advice.js';
import { changesSection } from './overview/changes.js';
import { ranking } from './overview/ranking.js';
import { classBar, type Tile, tile } from './overview/tiles.js';
import type { View, ViewContext, ViewKind } from './view.js';

export const overview: ViewKind = {
  id: 'overview',
  label: l10n.t('Overview'),
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
            l10n.t('Hottest lines'),
            l10n.t(
              'share of {0} {1}, {2}',
              compact(facts.runAccesses),
              word(facts.counted),
              windowText(facts.linesWindow),
            ),
            ranking({
              label: l10n.t('Hottest lines'),
              rows: facts.topLines.map(line => ({
                ...line,
                note: line.pages === null ? '' : l10n.plural(line.pages, '{0} page', '{0} pages'),
              })),
              of: facts.runAccesses,
              reveal: context.reveal,
            }),
          ),
          section(
            l10n.t('Hottest allocations'),
            l10n.t(
              'share of {0} {1}, {2}',
              compact(facts.reads + facts.writes),
              word(facts.counted),
              windowText(facts.window),
            ),
            ranking({
              label: l10n.t('Hottest allocations'),
              rows: facts.topObjects.map(object => ({ ...object, note: bytes(object.bytes) })),
              of: facts.reads + facts.writes,
              reveal: context.reveal,
            }),
          ),
          ...(facts.warnings.length > 0
            ? [section(l10n.t('What to be careful about'), null, warnings(facts.warnings))]
            : []),
        );
      },
    };
  },
};

/** `whole run`, or `epochs 3–9`. */
function windowText(window: OverviewFacts['window']): string {
  return window ? l10n.t('epochs {0}', span(window[0], window[1])) : l10n.t('whole run');
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
        facts.complete ? l10n.t('complete recording') : l10n.t('recording cut short'),
      ),
      el('span', { class: 'fact' }, facts.exit),
      fact(l10n.t('What counts as an access: see the documentation of levels'), l10n.t('{0} level', word(facts.level))),
      fact(unattributedWords(facts), l10n.t('{0} of {1} at a source line', nearlyAll(attributed), word(facts.counted))),
      fact(l10n.t('Preset of the emulated machine'), l10n.t('machine {0}', facts.machine)),
      fact(
        l10n.t(
          "Modelled on {0}, mode native, without the recorder's slowdown; {1}",
          facts.machine,
          windowText(facts.window),
        ),
        l10n.t('{0} modelled', nanoseconds(facts.modelledNs)),
      ),
    ),
  );
}

function tiles(facts: OverviewFacts, set: ViewData): Tile[] {
  const { before, counted: what, pageSize } = facts;
  const accesses = facts.reads + facts.writes;
  const traffic = facts.trafficReads + facts.trafficWrites;
  const size = (count: number) => bytes(count * pageSize);
  const pages = (count: number) => `${l10n.plural(count, '{0} page', '{0} pages')} (${size(count)})`;
  const share = (part: number, of: number) => (of === 0 ? 0 : part / of);
  const window = windowText(facts.window);
  const { epochsPerPoint, epochAccesses } = set.facts as WorkingSetFacts;
  const curve = column(set.columns.pages!);
  const point = epochsPerPoint > 1 ? l10n.t(', each point the greatest of {0}', epochsPerPoint) : '';
  return [
    {
      label: what === 'accesses' ? l10n.t('Accesses') : what[0]!.toUpperCase() + what.slice(1),
      value: compact(accesses),
      note:
        what === 'accesses'
          ? l10n.t('loads and stores, {0}', window)
          : l10n.t("in the mechanism's own unit, {0}", window),
      hint: l10n.t(
        '{0} reads and {1} writes of 1 to 64 bytes, {2}, {3} level. How much the program touches memory at all.',
        whole(facts.reads),
        whole(facts.writes),
        window,
        word(facts.level),
      ),
      below: splitBar(facts.reads, facts.writes),
      change: before && { before: before.reads + before.writes, now: accesses, say: compact },
    },
    {
      label: l10n.t('Memory traffic, modelled'),
      value: bytes(traffic * 64),
      note:
        what === 'accesses'
          ? l10n.t('{0} of accesses miss the caches, {1}', percent(share(traffic, accesses)), window)
          : l10n.t('cache lines of 64 B, {0}', window),
      hint: l10n.t(
        '{0} fills and {1} write-backs of 64 B: lines that miss the modelled last-level cache, {2}. What a memory tier has to serve.',
        whole(facts.trafficReads),
        whole(facts.trafficWrites),
        window,
      ),
      below: splitBar(facts.trafficReads, facts.trafficWrites),
      change: before && {
        before: before.trafficReads + before.trafficWrites,
        now: traffic,
        say: lines => bytes(lines * 64),
      },
    },
    {
      label: what === 'accesses' ? l10n.t('Pages touched') : l10n.t('Pages reported'),
      value: size(facts.pagesTouched),
      note: l10n.t(
        '{0} of {1}, {2}; at most {3} in one epoch',
        l10n.plural(facts.pagesTouched, '{0} page', '{0} pages'),
        bytes(pageSize),
        window,
        size(facts.peakWorkingSet),
      ),
      hint: l10n.t(
        '{0} pages were read and {1} written at least once, {2}. Peak working set: {3}, the most of any of the {4} of {5} accesses. The line shows the whole run{6}. How much memory the program needs.',
        whole(facts.pagesRead),
        whole(facts.pagesWritten),
        window,
        pages(facts.peakWorkingSet),
        l10n.plural(facts.epochs, '{0} epoch', '{0} epochs'),
        whole(epochAccesses),
        point,
      ),
      // Of the whole run, whose peak may lie outside of the window.
      below: sparkline(curve, Math.max(0, ...curve)),
      change: before && { before: before.pagesTouched, now: facts.pagesTouched, say: size },
    },
    {
      label: l10n.t('Hot set'),
      value: percent(share(facts.hotPages, facts.pagesTouched)),
      note: l10n.t(
        'of pages touched receive {0} of {1}: {2}, {3}',
        percent(facts.hotShare),
        word(what),
        pages(facts.hotPages),
        window,
      ),
      hint: l10n.t(
        'hot: the fewest pages that receive {0} of {1}; cold: those that receive the last few, and the never touched; warm: between. Shares are options. The smaller, the more a small fast tier helps.',
        percent(facts.hotShare),
        word(what),
      ),
      below: classBar(facts),
      change: before && { before: before.hotPages, now: facts.hotPages, say: size },
    },
    {
      label: l10n.t('Density'),
      value: nearlyAll(facts.density),
      note: l10n.t('of the 64-byte lines of touched pages were used, whole run'),
      hint: l10n.t(
        'Share of the cache lines of all touched pages that at least one access used, whole run, exact counts. Low: hot and cold bytes share pages.',
      ),
      below: shareBar(facts.density),
      change: before && { before: before.density, now: facts.density, say: nearlyAll },
    },
    slowdownTile(facts),
  ];
}

function slowdownTile({ slowdown, before }: OverviewFacts): Tile {
  const label = l10n.t('Slowdown by placement, modelled');
  const meaning = l10n.t(
    'Modelled run time under the selected policy over that with everything in the fastest tier; 1 is the best. The range is over how many misses a core overlaps. Whole run.',
  );
  if (!slowdown) {
    return {
      label,
      value: '—',
      note: l10n.t('the profile has no placement'),
      hint: meaning,
      below: el('p', {}),
      change: null,
    };
  }
  const { policy, value, range } = slowdown;
  return {
    label,
    value: times(value),
    note: l10n.t('of everything in the fastest tier, whole run; policy {0}', policy),
    hint: meaning,
    below: el('p', { class: 'note' }, l10n.t('range {0} to {1}', times(range[0]), times(range[1]))),
    change: before?.slowdown ? { before: before.slowdown.value, now: value, say: times } : null,
  };
}

function warnings(texts: readonly string[]): HTMLElement {
  const items = list(texts);
  items.classList.add('warnings');
  for (const item of items.children) item.prepend(icon('warning'));
  return items;
}

function unattributedWords({ unattributed, runAccesses, linesWindow, counted }: OverviewFacts): string {
  const parts = [whole(unattributed), whole(runAccesses), word(counted)] as const;
  return linesWindow
    ? l10n.t("{0} of the window's {1} {2} reached no source line", ...parts)
    : l10n.t("{0} of the run's {1} {2} reached no source line", ...parts);
}
