/** The trackers on generated runs: beside a reference that has the accesses, alone and together. */
import { describe, expect, test } from 'vitest';
import { QUANTUM } from '../../core/kernel/abi.js';
import { costsOf } from '../../core/machine/costs.js';
import { countedReplay } from '../../core/machine/results.js';
import type { TrackerResult } from '../../core/model/profile.js';
import { TrackerRun, trackerResults } from '../../core/tracking/run.js';
import { tooShort } from '../../core/tracking/tracker.js';
import { trackers } from '../../core/tracking/trackers.js';
import { type Access, Emulated } from '../machine/emulated.js';

const PAGE = 4096;
/** A tracker's second in modelled ns is 1e9 / this: a few quanta of hits. */
const TIME_SCALE = 15_000;

interface Outcome {
  readonly rows: TrackerResult[];
  readonly counts: unknown;
  /** For each quantum, the modelled time at its end. */
  readonly times: number[];
  /** Address of each row. */
  readonly addresses: number[];
}

function replay(
  ids: readonly string[],
  accesses: readonly Access[],
  options: { pmlEntries?: number; threads?: number } = {},
): Outcome {
  const e = new Emulated({ pmlEntries: options.pmlEntries ?? 512 }, {}, Array(options.threads ?? 1).fill(0));
  const run = new TrackerRun(e.inspect, ids, {
    parameters: {},
    costs: costsOf('skylake'),
    pageSize: PAGE,
    pmlEntries: options.pmlEntries ?? 512,
    cyclesPerNs: e.machine.preset.frequencyGHz.value,
    timeScale: TIME_SCALE,
    tlbEntries: 1536,
  });
  const times: number[] = [];
  for (let from = 0; from < accesses.length; from += QUANTUM) {
    e.replay(accesses.slice(from, from + QUANTUM));
    if (from + QUANTUM > accesses.length) break;
    run.quantum();
    times.push(e.machine.modelledNs());
  }
  const { pages, rowOfPage } = countedReplay(e.kernel, e.finish());
  const counts = e.machine.counts();
  const { reads, writes } = pages;
  const rows = trackerResults(run.finish(), { reads, writes, rowOfPage, busyNs: counts.busyCycles / 4 });
  return { rows, counts, times, addresses: Array.from(pages.number, number => number * PAGE) };
}

/** A run in phases: a window of pages that moves, some written, some only read, in an order that repeats pages. */
function phases(length: number, threads = 1): Access[] {
  let state = 1;
  const random = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  return Array.from({ length }, (_, i) => {
    const window = Math.floor(i / 60_000) * 300;
    const page = window + Math.min(random(700), random(700));
    return {
      // Threads take turns, since a batch belongs to one.
      vcpu: Math.floor(i / 4096) % threads,
      address: 0x10_0000_0000 + page * PAGE + random(64) * 64,
      write: page % 3 !== 0 && random(8) === 0,
    };
  });
}

/** Splits a run at the quanta where a timer of the trackers' second is due, by its definition. */
function periods(accesses: readonly Access[], times: readonly number[]): Access[][] {
  const period = 1e9 / TIME_SCALE;
  const parts: Access[][] = [[]];
  let next = period;
  for (let q = 0; q * QUANTUM < accesses.length; q++) {
    parts[parts.length - 1].push(...accesses.slice(q * QUANTUM, (q + 1) * QUANTUM));
    if (times[q] === undefined || times[q] < next) continue;
    next = times[q] + period;
    parts.push([]);
  }
  return parts;
}

const run = phases(250_000);
const all = replay(Object.keys(trackers), run);
const row = (outcome: Outcome, id: string) => outcome.rows.find(r => r.id === id)!;

describe('trackers', () => {
  test('each alone gives the row that it gives among all', () => {
    for (const id of Object.keys(trackers)) expect(replay([id], run).rows).toEqual([row(all, id)]);
  });

  test('none disturbs the machine', () => {
    expect(all.counts).toEqual(replay([], run).counts);
  });

  test('an unknown one is refused with those that exist', () => {
    expect(() => replay(['pebs'], [])).toThrow(/tracker pebs: unknown; known: exact, pml, ept-ad-scan/);
  });
});

describe('exact', () => {
  test('scores itself as perfect and reports the counts', () => {
    const exact = row(all, 'exact');
    expect(exact).toMatchObject({ precision: 1, recall: 1, f1: 1, workingSetError: 0, vmExits: 0, overheadPercent: 0 });
    expect(exact.periods).toBeNull();
    let n = 0;
    for (const column of [exact.pageReads!, exact.pageWrites!]) for (const value of column) n += value;
    expect(n).toBe(run.length);
  });
});

