/**
 * Heatmap: address by time, binned to the pixels that can be told apart.
 *
 * A row of the whole map is a touched page in ascending order of process and address (the page table's own order), so
 * untouched memory takes no room. Bins lie on one grid for the whole map and span powers of two of epochs and rows:
 * every access of the shown part falls into exactly one bin, and parts that overlap share their bins.
 */
import { UsageError } from '../../errors.js';
import * as l10n from '../../model/l10n.js';
import type { Profile } from '../../model/profile.js';
import type { HeatmapFacts, Selection, ViewQuery, WireColumn } from '../../protocol.js';
import type { Baseline } from '../baseline.js';
import { type Agreement, agreementInWindow, agreementOfTracker } from '../heat/agreement.js';
import { type BinGrid, sumBins } from '../heat/bins.js';
import { focusRows } from '../heat/focus.js';
import { pageRowsOf, pyramidOf, stampOf } from '../heat/heat.js';
import { agreementOfRows, tierOfRows } from '../heat/rowBins.js';
import type { ProfileIndex } from '../profileIndex.js';
import { trackerLabel } from '../seen.js';
import { wholeBins } from '../window.js';
import { heatDifference } from './heatDifference.js';
import { clampRange, maxAnswerBytes, type View, wire } from './view.js';

/** Three f32 columns in base64 take 16 bytes a bin; an eighth of the answer is left for names. */
const maxBins = Math.floor((maxAnswerBytes * 7) / 8 / 16);

export const heatmap: View = (shown, query, selection, baseline) => {
  const { part, baseline: before } = query.options ?? {};
  if (part === 'difference') return heatDifference(shown, baselineOf(baseline), query);
  const index = before === true ? baselineOf(baseline).index : shown;
  const grid = gridOf(index.profile, query);
  const axes = part === 'bins' ? plainAxes(index, grid) : allAxes(index, grid, selection, before !== true);
  return {
    facts: axes.facts,
    columns: { ...axes.columns, ...(part === 'axes' ? {} : bins(index.profile, grid)) },
  };
};

function baselineOf(baseline: Baseline | null | undefined): Baseline {
  if (!baseline) throw new UsageError(l10n.t('there is no profile to compare with; choose one first'));
  return baseline;
}

type Columns = Readonly<Record<string, WireColumn>>;

function bins(profile: Profile, grid: BinGrid): Columns {
  const { reads, writes, traffic } = sumBins(pyramidOf(profile), grid);
  return { reads: wire(reads), writes: wire(writes), traffic: wire(traffic) };
}

/** The bins that cover what is asked for, as fine as wanted, as pixels, and as an answer has room. */
function gridOf({ heat, epochs, pages }: Profile, { range, pixels = [320, 180], options = {} }: ViewQuery): BinGrid {
  const heatBins = heat.start.length - 1;
  const [fromEpoch, toEpoch] = clampRange(range?.x, epochs.count);
  const [fromRow, toRow] = clampRange(range?.y, pages.count);
  const across = [fromEpoch / heat.epochsPerBin, toEpoch / heat.epochsPerBin] as const;
  const down = [fromRow, toRow] as const;
  let stepBins = powerOfTwo(Number(options.stepX ?? 0) / heat.epochsPerBin) ?? stepFor(across, pixels[0]);
  let stepPages = powerOfTwo(Number(options.stepY ?? 0)) ?? stepFor(down, pixels[1]);
  const count = ([from, to]: readonly [number, number], step: number) => Math.ceil(to / step) - Math.floor(from / step);
  // The axes alone are short; bins must fit an answer, in the pixels' proportions.
  while (options.part !== 'axes' && count(across, stepBins) * count(down, stepPages) > maxBins) {
    if (count(across, stepBins) * pixels[1] > count(down, stepPages) * pixels[0]) stepBins *= 2;
    else stepPages *= 2;
  }
  return {
    stepBins,
    stepPages,
    fromBin: Math.floor(across[0] / stepBins) * stepBins,
    fromPage: Math.floor(fromRow / stepPages) * stepPages,
    columns: heatBins === 0 ? 0 : count(across, stepBins),
    rows: pages.count === 0 ? 0 : count(down, stepPages),
  };
}

