/**
 * DAMON (Linux mm/damon, operations for virtual address spaces; mechanisms.md, J): splits the address space into regions
 * whose pages it takes to be used alike, and watches one random page of each, so that its cost depends on the number of
 * regions and not on the memory.
 *
 * Every sampling interval each region's page is checked: was its accessed flag set since the last check? Then another is
 * drawn and its flag cleared, without a flush, so that a page whose translation stays in the TLB looks idle. A page that
 * is not present is not accessed. Every aggregation interval:
 *
 * 1. regions age, and neighbours with similar counts (difference at most a tenth of the greatest) merge, none beyond all
 *    pages over the least number of regions;
 * 2. the counts are reported, then begin anew;
 * 3. where there are at most half of the greatest number of regions, each is split in two at a random place, or in three
 *    where that number stays the same and is below a third of the greatest.
 *
 * Regions cover the address space but for its two largest gaps, as it was when monitoring began (the first sampling
 * interval), and every update interval after: what is mapped outside in between is not seen.
 *
 * A page's reading is the sum of its region's counts: in how many checks the region was found accessed. A count of k in n
 * checks has the relative standard deviation of a share; the hottest region of the last aggregation is told with its
 * interval of 95 %. Reads and writes are not told apart and stand as reads.
 *
 * Memory: the regions.
 */
import * as l10n from '../model/l10n.js';
import {
  fitRegions,
  initialRegions,
  mergeRegions,
  pagesOf,
  type Region,
  splitRegions,
  threeRanges,
} from './damonRegions.js';
import { type AddressSpace, GuestMemory } from './guestMemory.js';
import { shareFigures } from './intervals.js';
import { periodParameter } from './parameters.js';
import { lowerBound } from './presentPages.js';
import type { Readings } from './readings.js';
import {
  type FlagEvent,
  type Observation,
  Timer,
  type Tracker,
  type TrackerContext,
  timeScaleFor,
  tooShort,
  tracker,
} from './tracker.js';

const bound = (summary: string, value: number, minimum: number) => ({
  summary,
  unit: 'regions',
  default: value,
  minimum,
  maximum: 1e6,
  whole: true,
  source: 'J: regions 10-1000',
});

const parameters = {
  sampleSeconds: periodParameter(0.005, 'J: sample 5 ms'),
  aggregateSeconds: periodParameter(0.1, 'J: aggregate 100 ms'),
  updateSeconds: periodParameter(60, 'J: target update 60 s'),
  leastRegions: bound('regions at least, where there are pages enough', 10, 3),
  mostRegions: bound('regions at most', 1000, 3),
} as const;

type Values = { readonly [Name in keyof typeof parameters]: number };

export const damon = tracker({
  label: 'DAMON',
  summary: 'how often regions of similar pages were accessed, from one random page of each; not single pages',
  needs: 'Linux 5.15 or later with CONFIG_DAMON_VADDR, and root',
  parameters,
  create: context => new Damon(context, context.parameters),
});

/** Bytes of a region in the kernel (Linux 6.3 include/linux/damon.h, `struct damon_region`, 64 bits). */
const REGION_BYTES = 56;

interface Target {
  readonly space: AddressSpace;
  regions: Region[];
  /** Number of the page that is watched in each region. */
  watched: Float64Array;
}

class Damon implements Tracker {
  readonly #context: TrackerContext;
  readonly #parameters: Values;
  readonly #sampling: Timer;
  readonly #updating: Timer;
  readonly #checksInAggregation: number;
  readonly #memory: GuestMemory;
  readonly #targets = new Map<number, Target>();
  /** 1 for each page whose accessed flag is set, by kernel page number. */
  #accessed = new Uint8Array(1024);
  readonly #readings: Readings;
  #checksInRound = 0;
  #aggregations = 0;
  #checks = 0;
  /** Regions at the ends of all aggregations. */
  #aggregated = 0;
  #regionsBefore = 0;
  #mostRegions = 0;
  #sumOfRegions = 0;
  #sumOfActive = 0;
  #hottest: Region | null = null;

  constructor(context: TrackerContext, parameters: Values) {
    this.#context = context;
    this.#parameters = parameters;
    this.#sampling = new Timer(parameters.sampleSeconds, context.timeScale);
    this.#updating = new Timer(parameters.updateSeconds, context.timeScale);
    this.#checksInAggregation = Math.max(1, Math.round(parameters.aggregateSeconds / parameters.sampleSeconds));
    this.#memory = new GuestMemory(context);
    this.#readings = context.readings('reads');
    context.arm({ walk: true });
  }

  onMappings(mappings: Uint32Array): void {
    const gone = this.#memory.change(mappings);
    for (const page of gone) this.#accessed[page] = 0;
    if (gone.length > 0) this.#context.arm({ walk: true }, gone);
  }

