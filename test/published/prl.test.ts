/**
 * Page Reference Logging and PML as estimators of the working set, as published: Bitchebe et al., "Extending Intel PML for
 * HW-assisted Working Set Size Estimation of VMs", VEE 2021 (mechanisms reference, B.4, B.5; rows K 5 and K 6).
 */
import { describe, expect, test } from 'vitest';
import { QUANTUM } from '../../core/kernel/abi.js';
import { costsOf } from '../../core/machine/costs.js';
import { type Observed, TrackerRun } from '../../core/tracking/run.js';
import { trackers } from '../../core/tracking/trackers.js';
import { Emulated } from '../machine/emulated.js';

const PAGE = 4096;
/** The synthetic program's array of 400 MB. */
const PAGES = 102_400;
const MIB = 2 ** 20;
// Sites of `Emulated`: 8 bytes, read and write.
const READ = 6;
const WRITE = 7;

const addresses = BigUint64Array.from({ length: PAGES }, (_, page) => BigInt(page * PAGE));

/** A pass over the array for each site; `quantum` is called as a replay does. */
function passes(e: Emulated, sites: readonly number[], quantum?: () => void): void {
  let done = 0;
  for (const site of sites) {
    for (let from = 0; from < PAGES; ) {
      const to = Math.min(PAGES, from + QUANTUM - (done % QUANTUM));
      e.kernel.access(0, new Uint32Array(to - from).fill(site), addresses.subarray(from, to));
      e.kernel.flush();
      done += to - from;
      from = to;
      if (done % QUANTUM === 0) quantum?.();
    }
  }
}

/** Modelled ns of a pass, once the tables exist. */
function passNs(): number {
  const e = new Emulated();
  passes(e, [READ]);
  const first = e.machine.modelledNs();
  passes(e, [READ, READ]);
  return (e.machine.modelledNs() - first) / 2;
}

describe('K 5: RRWW, WWRR and RWRW on 102,400 pages, at half time', () => {
  /** Passes of a half: more than tau, then enough for omega, with two passes to a sample of the working set. */
  const HALF = 75;
  const samples = passNs() * 2;
  const letters = { R: READ, W: WRITE };

  /** What both say of the working set when half of the program is over, pages. */
  function estimates(half: string): { pml: number; prl: Observed['seen']['own'] } {
    const e = new Emulated();
    const run = new TrackerRun(e.inspect, ['pml', 'prl'], {
      parameters: {},
      costs: costsOf('skylake'),
      pageSize: PAGE,
      pmlEntries: 512,
      cyclesPerNs: e.machine.preset.frequencyGHz.value,
      timeScale: (trackers.prl.parameters.sampleSeconds.default * 1e9) / samples,
      tlbEntries: 1600,
    });
    const sites = Array.from({ length: HALF }, (_, i) => letters[half[Math.floor((2 * i) / HALF)] as 'R' | 'W']);
    passes(e, sites, () => run.quantum());
    const [pml, prl] = run.finish();
    return { pml: pml.told!.writes!.filter(periods => periods > 0).length, prl: prl.seen.own };
  }

  const expected = { RRWW: 0, WWRR: PAGES, RWRW: PAGES };
  for (const [order, pmlPages] of Object.entries(expected)) {
    test(`${order}: PML says ${pmlPages === PAGES ? 'all' : 'nothing'}, PRL is wrong by less than 1 MB`, () => {
      const { pml, prl } = estimates(order.slice(0, 2));
      expect(pml).toBe(pmlPages);
      expect(prl.workingSetEstimates).toBe(1);
      expect((Math.abs(prl.workingSetPages - PAGES) * PAGE) / MIB).toBeLessThan(1);
      // Every 512th walk interrupts, and 512 divides the array: the same 200 pages are never logged.
      expect(prl.workingSetPages).toBe(PAGES - PAGES / 512);
    });
  }
});

describe('K 6: log-full events with buffers of 512 and 1,024 entries', () => {
  function events(entries: number, walks: number): number {
    const e = new Emulated();
    const run = new TrackerRun(e.inspect, ['prl'], {
      parameters: { 'prl.entries': entries },
      costs: costsOf('skylake'),
      pageSize: PAGE,
      pmlEntries: 512,
      cyclesPerNs: 4,
      timeScale: 1,
      tlbEntries: 1600,
    });
    passes(e, Array<number>(walks / PAGES).fill(READ), () => run.quantum());
    return run.finish()[0].seen.own.logFullEvents;
  }

  test('halve: published 17,094 and 8,543', () => {
    // How many walks the published run made is not known: the ratio is what can be compared.
    const walks = 20 * PAGES;
    const [small, large] = [events(512, walks), events(1024, walks)];
    expect(small).toBe(walks / 512);
    expect(large).toBe(walks / 1024);
    expect(Math.abs(small / large / (17_094 / 8543) - 1)).toBeLessThan(0.001);
  });
});