/** The smallest power of two that makes at most so many steps of the range. */
function stepFor([from, to]: readonly [number, number], most: number): number {
  const wanted = Math.max(1, Math.floor(most));
  let step = 1;
  while (Math.ceil(to / step) - Math.floor(from / step) > wanted && step < to) step *= 2;
  return step;
}

/** What was asked for, if it is one. */
function powerOfTwo(value: number): number | null {
  return value >= 1 && value <= 2 ** 40 && Number.isInteger(Math.log2(value)) ? value : null;
}

function plainAxes(index: ProfileIndex, grid: BinGrid): { facts: HeatmapFacts; columns: Columns } {
  const { heat, epochs, pages, options, placement } = index.profile;
  const step = heat.epochsPerBin;
  const [fromRow, toRow] = [grid.fromPage, Math.min(grid.fromPage + grid.rows * grid.stepPages, pages.count)];
  const epochOf = (column: number) => Math.min((grid.fromBin + column * grid.stepBins) * step, epochs.count);
  return {
    facts: {
      stamp: stampOf(index.profile),
      columns: grid.columns,
      rows: grid.rows,
      epochs: epochs.count,
      pageRows: pages.count,
      step: { x: grid.stepBins * step, y: grid.stepPages },
      leastStepX: step,
      shown: { x: [epochOf(0), epochOf(grid.columns)], y: [fromRow, toRow] },
      epochAccesses: epochs.accesses,
      counted: index.seen.counted,
      timesNs: [],
      segments: [],
      pageSize: options.pageSize,
      tiers: [...placement.tiers.map(tier => tier.name), 'mixed'],
      agreement: null,
      focus: null,
    },
    columns: {},
  };
}

function allAxes(
  index: ProfileIndex,
  grid: BinGrid,
  selection: Selection,
  /** False: another profile, whose rows are not those of the selection. */
  own: boolean,
): { facts: HeatmapFacts; columns: Columns } {
  const { profile } = index;
  const { facts } = plainAxes(index, grid);
  const [from, to] = facts.shown.y;
  const { endNs, count } = profile.epochs;
  const endOf = (epoch: number) => (epoch === 0 ? 0 : endNs[Math.min(epoch, count) - 1]);
  const rows = pageRowsOf(profile);
  const policy = index.policy(selection.policy);
  const tier = policy && tierOfRows(profile, policy.tierOfObject, profile.placement.tiers.length, grid);
  const agreed = own ? agreementShown(index, selection) : null;
  const ofRows = agreed && agreementOfRows(agreed.status, grid);
  return {
    facts: {
      ...facts,
      timesNs: Array.from({ length: grid.columns + 1 }, (_, column) =>
        endOf((grid.fromBin + column * grid.stepBins) * profile.heat.epochsPerBin),
      ),
      segments: rows.segments(index, from, to, selection.policy),
      agreement: agreed && {
        tracker: trackerLabel(selection.tracker),
        inWindow: selection.window !== null,
        ...agreed.totals,
      },
      focus: own && selection.focus ? focusRows(index, rows, selection.focus, from, to) : null,
    },
    columns: {
      ...(tier && { tier: wire(tier) }),
      ...(ofRows && { found: wire(ofRows.found), missed: wire(ofRows.missed), falsely: wire(ofRows.falsely) }),
    },
  };
}

/** Of the selected window where there is one, of the whole run else. */
function agreementShown({ exact, whole }: ProfileIndex, { tracker, window }: Selection): Agreement | null {
  if (!window || whole === exact) return agreementOfTracker(exact.profile, tracker);
  return agreementInWindow(exact.profile, whole.profile, tracker, wholeBins(whole.profile, window));
}