  onFlag(event: Readonly<FlagEvent>): void {
    this.#memory.touched(event);
    const { page } = event;
    if (page >= this.#accessed.length) {
      const larger = new Uint8Array(Math.max(page + 1, this.#accessed.length * 2));
      larger.set(this.#accessed);
      this.#accessed = larger;
    }
    this.#accessed[page] = 1;
  }

  onTime(ns: number): void {
    if (!this.#sampling.due(ns)) return;
    this.#check();
    const update = this.#updating.due(ns);
    if (this.#targets.size === 0 || update) this.#update();
    this.#watch();
  }

  /** Fits the regions to what is mapped now; the first time makes them. */
  #update(): void {
    for (const [process, space] of this.#memory.spaces) {
      const ranges = threeRanges(space.mapped.ranges);
      const target = this.#targets.get(process);
      if (target) target.regions = fitRegions(target.regions, ranges);
      else {
        const regions = initialRegions(ranges, this.#parameters.leastRegions);
        this.#targets.set(process, { space, regions, watched: new Float64Array(0) });
      }
    }
    let count = 0;
    for (const { regions } of this.#targets.values()) count += regions.length;
    this.#mostRegions = Math.max(this.#mostRegions, count);
  }

  /** Draws a page of each region and clears its flag. */
  #watch(): void {
    const cleared: number[] = [];
    for (const target of this.#targets.values()) {
      const { regions, space } = target;
      target.watched = Float64Array.from(regions, ({ start, end }) => start + this.#context.random(end - start));
      for (const number of target.watched) {
        const page = space.present.get(number);
        if (page < 0 || !this.#accessed[page]) continue;
        this.#accessed[page] = 0;
        cleared.push(page);
      }
    }
    if (cleared.length > 0) this.#context.arm({ walk: true }, cleared);
  }

  #check(): void {
    if (this.#targets.size === 0) return;
    for (const { regions, watched, space } of this.#targets.values()) {
      this.#checks += regions.length;
      for (let i = 0; i < watched.length; i++) {
        const page = space.present.get(watched[i]);
        if (page >= 0 && this.#accessed[page]) regions[i].accesses++;
      }
    }
    if (++this.#checksInRound === this.#checksInAggregation) this.#aggregate();
  }

  #aggregate(): void {
    this.#checksInRound = 0;
    this.#aggregations++;
    const targets = [...this.#targets.values()];
    const all = targets.flatMap(({ regions }) => regions);
    const threshold = Math.floor(greatest(all) / 10);
    const largest = Math.max(1, Math.floor(pagesOf(all) / this.#parameters.leastRegions));
    this.#mostRegions = Math.max(this.#mostRegions, all.length);
    this.#aggregated += all.length;
    for (const target of targets) target.regions = mergeRegions(target.regions, threshold, largest);
    this.#report(targets);
    this.#split(targets);
  }

  #report(targets: readonly Target[]): void {
    this.#hottest = null;
    for (const { regions, space } of targets) {
      const { numbers, pages } = space.present.ordered();
      this.#sumOfRegions += regions.length;
      for (const region of regions) {
        if (region.accesses > (this.#hottest?.accesses ?? 0)) this.#hottest = { ...region };
        if (region.accesses > 0) this.#sumOfActive += region.end - region.start;
        for (let at = lowerBound(numbers, region.start); region.accesses > 0 && numbers[at] < region.end; at++)
          this.#readings.read(pages[at], region.accesses);
        region.lastAccesses = region.accesses;
        region.accesses = 0;
      }
    }
  }

  #split(targets: readonly Target[]): void {
    const { mostRegions } = this.#parameters;
    const count = targets.reduce((sum, { regions }) => sum + regions.length, 0);
    if (count > mostRegions / 2) return;
    const parts = count === this.#regionsBefore && count < mostRegions / 3 ? 3 : 2;
    this.#regionsBefore = count;
    for (const target of targets) target.regions = splitRegions(target.regions, parts, this.#context.random);
  }

  finish(ns: number): Observation {
    const { costs, timeScale } = this.#context;
    const { aggregateSeconds } = this.#parameters;
    const aggregations = this.#aggregations;
    const n = this.#checksInAggregation;
    return {
      vmExits: 0,
      costNs: this.#checks * costs.damonCheckNs + this.#aggregated * costs.damonAggregationNs,
      memoryBytes: this.#mostRegions * REGION_BYTES,
      periods: aggregations,
      own: {
        checks: this.#checks,
        mostRegions: this.#mostRegions,
        ...(aggregations > 0 && {
          meanRegions: this.#sumOfRegions / aggregations,
          meanActiveRegionPages: this.#sumOfActive / aggregations,
        }),
        ...(this.#hottest && {
          hottestRegionPages: this.#hottest.end - this.#hottest.start,
          hottestRegionAge: this.#hottest.age,
          ...shareFigures('hottestRegionAccessed', this.#hottest.accesses, n),
        }),
      },
      warnings: [
        ...tooShort({ completed: aggregations, seconds: aggregateSeconds, timeScale }, ns, n),
        ...this.#unseen(ns),
      ],
    };
  }

  /** What the kernel knows to be present and no region covers. */
  #unseen(ns: number): string[] {
    let outside = 0;
    for (const [process, { present }] of this.#memory.spaces) {
      const { numbers } = present.ordered();
      const regions = this.#targets.get(process)?.regions ?? [];
      outside += numbers.length;
      for (const { start, end } of regions) outside -= lowerBound(numbers, end) - lowerBound(numbers, start);
    }
    const { updateSeconds } = this.#parameters;
    return outside > 0 && this.#targets.size > 0
      ? [
          l10n.kept(
            '{0} present pages are in no region: they were mapped after the last update, which comes every {1} s; a smaller --tracker-option damon.updateSeconds or --time-scale {2} lets one come',
            outside,
            updateSeconds,
            timeScaleFor(updateSeconds, ns),
          ),
        ]
      : [];
  }
}

function greatest(regions: readonly Region[]): number {
  let most = 0;
  for (const { accesses } of regions) most = Math.max(most, accesses);
  return most;
}
