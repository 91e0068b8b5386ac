/** A count-min sketch (Cormode and Muthukrishnan 2005) of saturating 16-bit counters, as NeoProf's hardware has it. */

const MOST = 65_535;

export class CountMinSketch {
  readonly #rows: Uint16Array[];
  readonly #seeds: Int32Array;
  /** width - 1 of a width that is a power of two, else 0. */
  readonly #mask: number;

  /**
   * @param width counters of a row
   * @param seeds one for each row
   */
  constructor(
    readonly width: number,
    seeds: readonly number[],
  ) {
    this.#seeds = Int32Array.from(seeds);
    this.#mask = (width & (width - 1)) === 0 ? width - 1 : 0;
    this.#rows = seeds.map(() => new Uint16Array(width));
  }

  get bytes(): number {
    return this.#rows.length * this.width * Uint16Array.BYTES_PER_ELEMENT;
  }

  /** Counts the key once more. Returns its estimate, which is never below its count up to 65,535. */
  add(key: number): number {
    let least = MOST;
    for (let row = 0; row < this.#rows.length; row++) {
      const counters = this.#rows[row];
      const h = hash(key, this.#seeds[row]);
      // The remainder of what may pass 2^31 is a division of doubles.
      const at = this.#mask ? h & this.#mask : (h >>> 0) % this.width;
      const count = counters[at] < MOST ? ++counters[at] : MOST;
      if (count < least) least = count;
    }
    return least;
  }

  /** How many counters of the first row have each value range: `bins` of equal width up to the greatest value. */
  histogram(bins: number): { readonly counters: Uint32Array; readonly binWidth: number } {
    const row = this.#rows[0];
    let most = 0;
    for (let at = 0; at < row.length; at++) if (row[at] > most) most = row[at];
    const binWidth = Math.ceil((most + 1) / bins);
    const counters = new Uint32Array(bins);
    for (let at = 0; at < row.length; at++) counters[Math.floor(row[at] / binWidth)]++;
    return { counters, binWidth };
  }

  clear(): void {
    for (const row of this.#rows) row.fill(0);
  }
}

/** The finishing steps of MurmurHash3 over key and seed: 32 bits. */
function hash(key: number, seed: number): number {
  let h = key ^ seed;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
