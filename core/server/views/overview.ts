/**
 * Overview: the figures that matter, what changed since the run before, the best things to do, and the hottest lines
 * and allocations.
 */
import * as l10n from '../../model/l10n.js';
import { CLASS_NAMES, COLD, HOT, type Profile, WARM } from '../../model/profile.js';
import { changeOf, type DiffedRow } from '../../profile/diff.js';
import type { AdviceFacts, ChangedRow, Location, OverviewFacts, RunFigures, Selection } from '../../protocol.js';
import { bestAdvice } from '../advice/rules.js';
import { exitText } from '../annotations.js';
import type { Baseline } from '../baseline.js';
import type { ProfileIndex } from '../profileIndex.js';
import { pagesOfCode } from '../seen.js';
import { wholeBins } from '../window.js';
import { location, type View } from './view.js';

const topRows = 10;
const changedRows = 5;
const adviceCount = 3;

export const overview: View = (index, _query, selection, baseline) => {
  const { profile, seen } = index;
  const { lines, functions, objects, files, program, epochs } = profile;
  const window = selection.window && wholeBins(profile, selection.window);
  // A window of one run is not a window of the other.
  const compared = window ? null : (baseline ?? null);
  const facts: OverviewFacts = {
    ...figuresOf(profile, selection.policy, window),
    program: [program.path, ...program.arguments].join(' '),
    exit: exitText(profile),
    complete: program.complete,
    machine: profile.options.machine,
    level: program.level,
    pageSize: profile.options.pageSize,
    epochs: epochs.count,
    epochAccesses: epochs.accesses,
    unattributed: profile.unattributed.reads + profile.unattributed.writes,
    runAccesses: runAccesses(profile),
    hotShare: profile.options.hotShare,
    counted: seen.counted,
    window,
    linesWindow: index.window,
    before: compared && figuresOf(compared.profile, selection.policy, null),
    changes: compared && changesOf(compared),
    advice: adviceOf(index, selection),
    topLines: Array.from({ length: Math.min(topRows, lines.count) }, (_, row) => {
      const name = files[lines.file[row]].path.split('/').pop();
      return {
        label: `${name}:${lines.line[row]} ${functions.name[lines.function[row]] ?? ''}`.trimEnd(),
        location: location(profile, lines.file[row], lines.line[row]),
        reads: lines.reads[row],
        writes: lines.writes[row],
        pages: pagesOfCode(index, lines.pages[row]),
        hotness: CLASS_NAMES[lines.hotness[row]],
        tier: index.tierOfShares(index.objectsOfLine(row), selection.policy),
      };
    }),
    topObjects: hottestObjects(profile).map(row => ({
      label: objects.name[row],
      location: location(profile, objects.file[row], objects.line[row]),
      reads: objects.reads[row],
      writes: objects.writes[row],
      bytes: objects.bytes[row],
      hotness: CLASS_NAMES[objects.hotness[row]],
      tier: index.tierOfObject(row, selection.policy),
    })),
    warnings: profile.warnings.map(l10n.shown),
  };
  return { facts };
};

/** Of the window that lines are of, which may be the whole run while pages are of a part of it. */
function runAccesses({ lines, unattributed }: Profile): number {
  const sum = (values: Float64Array) => values.reduce((all, value) => all + value, 0);
  return sum(lines.reads) + sum(lines.writes) + unattributed.reads + unattributed.writes;
}

/** @param window epochs of the peak; null: all */
function figuresOf(profile: Profile, policy: string, window: readonly [number, number] | null): RunFigures {
  const { pages, totals, epochs, distribution, placement } = profile;
  const classes = [0, 0, 0];
  for (let page = 0; page < pages.count; page++) classes[pages.hotness[page]]++;
  const [from, to] = window ?? [0, epochs.count];
  const result = [...placement.policies, placement.oracle].find(({ id }) => id === policy);
  return {
    reads: totals.reads,
    writes: totals.writes,
    trafficReads: totals.trafficReads,
    trafficWrites: totals.trafficWrites,
    pagesTouched: totals.pagesTouched,
    pagesRead: totals.pagesRead,
    pagesWritten: totals.pagesWritten,
    hotPages: classes[HOT],
    warmPages: classes[WARM],
    coldPages: classes[COLD],
    peakWorkingSet: epochs.pages.subarray(from, to).reduce((most, count) => Math.max(most, count), 0),
    modelledNs: totals.modelledNs,
    density: distribution.density,
    slowdown: result
      ? { policy: result.id, value: result.modelledSlowdown, range: result.modelledSlowdownRange }
      : null,
  };
}

/** In a window the table keeps the order of the whole run. */
function hottestObjects({ objects }: Profile): number[] {
  const accesses = (row: number) => objects.reads[row] + objects.writes[row];
  return Array.from({ length: objects.count }, (_, row) => row)
    .sort((a, b) => accesses(b) - accesses(a) || a - b)
    .slice(0, topRows);
}

function changesOf({ diff }: Baseline): OverviewFacts['changes'] {
  const kind = diff.unfollowed.length > 0 ? 'functions' : 'lines';
  const changed = diff[kind].filter(row => changeOf(row) !== 0);
  const place = (row: DiffedRow): Location | null => (row.now && row.file ? { file: row.file, line: row.line } : null);
  const name = ({ file, line }: DiffedRow) => `${file.split('/').pop()}:${line}`;
  const accesses = (counts: DiffedRow['now']) => (counts ? counts.reads + counts.writes : 0);
  const share = (counts: DiffedRow['now'], of: number) => (counts ? accesses(counts) / Math.max(of, 1) : null);
  const rowOf = (row: DiffedRow, label: string): ChangedRow => ({
    label,
    location: place(row),
    before: share(row.before, diff.before.accesses),
    now: share(row.now, diff.now.accesses),
    accessesBefore: accesses(row.before),
    accessesNow: accesses(row.now),
  });
  return {
    kind,
    source: changed
      .slice(0, changedRows)
      .map(row => rowOf(row, kind === 'lines' ? `${name(row)} ${row.name}`.trimEnd() : row.name)),
    objects: diff.objects.slice(0, changedRows).map(row => ({
      ...rowOf(row, row.name),
      bytesBefore: row.bytesBefore,
      bytesNow: row.bytesNow,
    })),
    sources: changed.length,
    allocations: diff.objects.length,
    cautions: diff.cautions.map(l10n.shown),
  };
}

/** From the exact counts of the whole run, whatever is shown of it. */
function adviceOf(index: ProfileIndex, selection: Selection): AdviceFacts[] {
  const { exact } = index;
  const { profile } = exact;
  const policy = exact.policy(selection.policy);
  if (!policy || profile.placement.tiers.length === 0) return [];
  return bestAdvice({ index: exact, profile, policy }, adviceCount).map(
    ({ action, evidence, gain, object, view }): AdviceFacts => ({
      action,
      evidence,
      gain,
      view,
      object: object === null ? null : index.objectFromExact(object),
      location: object === null ? null : location(profile, profile.objects.file[object], profile.objects.line[object]),
    }),
  );
}
