/** The present pages of one address space, by virtual page number; in memory a few bytes a page, as runs have millions. */

const GONE = 0xffff_ffff;

export class PresentPages {
  /** Virtual page numbers in ascending order, and the page of each, or GONE. */
  #numbers = new Float64Array(0);
  #pages = new Uint32Array(0);
  #gone = 0;
  /** Pages that came since, by number: merging each alone would move all others every time. */
  readonly #recent = new Map<number, number>();

  add(number: number, page: number): void {
    const at = lowerBound(this.#numbers, number);
    if (this.#numbers[at] !== number) this.#recent.set(number, page);
    else if (this.#pages[at] === GONE) {
      this.#pages[at] = page;
      this.#gone--;
    }
    if (this.#recent.size > 1024 + this.#numbers.length / 4) this.#merge();
  }

  /** The page, or -1 if none is present there. */
  get(number: number): number {
    const at = lowerBound(this.#numbers, number);
    if (this.#numbers[at] === number) return this.#pages[at] === GONE ? -1 : this.#pages[at];
    return this.#recent.get(number) ?? -1;
  }

  /** Takes out the pages with numbers from `from` to below `to`, and names each. */
  remove(from: number, to: number, each: (page: number) => void): void {
    const numbers = this.#numbers;
    for (let at = lowerBound(numbers, from); at < numbers.length && numbers[at] < to; at++) {
      if (this.#pages[at] === GONE) continue;
      each(this.#pages[at]);
      this.#pages[at] = GONE;
      this.#gone++;
    }
    for (const [number, page] of this.#recent) {
      if (number < from || number >= to) continue;
      each(page);
      this.#recent.delete(number);
    }
  }

  /** All in ascending order of number; valid until the next change. */
  ordered(): { readonly numbers: Float64Array; readonly pages: Uint32Array } {
    if (this.#recent.size > 0 || this.#gone > 0) this.#merge();
    return { numbers: this.#numbers, pages: this.#pages };
  }

  #merge(): void {
    const recent = Float64Array.from(this.#recent.keys()).sort();
    const numbers = new Float64Array(this.#numbers.length + recent.length);
    const pages = new Uint32Array(numbers.length);
    let n = 0;
    let next = 0;
    const takeRecent = (below: number) => {
      for (; next < recent.length && recent[next] < below; next++, n++) {
        numbers[n] = recent[next];
        pages[n] = this.#recent.get(recent[next])!;
      }
    };
    for (let at = 0; at < this.#numbers.length; at++) {
      if (this.#pages[at] === GONE) continue;
      takeRecent(this.#numbers[at]);
      numbers[n] = this.#numbers[at];
      pages[n++] = this.#pages[at];
    }
    takeRecent(Number.POSITIVE_INFINITY);
    this.#numbers = numbers.slice(0, n);
    this.#pages = pages.slice(0, n);
    this.#recent.clear();
    this.#gone = 0;
  }
}

/** Index of the first of ascending `numbers` that is at least `number`. */
export function lowerBound(numbers: Float64Array, number: number): number {
  let from = 0;
  let to = numbers.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (numbers[middle] < number) from = middle + 1;
    else to = middle;
  }
  return from;
}
