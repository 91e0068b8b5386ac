/** Generated runs through the trackers: what their tests share. */
import { QUANTUM } from '../../core/kernel/abi.js';
import { costsOf } from '../../core/machine/costs.js';
import { countedReplay } from '../../core/machine/results.js';
import type { TrackerResult } from '../../core/model/profile.js';
import type { TrackerParameters } from '../../core/tracking/parameters.js';
import { TrackerRun, trackerResults } from '../../core/tracking/run.js';
import { addSamplers, samplersOf } from '../../core/tracking/samples.js';
import { trackers } from '../../core/tracking/trackers.js';
import { type Access, Emulated } from '../machine/emulated.js';

export const PAGE = 4096;
/** A tracker's second in modelled ns is 1e9 / this: a few quanta of hits. */
export const TIME_SCALE = 15_000;

export interface Outcome {
  readonly rows: TrackerResult[];
  readonly counts: unknown;
  /** For each quantum, the modelled time at its end. */
  readonly times: number[];
  /** Address of each row. */
  readonly addresses: number[];
}

export function replay(
  ids: readonly string[],
  accesses: readonly Access[],
  options: { pmlEntries?: number; threads?: number; parameters?: TrackerParameters } = {},
): Outcome {
  const e = new Emulated({ pmlEntries: options.pmlEntries ?? 512 }, {}, Array(options.threads ?? 1).fill(0));
  const { parameters = {} } = options;
  addSamplers(
    e.kernel.exports,
    samplersOf(
      trackers,
      ids.filter(id => Object.hasOwn(trackers, id)),
      parameters,
    ).filter(({ level }) => level === 0),
  );
  const run = new TrackerRun(e.inspect, ids, {
    parameters,
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
  const { pages, rowOfPage, epochs } = countedReplay(e.kernel, e.finish());
  const counts = e.machine.counts();
  const { reads, writes } = pages;
  const rows = trackerResults(run.finish(), {
    reads,
    writes,
    rowOfPage,
    busyNs: counts.busyCycles / 4,
    epochs: epochs.count,
  });
  return { rows, counts, times, addresses: Array.from(pages.number, number => number * PAGE) };
}

/** A run in phases: a window of pages that moves, some written, some only read, in an order that repeats pages. */
export function phases(length: number, threads = 1): Access[] {
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

/** Splits a run at the quanta where a timer of so many of the trackers' seconds is due, by its definition. */
export function periods(accesses: readonly Access[], times: readonly number[], seconds = 1): Access[][] {
  const period = (seconds * 1e9) / TIME_SCALE;
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

export const row = (outcome: Outcome, id: string): TrackerResult => outcome.rows.find(r => r.id === id)!;
