/** Trackers of the hypervisor on generated runs, beside references that have the accesses. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QUANTUM } from '../../core/kernel/abi.js';
import { costsOf } from '../../core/machine/costs.js';
import { wilson } from '../../core/model/intervals.js';
import { exclusiveCacheCounts } from '../../core/tracking/exclusive-cache.js';
import { Readings, type Told } from '../../core/tracking/readings.js';
import type { Tracker, TrackerContext } from '../../core/tracking/tracker.js';
import { trackers } from '../../core/tracking/trackers.js';
import type { Access } from '../machine/emulated.js';
import { Emulated } from '../machine/emulated.js';
import { oneList, twoLists } from './exclusiveCache.js';
import { PAGE, periods, phases, replay, row } from './runs.js';

const run = phases(250_000);
const ids = ['pml', 'pml-read-write', 'spml', 'epml', 'write-protection', 'present-bit', 'ept-ad-scan', 'esx-sampling'];
const all = replay(ids, run);
const parts = periods(run, all.times);
const pageOf = ({ address }: Access) => Math.floor(address / PAGE) * PAGE;

/** In how many periods the page is among those that `of` names. */
function inPeriods(of: (part: readonly Access[]) => Iterable<number>): number[] {
  const counts = new Map<number, number>();
  for (const part of parts) for (const page of new Set(of(part))) counts.set(page, (counts.get(page) ?? 0) + 1);
  return all.addresses.map(at => counts.get(at) ?? 0);
}

const total = (values: readonly number[]) => values.reduce((sum, n) => sum + n, 0);
const written = inPeriods(part => part.filter(a => a.write).map(pageOf));

describe('write protection', () => {
  const seen = row(all, 'write-protection');

  test('reports in how many periods each page was written, with a trap for each', () => {
    expect(Array.from(seen.pageWrites!)).toEqual(written);
    expect(seen.pageReads).toBeNull();
    expect(seen.own.traps).toBe(total(written));
    expect(seen.vmExits).toBe(total(written) + parts.length - 1);
  });
});

describe('present-bit invalidation', () => {
  const seen = row(all, 'present-bit');

  test('reports in how many periods the first access to each page was a read, and a write', () => {
    const firsts = (part: readonly Access[]) => {
      const first = new Map<number, Access>();
      for (const access of part) if (!first.has(pageOf(access))) first.set(pageOf(access), access);
      return [...first.values()];
    };
    const reads = inPeriods(part =>
      firsts(part)
        .filter(a => !a.write)
        .map(pageOf),
    );
    const writes = inPeriods(part =>
      firsts(part)
        .filter(a => a.write)
        .map(pageOf),
    );
    expect(Array.from(seen.pageReads!)).toEqual(reads);
    expect(Array.from(seen.pageWrites!)).toEqual(writes);
    expect(seen.own.traps).toBe(total(reads) + total(writes));
  });

  test('costs more than write protection, and that more than the scan of flags', () => {
    const cost = (id: string) => row(all, id).overheadPercent;
    expect(cost('present-bit')).toBeGreaterThan(cost('write-protection'));
    expect(cost('write-protection')).toBeGreaterThan(cost('ept-ad-scan'));
  });
});

describe('EPT A/D scan without flush', () => {
  const scans = ['ept-ad-scan', 'ept-ad-scan-no-flush'];
  const cyclic = (pages: number, length: number): Access[] =>
    Array.from({ length }, (_, i) => ({ vcpu: 0, address: (i % pages) * PAGE, write: i % pages === 1 }));

  test('sees each page that stays in the TLB once, where the scan with flush sees it in every period', () => {
    const outcome = replay(scans, cyclic(100, 250_000));
    const [flush, none] = scans.map(id => row(outcome, id));
    expect(flush.periods).toBeGreaterThan(3);
    expect(new Set([...flush.pageReads!, ...flush.pageWrites!])).toEqual(new Set([0, flush.periods! + 1]));
    expect(total([...none.pageReads!])).toBe(99);
    expect(total([...none.pageWrites!])).toBe(1);
    expect(none.vmExits).toBe(0);
    expect(none.overheadPercent).toBeLessThan(flush.overheadPercent);
  });

  test('sees what the scan with flush sees when every access walks', () => {
    const outcome = replay(scans, cyclic(5000, 250_000));
    const [flush, none] = scans.map(id => row(outcome, id));
    expect(none.pageReads).toEqual(flush.pageReads);
    expect(none.pageWrites).toEqual(flush.pageWrites);
  });
});

