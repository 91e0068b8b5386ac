/**
 * The map's vertical axis: touched pages in ascending order of process and address, with the gaps between them and the
 * runs that belong to one object. Found once a profile; a part of the axis is then told from few of its million rows.
 */
import type { Profile } from '../../model/profile.js';
import type { HeatmapFacts } from '../../protocol.js';
import type { ProfileIndex } from '../profileIndex.js';
import { location } from '../views/view.js';
import { firstAtLeast } from './bins.js';
import { largestSpread } from './largest.js';

/** Names beyond this many could not be read at any height. */
const maxSegments = 100;
const maxObjectRuns = 200;

export interface ObjectRun {
  readonly from: number;
  readonly to: number;
  /** Row of `objects`: the one with most of the accesses of each of these pages. */
  readonly object: number;
}

export class PageRows {
  readonly #profile: Profile;
  /** Rows before which addresses are missing or another process begins, and how many pages are missing. */
  readonly #gapAt: Uint32Array;
  readonly #gapPages: Float64Array;
  /** First rows of runs of one object, and the end of the last. */
  readonly #runAt: Uint32Array;

  constructor(profile: Profile) {
    this.#profile = profile;
    const { count, process, number, object } = profile.pages;
    const gapAt: number[] = [];
    const gapPages: number[] = [];
    const runAt: number[] = count > 0 ? [0] : [];
    for (let row = 1; row < count; row++) {
      const missing = process[row] === process[row - 1] ? number[row] - number[row - 1] - 1 : Number.POSITIVE_INFINITY;
      if (missing > 0) {
        gapAt.push(row);
        gapPages.push(missing);
      }
      if (object[row] !== object[row - 1]) runAt.push(row);
    }
    this.#gapAt = Uint32Array.from(gapAt);
    this.#gapPages = Float64Array.from(gapPages);
    runAt.push(count);
    this.#runAt = Uint32Array.from(runAt);
  }

  /** Runs of rows of one object that overlap [from, to), cut to it; at most `most`, the longest of all and of each part. */
  runs(from: number, to: number, most: number, wanted?: ReadonlySet<number>): ObjectRun[] {
    const at = this.#runAt;
    const end = (run: number) => Math.min(at[run + 1], to);
    const start = (run: number) => Math.max(at[run], from);
    const objectOf = (run: number) => this.#profile.pages.object[at[run]];
    let first = firstAtLeast(at, from, 0, at.length);
    if (at[first] !== from) first--;
    const last = firstAtLeast(at, to, 0, at.length);
    const length = (run: number) => (wanted && !wanted.has(objectOf(run)) ? 0 : end(run) - start(run));
    const places = { start: from, end: to, at: start };
    return largestSpread(Math.max(first, 0), Math.min(last, at.length - 1), most, length, places).map(run => ({
      from: start(run),
      to: end(run),
      object: objectOf(run),
    }));
  }

  /** From the first row of these objects to behind their last; null where they have none. */
  extent(objects: ReadonlySet<number>): readonly [number, number] | null {
    const at = this.#runAt;
    const isTheirs = (run: number) => run < at.length - 1 && objects.has(this.#profile.pages.object[at[run]]);
    const first = at.findIndex((_, run) => isTheirs(run));
    return first < 0 ? null : [at[first], at[at.findLastIndex((_, run) => isTheirs(run)) + 1]];
  }

  /**
   * Runs of adjacent pages in [from, to). Where there are more than can be named, small gaps are bridged, so that what
   * stays apart is what lies far apart in memory.
   */
  segments(index: ProfileIndex, from: number, to: number, policy: string): HeatmapFacts['segments'] {
    const { pages, objects, options } = this.#profile;
    const first = firstAtLeast(this.#gapAt, from + 1, 0, this.#gapAt.length);
    const last = firstAtLeast(this.#gapAt, to, 0, this.#gapAt.length);
    const places = { start: from, end: to, at: (gap: number) => this.#gapAt[gap] };
    const widest = largestSpread(first, last, maxSegments - 1, gap => this.#gapPages[gap], places);
    const gaps = widest.map(gap => this.#gapAt[gap]);
    const borders = to > from ? [from, ...gaps, to] : [];
    const runs = this.runs(from, to, maxObjectRuns);
    return borders.slice(0, -1).map((start, i) => {
      const end = borders[i + 1];
      return {
        from: start,
        to: end,
        address: `0x${(BigInt(pages.number[start]) * BigInt(options.pageSize)).toString(16)}`,
        bytes: (end - start) * options.pageSize,
        objects: runs
          .filter(run => run.from < end && run.to > start)
          .map(({ object, ...run }) => ({
            object,
            from: Math.max(run.from, start),
            to: Math.min(run.to, end),
            name: objects.name[object],
            tier: index.tierOfObject(object, policy),
            location: location(this.#profile, objects.file[object], objects.line[object]),
          })),
      };
    });
  }
}
