/** A set of page numbers as ranges: which parts of an address space are mapped. */

export interface PageRange {
  readonly start: number;
  /** Behind its last page. */
  readonly end: number;
}

/** In ascending order, none touching another. */
export class PageRanges {
  #ranges: PageRange[] = [];

  get ranges(): readonly PageRange[] {
    return this.#ranges;
  }

  has(number: number): boolean {
    const at = this.#firstEndingBehind(number);
    return at < this.#ranges.length && this.#ranges[at].start <= number;
  }

  add(start: number, end: number): void {
    // Those that touch the new one become part of it.
    const from = this.#firstEndingBehind(start - 1);
    let to = from;
    while (to < this.#ranges.length && this.#ranges[to].start <= end) to++;
    const whole = {
      start: to > from ? Math.min(start, this.#ranges[from].start) : start,
      end: to > from ? Math.max(end, this.#ranges[to - 1].end) : end,
    };
    this.#ranges.splice(from, to - from, whole);
  }

  remove(start: number, end: number): void {
    const from = this.#firstEndingBehind(start);
    let to = from;
    const rest: PageRange[] = [];
    for (; to < this.#ranges.length && this.#ranges[to].start < end; to++) {
      const range = this.#ranges[to];
      if (range.start < start) rest.push({ start: range.start, end: start });
      if (range.end > end) rest.push({ start: end, end: range.end });
    }
    this.#ranges.splice(from, to - from, ...rest);
  }

  copy(): PageRanges {
    const copy = new PageRanges();
    copy.#ranges = [...this.#ranges];
    return copy;
  }

  /** Index of the first range whose end is above `number`. */
  #firstEndingBehind(number: number): number {
    let from = 0;
    let to = this.#ranges.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#ranges[middle].end <= number) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