describe('PML for reads and writes', () => {
  const seen = row(all, 'pml-read-write');

  test('finds what the scan of all flags finds, from the tables in the log alone', () => {
    const scan = row(all, 'ept-ad-scan');
    expect(seen.pageReads).toEqual(scan.pageReads);
    expect(seen.pageWrites).toEqual(scan.pageWrites);
    const leaves = parts.map(part => new Set(part.map(a => Math.floor(a.address / PAGE / 512))).size);
    expect(seen.own.scannedEntries).toBe(512 * total(leaves));
  });

  test('takes the same log entries and exits as PML', () => {
    for (const figure of ['logEntries', 'tablePageEntries', 'logFullExits'])
      expect(seen.own[figure]).toBe(row(all, 'pml').own[figure]);
  });
});

describe('PML for guest processes (OoH)', () => {
  const [pml, spml, epml] = ['pml', 'spml', 'epml'].map(id => row(all, id));

  test('finds the pages that PML finds', () => {
    for (const seen of [spml, epml]) {
      expect(seen.pageWrites).toEqual(pml.pageWrites);
      expect(seen.own.fullBuffers).toBe(pml.own.logFullExits);
    }
  });

  test('exits and maps back in software only: two hypercalls a period, one look-up a logged data page', () => {
    expect(spml.own.hypercalls).toBe(2 * parts.length);
    expect(spml.vmExits).toBe(pml.own.logFullExits + 2 * parts.length);
    expect(spml.own.reverseMappedPages).toBe(total(written));
    expect([epml.vmExits, epml.own.hypercalls, epml.own.reverseMappedPages]).toEqual([0, 0, 0]);
  });

  test('costs the tracked program less when the processor logs for the guest, and its tracker far less', () => {
    expect(epml.overheadPercent).toBeLessThan(spml.overheadPercent);
    // 60 µs to map back beside 24.5 ns to copy.
    expect(spml.own.trackerMs / epml.own.trackerMs).toBeCloseTo((60_040 + 24.5) / 24.5, 6);
  });
});

/** A context for trackers that are driven by hand; a second of theirs is a modelled second. */
function contextOf(id: string, values: Readonly<Record<string, number>> = {}, more: Partial<TrackerContext> = {}) {
  const defaults = Object.entries(trackers[id].parameters).map(([name, parameter]) => [name, parameter.default]);
  let state = 1;
  return {
    parameters: { ...Object.fromEntries(defaults), ...values },
    readings: (told: Told) => new Readings(told, { epochAccesses: QUANTUM }),
    arm() {},
    disarm() {},
    pages: () => 0,
    pageNumber: (page: number) => page,
    stackDistances: () => new Float64Array(1),
    random: (n: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    },
    processOf: () => 0,
    liveVcpus: () => 1,
    costs: costsOf('skylake'),
    pageSize: PAGE,
    pmlEntries: 512,
    cyclesPerNs: 4,
    timeScale: 1,
    tlbEntries: 1536,
    ...more,
  } satisfies TrackerContext;
}
const made = (id: string, values?: Readonly<Record<string, number>>, more?: Partial<TrackerContext>): Tracker =>
  trackers[id].create(contextOf(id, values, more));

/** Page Reference Logging, and its readings of pages. */
function madePrl(values?: Readonly<Record<string, number>>): Tracker & { pageReads(): Float64Array } {
  const readings = new Readings('reads', { epochAccesses: QUANTUM });
  const tracker = made('prl', values, { readings: () => readings });
  return Object.assign(tracker, { pageReads: () => readings.totals().reads! });
}

