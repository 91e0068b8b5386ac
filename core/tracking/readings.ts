/**
 * What a tracker told of pages, in the order of its telling: a row a page and stretch of the run, as the profile's heat
 * has them. A reading stands where the mechanism came to know it, which may be long after the accesses: a scan's at the
 * scan, a log's where it is drained, a trap's at once. What has no finer time than a quantum stands at its end.
 *
 * Stretches begin a quantum long, or an epoch where those are longer, and double whenever there are too many of them or
 * of their rows: so memory is bounded: by `ROWS_MAX` rows, or by two for each page told where these are more.
 */
import { QUANTUM } from '../kernel/abi.js';
import type { HeatRows } from '../machine/heatRows.js';

/** 12 bytes each. */
const ROWS_MAX = 1 << 19;
const STRETCHES_MAX = 4096;

/** What the mechanism tells of a page; what cannot tell reads from writes tells one of them for both. */
export type Told = 'reads' | 'writes' | 'both';

export interface ReadingsOptions {
  /** Accesses of an epoch as the run begins; they may double. */
  readonly epochAccesses: number;
  /** Other limits than the standing ones, for tests. */
  readonly rowsMax?: number;
  readonly stretchesMax?: number;
}

export class Readings {
  readonly #rowsMax: number;
  readonly #stretchesMax: number;
  /** Accesses of a stretch. */
  #width: number;
  #page: Uint32Array;
  #reads: Uint32Array;
  #writes: Uint32Array;
  #rows = 0;
  /** First row of each stretch up to the open one. */
  #start: number[] = [0];
  /** The latest row of each page, and 1; it counts only if it is in the open stretch and of that page. */
  #latest: Uint32Array = new Uint32Array(1024);

  constructor(
    readonly told: Told,
    { epochAccesses, rowsMax = ROWS_MAX, stretchesMax = STRETCHES_MAX }: ReadingsOptions,
  ) {
    this.#rowsMax = rowsMax;
    this.#stretchesMax = stretchesMax;
    this.#width = epochAccesses;
    while (this.#width < QUANTUM) this.#width *= 2;
    const [page, reads, writes] = [0, 1, 2].map(() => new Uint32Array(Math.min(1024, rowsMax)));
    this.#page = page;
    this.#reads = reads;
    this.#writes = writes;
  }

  /** The run has made so many accesses: what is told from now on is told there. */
  advance(accesses: number): void {
    const stretch = () => Math.max(0, Math.ceil(accesses / this.#width) - 1);
    while (stretch() >= this.#stretchesMax) this.#double();
    while (this.#start.length <= stretch()) this.#start.push(this.#rows);
  }

  /** @param page kernel page number @param amount a whole number, in the mechanism's own unit */
  read(page: number, amount = 1): void {
    const row = this.#row(page);
    this.#reads[row] += amount;
  }

  write(page: number, amount = 1): void {
    const row = this.#row(page);
    this.#writes[row] += amount;
  }

  /** The page's row in the open stretch; columns may be new ones afterwards. */
  #row(page: number): number {
    if (page >= this.#latest.length) this.#latest = enlarged(this.#latest, Math.max(page + 1, 2 * this.#latest.length));
    const open = this.#start[this.#start.length - 1];
    const row = this.#latest[page] - 1;
    if (row >= open && this.#page[row] === page) return row;
    // Joined stretches may have told of the page already.
    if (this.#rows === this.#page.length && this.#makeRoom()) return this.#row(page);
    return this.#append(page);
  }

  #append(page: number): number {
    const row = this.#rows++;
    this.#page[row] = page;
    this.#reads[row] = 0;
    this.#writes[row] = 0;
    this.#latest[page] = row + 1;
    return row;
  }

  /** Doubles stretches where that saves a quarter of the rows, else the columns. Returns whether it doubled stretches. */
  #makeRoom(): boolean {
    const { length } = this.#page;
    while (length >= this.#rowsMax && this.#start.length > 1) {
      this.#double();
      if (this.#rows <= (3 / 4) * length) return true;
    }
    this.#page = enlarged(this.#page, 2 * length);
    this.#reads = enlarged(this.#reads, 2 * length);
    this.#writes = enlarged(this.#writes, 2 * length);
    return length >= this.#rowsMax;
  }

  /** Joins stretches in pairs. */
  #double(): void {
    this.#width *= 2;
    const before = [...this.#start, this.#rows];
    this.#start = [];
    this.#rows = 0;
    this.#latest.fill(0);
    for (let stretch = 0; stretch < before.length - 1; stretch += 2) {
      this.#start.push(this.#rows);
      const end = before[Math.min(stretch + 2, before.length - 1)];
      for (let from = before[stretch]; from < end; from++) this.#move(from);
    }
  }

  /** Rows only ever move forward, so none is overwritten before it was moved. */
  #move(from: number): void {
    const page = this.#page[from];
    const reads = this.#reads[from];
    const writes = this.#writes[from];
    const open = this.#start[this.#start.length - 1];
    const known = this.#latest[page] - 1;
    const row = known >= open ? known : this.#append(page);
    this.#reads[row] += reads;
    this.#writes[row] += writes;
  }

  /** Readings of each page over the whole run, by kernel page number; may be shorter than the pages of the run. */
  totals(): { readonly reads: Float64Array | null; readonly writes: Float64Array | null } {
    const sum = (column: Uint32Array) => {
      const totals = new Float64Array(this.#latest.length);
      for (let row = 0; row < this.#rows; row++) totals[this.#page[row]] += column[row];
      return totals;
    };
    return {
      reads: this.told === 'writes' ? null : sum(this.#reads),
      writes: this.told === 'reads' ? null : sum(this.#writes),
    };
  }

  /** The rows in bins of whole epochs. @param epochs of the run @param epochAccesses accesses of each */
  heat(epochs: number, epochAccesses: number): HeatRows {
    while (this.#width < epochAccesses) this.#double();
    const epochsPerBin = Math.max(1, this.#width / epochAccesses);
    const bins = Math.ceil(epochs / epochsPerBin);
    return {
      epochsPerBin,
      start: Float64Array.from({ length: bins + 1 }, (_, bin) =>
        bin < bins ? (this.#start[bin] ?? this.#rows) : this.#rows,
      ),
      page: this.#page.slice(0, this.#rows),
      first: this.#reads.slice(0, this.#rows),
      second: this.#writes.slice(0, this.#rows),
    };
  }
}

function enlarged(column: Uint32Array, length: number): Uint32Array {
  const larger = new Uint32Array(length);
  larger.set(column);
  return larger;
}
