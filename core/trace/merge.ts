/**
 * The order in which replay runs the streams of a trace: one that respects happens-before and is the same each time.
 *
 * Every thread takes numbers from one run-wide sequence: at each synchronisation, at each allocation, free or mapping,
 * and every 65,536 steps. A record that carries such a number begins a *segment* of its stream, which has that number.
 * A release takes its number before it is visible to others, an acquire after it saw the release; so whatever
 * happened before a segment lies in segments with smaller numbers, of any stream. Running segments in the order of
 * their numbers therefore respects happens-before (Lamport, "Time, clocks, and the ordering of events in a distributed
 * system", 1978). Equal numbers are unordered (a plain acquire load reads the sequence without advancing it): the lower
 * stream number goes first.
 *
 * All events with a number cut, not only the stamps: memory freed by one thread and allocated by another carries no
 * other sign of their order.
 */

/** `limitSeq` when no other stream is waiting: above every sequence number. */
export const NO_LIMIT = Number.MAX_SAFE_INTEGER;

export interface Turn {
  readonly stream: number;
  /** Run until a record whose number is this or more; then call `advance` with that number. NO_LIMIT: to the end. */
  readonly limitSeq: number;
}

/** A binary heap of streams by (number of the segment that is next, stream). */
export class MergeOrder {
  private readonly streams: number[] = [];
  private readonly seqs: number[] = [];
  /** Place of each stream in the heap. */
  private readonly places = new Map<number, number>();

  /** Streams that have not ended. */
  get size(): number {
    return this.streams.length;
  }

  /**
   * A stream begins. `startSeq` is the number of its first record, or 0 when that is not known yet: then its first turn
   * ends at that record.
   */
  add(stream: number, startSeq: number): void {
    if (this.places.has(stream)) throw new RangeError(`stream ${stream} was added twice`);
    this.streams.push(stream);
    this.seqs.push(startSeq);
    this.places.set(stream, this.streams.length - 1);
    this.rise(this.streams.length - 1);
  }

  /**
   * Who runs next and how far; null when there is nobody, or (in live mode) nobody whose segment is sure to be whole.
   * `safeSeq`: every segment below it, of streams known or not, is completely in the trace.
   */
  next(safeSeq = NO_LIMIT): Turn | null {
    if (this.streams.length === 0 || this.seqs[0] >= safeSeq) return null;
    let limitSeq = safeSeq;
    // The second in order is one of the root's children.
    for (let child = 1; child <= 2 && child < this.streams.length; child++) {
      // On equal numbers the lower stream runs, so that a lower one may begin that number still.
      limitSeq = Math.min(limitSeq, this.seqs[child] + (this.streams[0] < this.streams[child] ? 1 : 0));
    }
    return { stream: this.streams[0], limitSeq };
  }

  /** The stream has come to a record with this number. Numbers of a stream never fall. */
  advance(stream: number, newStartSeq: number): void {
    const place = this.placeOf(stream);
    if (newStartSeq < this.seqs[place])
      throw new RangeError(`stream ${stream} goes back from ${this.seqs[place]} to ${newStartSeq}`);
    this.seqs[place] = newStartSeq;
    this.sink(place);
  }

  /** The stream has no more records. */
  end(stream: number): void {
    const place = this.placeOf(stream);
    this.swap(place, this.streams.length - 1);
    this.streams.pop();
    this.seqs.pop();
    this.places.delete(stream);
    if (place < this.streams.length) {
      this.rise(place);
      this.sink(place);
    }
  }

  private placeOf(stream: number): number {
    const place = this.places.get(stream);
    if (place === undefined) throw new RangeError(`stream ${stream} is not in the merge`);
    return place;
  }

  private before(a: number, b: number): boolean {
    return this.seqs[a] < this.seqs[b] || (this.seqs[a] === this.seqs[b] && this.streams[a] < this.streams[b]);
  }

  private rise(place: number): void {
    for (let at = place; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.before(at, parent)) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private sink(place: number): void {
    for (let at = place; ; ) {
      let least = 2 * at + 1;
      if (least >= this.streams.length) return;
      if (least + 1 < this.streams.length && this.before(least + 1, least)) least++;
      if (!this.before(least, at)) return;
      this.swap(at, least);
      at = least;
    }
  }

  private swap(a: number, b: number): void {
    if (a === b) return;
    [this.streams[a], this.streams[b]] = [this.streams[b], this.streams[a]];
    [this.seqs[a], this.seqs[b]] = [this.seqs[b], this.seqs[a]];
    this.places.set(this.streams[a], a);
    this.places.set(this.streams[b], b);
  }
}
