/**
 * Phases: stretches of a run in which the same code uses the same data.
 *
 * Published. Intervals of a run are told apart by how their work is shared out over the program's code, and two of them
 * compared by the Manhattan distance of these shares: Sherwood, Perelman, Hamerly, Calder, "Automatically Characterizing
 * Large Scale Program Behavior" (ASPLOS 2002, section 3). The memory that they use tells intervals apart that run the
 * same code: Lau, Schoenmackers, Calder, "Structures for Phase Classification" (ISPASS 2004). Neighbours are merged, those
 * first whose union costs least by Ward's formula: Grimm, "CONISS" (Computers & Geosciences 13, 1987), cluster analysis
 * of a sequence whose order is kept.
 *
 * Ours. Code is access sites instead of basic blocks, weighted by their accesses; data are allocations, by the pages that
 * are mostly their own. The greater of both distances counts, and Ward's formula gets it instead of the Euclidean one.
 * Merging ends when all neighbours differ in a quarter of their accesses and none is shorter than a fiftieth of the run;
 * so work that alternates faster than that is one phase, where SimPoint, which ignores order, would find two.
 */
import { NONE } from '../model/columns.js';
import type { Profile } from '../model/profile.js';

/** Share of its accesses that a phase makes by other code, or to other data, than its neighbour: at least that. */
export const LEAST_DIFFERENCE = 0.25;
/** Share of the run's accesses that a phase has at least. */
export const LEAST_SHARE = 0.02;
/** A run is cut into no more: comparing them stays a matter of milliseconds. */
const maxIntervals = 1024;

/** Epochs from (inclusive) and to (exclusive), and what most accesses in them are by and to; NONE: that is not known. */
export interface Phase {
  readonly window: readonly [number, number];
  readonly accesses: number;
  /** Rows of `functions` and `objects`. */
  readonly function: number;
  readonly object: number;
}

/** Accesses by rows of a table, ascending; rows without any are left out. */
interface Shares {
  readonly rows: Uint32Array;
  readonly accesses: Float64Array;
  readonly total: number;
}

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly code: Shares;
  readonly data: Shares;
}

/** The phases of a run in exact counts, in their order; together they are the whole run. */
export function phasesOf(profile: Profile): readonly Phase[] {
  return merged(intervals(profile)).map(({ from, to, code, data }) => ({
    window: [from, to],
    accesses: accessesOf({ code, data }),
    function: mostUsed(functionsOf(profile, code)),
    object: mostUsed(data),
  }));
}

/** By code or by data, whichever tells them apart better: 0 to 1. */
function apart(a: Stretch, b: Stretch): number {
  return Math.max(difference(a.code, b.code), difference(a.data, b.data));
}

/** Share of the accesses, 0 to 1, that are elsewhere in the other: half of the Manhattan distance. */
function difference(a: Shares, b: Shares): number {
  if (a.total === 0 || b.total === 0) return 0;
  let common = 0;
  let i = 0;
  let j = 0;
  while (i < a.rows.length && j < b.rows.length) {
    const ahead = a.rows[i] - b.rows[j];
    if (ahead === 0) common += Math.min(a.accesses[i] / a.total, b.accesses[j] / b.total);
    if (ahead <= 0) i++;
    if (ahead >= 0) j++;
  }
  return 1 - common;
}

/** The heat counts all accesses; sites are not known of every profile. */
function accessesOf({ code, data }: Pick<Stretch, 'code' | 'data'>): number {
  return Math.max(code.total, data.total);
}

/** Merges neighbours until none are alike and none is too short. */
function merged(parts: readonly Stretch[]): readonly Stretch[] {
  const stretches = [...parts];
  const whole = stretches.reduce((sum, part) => sum + accessesOf(part), 0);
  const differences = stretches.slice(1).map((part, i) => apart(stretches[i], part));
  for (;;) {
    let best = -1;
    let leastCost = Number.POSITIVE_INFINITY;
    for (let i = 0; i < differences.length; i++) {
      const a = accessesOf(stretches[i]);
      const b = accessesOf(stretches[i + 1]);
      if (differences[i] >= LEAST_DIFFERENCE && Math.min(a, b) >= LEAST_SHARE * whole) continue;
      const cost = ((a * b) / (a + b || 1)) * differences[i] ** 2;
      if (cost < leastCost) {
        best = i;
        leastCost = cost;
      }
    }
    if (best < 0) return stretches;
    stretches.splice(best, 2, union(stretches[best], stretches[best + 1]));
    differences.splice(best, 1);
    for (const i of [best - 1, best]) {
      if (i >= 0 && i < differences.length) differences[i] = apart(stretches[i], stretches[i + 1]);
    }
  }
}