describe('EPT A/D scan', () => {
  test('reports in how many periods each page was accessed but clean, and dirty', () => {
    const reads = new Map<number, number>();
    const writes = new Map<number, number>();
    const parts = periods(run, all.times);
    expect(parts.length).toBeGreaterThan(5);
    for (const part of parts) {
      const pageOf = (a: Access) => a.address - (a.address % PAGE);
      const written = new Set(part.filter(a => a.write).map(pageOf));
      for (const page of new Set(part.map(pageOf))) {
        const side = written.has(page) ? writes : reads;
        side.set(page, (side.get(page) ?? 0) + 1);
      }
    }
    const scan = row(all, 'ept-ad-scan');
    expect(Array.from(scan.pageReads!)).toEqual(all.addresses.map(at => reads.get(at) ?? 0));
    expect(Array.from(scan.pageWrites!)).toEqual(all.addresses.map(at => writes.get(at) ?? 0));
    expect(scan.periods).toBe(parts.length - 1);
    expect(scan.vmExits).toBe(parts.length - 1);
  });

  test('finds the whole working set of a run shorter than a period, and says that it is too short', () => {
    const short = phases(5000);
    const scan = row(replay(['ept-ad-scan'], short), 'ept-ad-scan');
    expect(scan).toMatchObject({ periods: 0, workingSetError: 0 });
    expect(scan.warnings).toHaveLength(1);
    expect(scan.warnings[0]).toMatch(/^too short: 0 periods of 1 s at time scale \d+, 10 are wanted: /);
  });
});

test('a run that is too short is told which time scale would do, ten periods and a tenth more', () => {
  const timer = (completed: number, seconds: number) => ({ completed, seconds, timeScale: 1 });
  // 11 s in 14.4 ms: 763.9; in 3 s: 3.67.
  expect(tooShort(timer(0, 1), 14.4e6)).toEqual([
    'too short: 0 periods of 1 s at time scale 1, 10 are wanted: --time-scale 770 would do',
  ]);
  expect(tooShort(timer(1, 1), 3e9)[0]).toMatch(/^too short: 1 period of 1 s .*: --time-scale 4 would do$/);
  expect(tooShort(timer(0, 120), 1000)[0]).toMatch(/: it takes a longer run$/);
  expect(tooShort(timer(10, 1), 10e9)).toEqual([]);
});

describe('PML', () => {
  /** The log by its rules, from the accesses: entries, and exits of a log of `size` for each vCPU. */
  function reference(parts: readonly Access[][], size: number) {
    const logged = new Map<number, number>();
    const used: number[] = [];
    let entries = 0;
    let tables = 0;
    let full = 0;
    for (const part of parts) {
      const accessed = new Set<number>();
      const dirty = new Set<number>();
      const dirtyTables = new Set<string>();
      used.fill(0);
      for (const { vcpu, address, write } of part) {
        const page = Math.floor(address / PAGE);
        const flag = (log: boolean) => {
          used[vcpu] ??= 0;
          if (used[vcpu] === size) {
            full++;
            used[vcpu] = 0;
          }
          if (log) {
            used[vcpu]++;
            entries++;
          }
        };
        const first = !accessed.has(page);
        const firstWrite = write && !dirty.has(page);
        if (first) {
          accessed.add(page);
          for (const level of [4, 3, 2, 1]) {
            const table = `${level}:${Math.floor(page / 512 ** level)}`;
            if (dirtyTables.has(table)) continue;
            dirtyTables.add(table);
            tables++;
            flag(true);
          }
        }
        if (first || firstWrite) flag(firstWrite);
        if (firstWrite) {
          dirty.add(page);
          logged.set(page * PAGE, (logged.get(page * PAGE) ?? 0) + 1);
        }
      }
    }
    return { logged, entries, tables, full };
  }

  test('logs each written page and each page table once a period, and exits when the log is full', () => {
    for (const pmlEntries of [64, 512]) {
      const outcome = replay(['pml'], run, { pmlEntries });
      const pml = row(outcome, 'pml');
      const expected = reference(periods(run, outcome.times), pmlEntries);
      expect(Array.from(pml.pageWrites!)).toEqual(outcome.addresses.map(at => expected.logged.get(at) ?? 0));
      expect(pml.pageReads).toBeNull();
      expect(pml.own).toMatchObject({
        logEntries: expected.entries,
        tablePageEntries: expected.tables,
        logFullExits: expected.full,
      });
      expect(pml.vmExits).toBe(expected.full + pml.periods!);
    }
  });

  test('keeps a log for each vCPU', () => {
    const threaded = phases(200_000, 3);
    const outcome = replay(['pml'], threaded, { pmlEntries: 64, threads: 3 });
    const expected = reference(periods(threaded, outcome.times), 64);
    expect(row(outcome, 'pml').own).toMatchObject({ logEntries: expected.entries, logFullExits: expected.full });
  });

  test('its sweep gives for every size the exits of a run with that size', () => {
    const sweep = row(all, 'pml').own;
    for (const entries of [64, 1024]) {
      const separate = row(replay(['pml'], run, { pmlEntries: entries }), 'pml');
      expect(sweep[`logFullExitsAt${entries}Entries`]).toBe(separate.own.logFullExits);
    }
  });

  test('reports nothing of a program that only reads: no scores', () => {
    const pml = row(
      replay(
        ['pml'],
        run.map(access => ({ ...access, write: false })),
      ),
      'pml',
    );
    expect(pml).toMatchObject({ pagesReported: null, precision: null, f1: null, rankCorrelation: null });
    expect(pml.own.logEntries).toBe(pml.own.tablePageEntries);
  });

  test('misses the pages that are only read', () => {
    const pml = row(all, 'pml');
    expect(pml.workingSetError).toBeLessThan(-0.3);
    expect(row(all, 'ept-ad-scan').workingSetError).toBe(0);
  });
});