describe('Page Reference Logging', () => {
  /** Walks to these pages, all reads of vCPU 0. */
  const walks = (pages: readonly number[]) => Uint32Array.from(pages.flatMap(page => [page, 0]));
  const many = (page: number, times: number) => Array<number>(times).fill(page);
  const second = { from: 0, to: 1e9 };

  test('511 addresses fit: the 512th walk interrupts and is not logged', () => {
    const prl = madePrl();
    prl.onWalks!(walks(many(3, 511)), second);
    expect(prl.finish(0).own).toMatchObject({ loggedWalks: 511, logFullEvents: 0 });
    prl.onWalks!(walks([3]), second);
    expect(prl.finish(0).own).toMatchObject({ loggedWalks: 511, logFullEvents: 1 });
    prl.onWalks!(walks([3]), second);
    const seen = prl.finish(0);
    expect(seen.own).toMatchObject({ loggedWalks: 512, logFullEvents: 1, lostWalks: 0 });
    expect(prl.pageReads()[3]).toBe(512);
    expect(seen.vmExits).toBe(0);
  });

  test('keeps a log for each vCPU', () => {
    const prl = made('prl', { entries: 4 });
    // Page 0 walked by vCPU 0 and 1 in turn: 3 fit in each.
    prl.onWalks!(
      Uint32Array.from({ length: 14 }, (_, i) => (i % 2 ? ((i >> 1) % 2) << 2 : 0)),
      second,
    );
    expect(prl.finish(0).own).toMatchObject({ loggedWalks: 6, logFullEvents: 1 });
  });

  test('loses the walks that find the handler running', () => {
    const prl = made('prl', { entries: 3, handlerNs: 25 });
    // A walk every 10 ns: 2 logged, the interrupt at 20 ns, lost at 30 and 40 ns, logged again from 50 ns on.
    prl.onWalks!(walks(many(1, 6)), { from: 0, to: 60 });
    expect(prl.finish(0).own).toMatchObject({ loggedWalks: 3, logFullEvents: 1, lostWalks: 2 });
  });

  test('the working set is the number of pages above tau once it has been the same for omega', () => {
    const prl = madePrl({ tau: 2, sampleSeconds: 10, omegaSeconds: 20 });
    const at = (seconds: number, pages: readonly number[]) => {
      if (pages.length) prl.onWalks!(walks(pages), second);
      prl.onTime(seconds * 1e9);
      return prl.finish(seconds * 1e9).own;
    };
    // dist at 10 s, 20 s, ...: 1, 2, 2, 2.
    expect(at(10, [...many(1, 3), 2, 2])).toMatchObject({ workingSetEstimates: 0, workingSetPages: 1 });
    expect(at(20, [2])).toMatchObject({ workingSetEstimates: 0, workingSetPages: 2 });
    expect(at(30, [1, 3])).toMatchObject({ workingSetEstimates: 0 });
    expect(at(40, [])).toMatchObject({ workingSetEstimates: 1, workingSetPages: 2 });
    // The counters begin anew, while the page's reading goes on.
    expect(at(50, many(4, 3))).toMatchObject({ workingSetEstimates: 1, workingSetPages: 2 });
    expect(prl.pageReads().slice(0, 5)).toEqual(Float64Array.of(0, 4, 3, 1, 3));
  });

  test('logs as often as the machine walks: reads and writes, repeats too', () => {
    const pages = 3000;
    const accesses = Array.from({ length: 32_768 }, (_, i) => ({
      vcpu: 0,
      address: (i % pages) * PAGE,
      write: i % 2 > 0,
    }));
    const outcome = replay(['prl'], accesses, { parameters: { 'prl.entries': 65_536 } });
    // More pages than the TLBs hold, in a cycle: every access walks.
    expect(row(outcome, 'prl').own.loggedWalks).toBe(32_768);
    expect(Array.from(row(outcome, 'prl').pageReads!)).toEqual(
      Array.from({ length: pages }, (_, page) => Math.ceil((32_768 - page) / pages)),
    );
  });
});