function union(a: Stretch, b: Stretch): Stretch {
  return { from: a.from, to: b.to, code: sum(a.code, b.code), data: sum(a.data, b.data) };
}

function sum(a: Shares, b: Shares): Shares {
  const rows = new Uint32Array(a.rows.length + b.rows.length);
  const accesses = new Float64Array(rows.length);
  let count = 0;
  for (let i = 0, j = 0; i < a.rows.length || j < b.rows.length; count++) {
    const row = Math.min(a.rows[i] ?? NONE, b.rows[j] ?? NONE);
    rows[count] = row;
    if (a.rows[i] === row) accesses[count] += a.accesses[i++];
    if (b.rows[j] === row) accesses[count] += b.accesses[j++];
  }
  return { rows: rows.slice(0, count), accesses: accesses.slice(0, count), total: a.total + b.total };
}

/** The run in equal pieces of whole bins of its heat and of its sites. */
function intervals(profile: Profile): readonly Stretch[] {
  const { heat, siteTimes, pages, objects, sites, epochs } = profile;
  // Both are powers of two, unless they are one bin in all.
  let step = Math.max(heat.epochsPerBin, siteTimes?.epochsPerBin ?? 1);
  while (epochs.count / step > maxIntervals) step *= 2;
  const code = siteTimes && new Counter(sites.count);
  const data = new Counter(objects.count);
  const parts: Stretch[] = [];
  for (let from = 0; from < epochs.count; from += step) {
    const to = Math.min(from + step, epochs.count);
    if (siteTimes && code) {
      const [first, end] = rowsOf(siteTimes, from, to);
      for (let row = first; row < end; row++) code.add(siteTimes.site[row], siteTimes.accesses[row]);
    }
    const [first, end] = rowsOf(heat, from, to);
    for (let row = first; row < end; row++) data.add(pages.object[heat.page[row]], heat.reads[row] + heat.writes[row]);
    parts.push({ from, to, code: code ? code.take() : nothing, data: data.take() });
  }
  return parts;
}

interface Bins {
  readonly epochsPerBin: number;
  readonly start: Uint32Array | Float64Array;
}

function rowsOf({ epochsPerBin, start }: Bins, from: number, to: number): readonly [number, number] {
  return [start[from / epochsPerBin], start[Math.ceil(to / epochsPerBin)]];
}

const nothing: Shares = { rows: new Uint32Array(0), accesses: new Float64Array(0), total: 0 };

/** Adds up by row what is then taken, and begins anew. */
class Counter {
  readonly #accesses: Float64Array;
  #touched: number[] = [];

  constructor(rows: number) {
    this.#accesses = new Float64Array(rows);
  }

  add(row: number, accesses: number): void {
    if (row === NONE || accesses === 0) return;
    if (this.#accesses[row] === 0) this.#touched.push(row);
    this.#accesses[row] += accesses;
  }

  take(): Shares {
    const rows = Uint32Array.from(this.#touched).sort();
    const accesses = Float64Array.from(rows, row => this.#accesses[row]);
    for (const row of rows) this.#accesses[row] = 0;
    this.#touched = [];
    return { rows, accesses, total: accesses.reduce((total, count) => total + count, 0) };
  }
}

/** A site's function is the innermost that holds it. */
function functionsOf({ sites, functions }: Profile, code: Shares): Shares {
  const counter = new Counter(functions.count);
  for (let i = 0; i < code.rows.length; i++) {
    const site = code.rows[i];
    const inlined = sites.inlineStart[site];
    if (inlined < sites.inlineStart[site + 1]) counter.add(sites.inlineFunction[inlined], code.accesses[i]);
  }
  return counter.take();
}

/** The row with most accesses, the lower of equal ones; NONE without any. */
function mostUsed({ rows, accesses }: Shares): number {
  let best = -1;
  for (let i = 0; i < rows.length; i++) if (best < 0 || accesses[i] > accesses[best]) best = i;
  return best < 0 ? NONE : rows[best];
}
