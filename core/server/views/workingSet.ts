/**
 * Working set: distinct pages per epoch, and the miss-ratio curve with the sizes of the machine's caches, of what its
 * TLBs reach and of the tiers on its axis.
 *
 * Where there are more epochs than pixels, a point stands for several: the greatest working set among them, and all
 * pages that entered or left, so that no peak is smoothed away.
 */
import { type MachinePreset, machines } from '../../machine/presets.js';
import * as l10n from '../../model/l10n.js';
import type { Profile } from '../../model/profile.js';
import type { WireColumn, WorkingSetFacts } from '../../protocol.js';
import { type View, wire } from './view.js';

/** Six columns of doubles in base64 stay within half an answer. */
const maxPoints = 8_000;

export const workingSet: View = ({ profile }, query, selection, baseline) => {
  const { epochs, missRatio, options } = profile;
  const wanted = Math.max(1, Math.min(maxPoints, Math.floor(query.pixels?.[0] ?? maxPoints)));
  const epochsPerPoint = Math.max(1, Math.ceil(epochs.count / wanted));
  const points = Math.ceil(epochs.count / epochsPerPoint);
  const fold = (column: Float64Array, join: (a: number, b: number) => number) => {
    const folded = new Float64Array(points);
    for (let epoch = 0; epoch < epochs.count; epoch++) {
      const point = Math.floor(epoch / epochsPerPoint);
      folded[point] = join(folded[point], column[epoch]);
    }
    return wire(folded);
  };
  const add = (a: number, b: number) => a + b;
  const facts: WorkingSetFacts = {
    epochs: epochs.count,
    epochsPerPoint,
    epochAccesses: epochs.accesses,
    pageSize: options.pageSize,
    window: selection.window,
    machineMarks: marksOf(profile),
    knee: kneeOf(missRatio),
  };
  return {
    facts,
    columns: {
      endNs: fold(epochs.endNs, Math.max),
      pages: fold(epochs.pages, Math.max),
      pagesRead: fold(epochs.pagesRead, Math.max),
      pagesWritten: fold(epochs.pagesWritten, Math.max),
      entered: fold(epochs.entered, add),
      left: fold(epochs.left, add),
      missPages: wire(missRatio.pages),
      missRatio: wire(missRatio.missRatio),
      ...(baseline ? columnsBefore(baseline.profile, profile, points, epochsPerPoint) : {}),
    },
  };
};

/** Epochs of the same length stand beside each other; of another length they are other points in the run. */
function columnsBefore(
  before: Profile,
  now: Profile,
  points: number,
  epochsPerPoint: number,
): Readonly<Record<string, WireColumn>> {
  const curve = {
    missPagesBefore: wire(before.missRatio.pages),
    missRatioBefore: wire(before.missRatio.missRatio),
  };
  if (before.epochs.accesses !== now.epochs.accesses) return curve;
  const pages = new Float64Array(points);
  for (let epoch = 0; epoch < Math.min(before.epochs.count, now.epochs.count); epoch++) {
    const point = Math.floor(epoch / epochsPerPoint);
    pages[point] = Math.max(pages[point], before.epochs.pages[epoch]);
  }
  return { ...curve, pagesBefore: wire(pages) };
}

function marksOf({ options, placement, missRatio }: Profile): WorkingSetFacts['machineMarks'] {
  const { pageSize, machine } = options;
  // A sampled run has no curve that could say what they miss.
  if (missRatio.pages.length === 0) return [];
  // A profile of another version may name a machine that this one does not know.
  const preset = Object.hasOwn(machines, machine) ? machines[machine] : null;
  const tiers = placement.tiers.map(tier => ({ label: tier.name, kind: 'tier' as const, bytes: tier.capacityBytes }));
  return [...(preset ? machineSizes(preset, pageSize) : []), ...tiers]
    .map(({ label, kind, bytes }) => ({
      label,
      kind,
      pages: bytes / pageSize,
      missRatio: ratioAt(missRatio, bytes / pageSize),
    }))
    .sort((a, b) => a.pages - b.pages);
}

/** Bytes that each cache holds and each TLB translates; levels without entries of the page size are left out. */
function machineSizes(machine: MachinePreset, pageSize: number) {
  const large = pageSize > 4096;
  const caches = [
    { label: l10n.t('L1 data cache'), bytes: machine.l1d.bytes },
    { label: l10n.t('L2 cache'), bytes: machine.l2.bytes },
    { label: l10n.t('last-level cache'), bytes: machine.llc.bytes },
  ].map(cache => ({ ...cache, kind: 'cache' as const }));
  const tlbs = [
    { label: l10n.t('L1 TLB reach'), bytes: (large ? machine.l1Tlb2m : machine.l1Tlb4k).entries * pageSize },
    { label: l10n.t('L2 TLB reach'), bytes: (large ? machine.l2Tlb2m : machine.l2Tlb4k).entries * pageSize },
  ].map(tlb => ({ ...tlb, kind: 'tlb' as const }));
  return [...caches, ...tlbs.filter(({ bytes }) => bytes > 0)];
}

/** The curve falls in steps: what holds at a size is the last point at or below it; below the first, everything misses. */
function ratioAt({ pages, missRatio }: Profile['missRatio'], size: number): number {
  let ratio = 1;
  for (let i = 0; i < pages.length && pages[i] <= size; i++) ratio = missRatio[i];
  return ratio;
}

/** A bend less deep than this share of the curve's height is none. */
const leastBend = 0.1;

/** The knee after Satopää et al., "Finding a Kneedle in a Haystack" (2011), without its smoothing: the curve is exact. */
function kneeOf({ pages, missRatio }: Profile['missRatio']): WorkingSetFacts['knee'] {
  const last = pages.length - 1;
  if (last < 2 || missRatio[0] <= missRatio[last] || pages[0] <= 0) return null;
  const x = (i: number) => Math.log(pages[i] / pages[0]) / Math.log(pages[last] / pages[0]);
  const y = (i: number) => (missRatio[i] - missRatio[last]) / (missRatio[0] - missRatio[last]);
  let knee = 0;
  for (let i = 1; i < last; i++) if (1 - x(i) - y(i) > 1 - x(knee) - y(knee)) knee = i;
  return 1 - x(knee) - y(knee) < leastBend ? null : { pages: pages[knee], missRatio: missRatio[knee] };
}
