/** The trackers on generated runs: beside a reference that has the accesses, alone and together. */
import { describe, expect, test } from 'vitest';
import { QUANTUM } from '../../core/kernel/abi.js';
import { tooShort } from '../../core/tracking/tracker.js';
import { trackers } from '../../core/tracking/trackers.js';
import type { Access } from '../machine/emulated.js';
import { PAGE, periods, phases, replay, row } from './runs.js';

const run = phases(250_000);
const all = replay(Object.keys(trackers), run);

describe('trackers', () => {
  test('each alone gives the row that it gives among all', () => {
    for (const id of Object.keys(trackers)) expect(replay([id], run).rows).toEqual([row(all, id)]);
  });

  test('so does each with three threads', () => {
    const threaded = phases(100_000, 3);
    const together = replay(Object.keys(trackers), threaded, { threads: 3 });
    for (const id of Object.keys(trackers))
      expect(replay([id], threaded, { threads: 3 }).rows).toEqual([row(together, id)]);
  });

  test('none disturbs the machine', () => {
    expect(all.counts).toEqual(replay([], run).counts);
  });

  test('an unknown one is refused with those that exist', () => {
    expect(() => replay(['no-such'], [])).toThrow(/tracker no-such: unknown; known: exact, pml, .*ept-ad-scan/);
  });
});

test('readings through time add up to those of the run, for each that names pages', () => {
  for (const { id, pageReads, pageWrites, heat } of all.rows) {
    if (id === 'exact' || (!pageReads && !pageWrites)) {
      expect(heat).toBeNull();
      continue;
    }
    const sums = [new Float64Array(all.addresses.length), new Float64Array(all.addresses.length)];
    for (const [at, page] of heat!.page.entries()) {
      sums[0][page] += heat!.reads[at];
      sums[1][page] += heat!.writes[at];
    }
    const none = new Float64Array(all.addresses.length);
    expect(sums).toEqual([pageReads ?? none, pageWrites ?? none]);
  }
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

  test('its readings stand in the epoch of the scan', () => {
    const outcome = replay(['ept-ad-scan'], run, { parameters: { 'ept-ad-scan.periodSeconds': 5 } });
    const { heat } = row(outcome, 'ept-ad-scan');
    // An epoch is a quantum long here. A part of the run ends with the quantum in which its scan came.
    expect(heat!.epochsPerBin).toBe(1);
    const expected = new Array<number>(Math.ceil(run.length / QUANTUM)).fill(0);
    let accesses = 0;
    for (const part of periods(run, outcome.times, 5)) {
      accesses += part.length;
      expected[Math.ceil(accesses / QUANTUM) - 1] = new Set(part.map(a => Math.floor(a.address / PAGE))).size;
    }
    expect(expected.filter(pages => pages === 0).length).toBeGreaterThan(5);
    expect(expected.map((_, epoch) => heat!.start[epoch + 1] - heat!.start[epoch])).toEqual(expected);
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