describe('ESX sampling', () => {
  test('gives no page identity: no columns, no scores', () => {
    expect(row(all, 'esx-sampling')).toMatchObject({ pageReads: null, pageWrites: null, precision: null, f1: null });
  });

  test('finds all of its pages active when all are touched in each period', () => {
    const touched = 50;
    const accesses = Array.from({ length: 250_000 }, (_, i) => ({
      vcpu: 0,
      address: (i % touched) * PAGE,
      write: false,
    }));
    const seen = row(
      replay(['esx-sampling'], accesses, { parameters: { 'esx-sampling.periodSeconds': 1 } }),
      'esx-sampling',
    );
    expect(seen.periods).toBeGreaterThan(3);
    expect(seen.own).toMatchObject({ meanActiveShare: 1, allocationPages: touched, activePages: touched });
  });

  test('finds a quarter of an allocation active of which a quarter is touched, within its interval', () => {
    const accesses = Array.from({ length: 250_000 }, (_, i) => ({ vcpu: 0, address: (i % 64) * PAGE, write: false }));
    const parameters = {
      'esx-sampling.periodSeconds': 1,
      'esx-sampling.allocationMiB': 1,
      'esx-sampling.samples': 100,
    };
    const { own } = row(replay(['esx-sampling'], accesses, { parameters }), 'esx-sampling');
    expect(own.allocationPages).toBe(256);
    expect(own.lastPeriodActivePagesLow95).toBeLessThan(64);
    expect(own.lastPeriodActivePagesHigh95).toBeGreaterThan(64);
  });

  /** Drives the tracker for periods in which the given share of the pages is touched. */
  function shares(list: readonly number[], values: Readonly<Record<string, number>> = {}) {
    let armed: number[] = [];
    const pages = 10_000;
    const esx = made('esx-sampling', values, {
      pages: () => pages,
      arm: (_arms, drawn) => {
        armed = Array.from(drawn!);
      },
    });
    const found: number[] = [];
    for (const [i, share] of list.entries()) {
      for (const page of armed) {
        if (page >= share * pages) continue;
        esx.onFlag!({ page, vcpu: 0, table: 0, accessed: true, dirty: false, write: false });
      }
      esx.onTime((i + 1) * 30e9);
      const { lastPeriodActivePages } = esx.finish((i + 1) * 30e9).own;
      found.push(lastPeriodActivePages / pages);
    }
    return { found, own: esx.finish(list.length * 30e9).own };
  }

  test('uses the greatest of three averages: growth shows at once, shrinking slowly', () => {
    const gains = { slowGain: 0.1, fastGain: 0.5 };
    // All active, then nothing for two periods: slow 0.9, 0.81; fast 0.5, 0.25.
    expect(shares([1, 0, 0], gains).own.activePages).toBeCloseTo(8100, 6);
    // Nothing, then all: slow 0.1, fast 0.5; the running period has nothing yet.
    expect(shares([0, 1], gains).own.activePages).toBeCloseTo(5000, 6);
  });

  test('its interval is the published one of Wilson', () => {
    // Agresti and Coull 1998: 0 of 10 gives (0, 0.278), 5 of 10 (0.237, 0.763).
    expect(wilson(0, 10).low).toBe(0);
    expect(wilson(0, 10).high).toBeCloseTo(0.278, 3);
    expect(wilson(5, 10).low).toBeCloseTo(0.237, 3);
    expect(wilson(5, 10).high).toBeCloseTo(0.763, 3);
  });

  test('K 14: the standard deviation of the share is at most 0.05 with 100 pages (E.1)', () => {
    const { found } = shares(Array<number>(3000).fill(0.5));
    const mean = total(found) / found.length;
    const sd = Math.sqrt(total(found.map(f => (f - mean) ** 2)) / (found.length - 1));
    // The sd of a sample's sd is 0.05 / sqrt(2 * 3000) = 0.0006; drawing without repetition makes it 0.5 % smaller.
    expect(mean).toBeGreaterThan(0.497);
    expect(mean).toBeLessThan(0.503);
    expect(sd).toBeGreaterThan(0.0478);
    expect(sd).toBeLessThan(0.0518);
  });
});

describe('hypervisor exclusive cache (Lu and Shen; K 13)', () => {
  const traces = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 400, size: 'max' });
  const split = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.nat({ max: 20 }), fc.nat({ max: 20 }));

  const splits = fc.array(split, { minLength: 20, maxLength: 20 });

  /** The kernel's stack distances of a trace of pages. */
  function distances(pages: readonly number[]): Float64Array {
    const e = new Emulated();
    e.replay(pages.map(page => ({ vcpu: 0, address: page * PAGE, write: false })));
    return e.finish().distances;
  }

  test('for any trace and split it serves what the two lists serve, and causes the I/O of one list', () => {
    fc.assert(
      fc.property(traces, splits, (pages, list) => {
        const found = distances(pages);
        for (const [guest, cache, ghost] of list) {
          const counts = exclusiveCacheCounts(found, guest, cache, ghost);
          expect(counts).toMatchObject(twoLists(pages, guest, cache, ghost));
          expect(counts.ioReads).toBe(oneList(pages, guest + cache));
        }
      }),
      { numRuns: 50 },
    );
  });

  test("its prediction is Mattson's curve from the guest's part to the end of the ghost list", () => {
    fc.assert(
      fc.property(traces, split, (pages, [guest, cache, ghost]) => {
        const counts = exclusiveCacheCounts(distances(pages), guest, cache, ghost);
        for (let x = 0; x <= cache + ghost; x++) expect(counts.predictedMisses(x)).toBe(oneList(pages, guest + x));
      }),
      { numRuns: 20 },
    );
  });

  test('as a tracker: sizes are shares of the touched pages', () => {
    const scan = Array.from({ length: 40_000 }, (_, i) => ({ vcpu: 0, address: (i % 1000) * PAGE, write: false }));
    const seen = row(replay(['exclusive-cache'], scan), 'exclusive-cache');
    // A cyclic scan misses always in any LRU list that is too short: only the ghost would have held it.
    expect(seen.own).toMatchObject({
      guestPages: 500,
      cachePages: 250,
      guestMisses: 40_000,
      cacheHits: 0,
      ghostHits: 39_000,
      ioReads: 40_000,
      predictedMissesAt90Percent: 40_000,
      predictedMissesAt100Percent: 1000,
    });
    expect(seen).toMatchObject({ pageReads: null, pageWrites: null, precision: null });
  });
});
