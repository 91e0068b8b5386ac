/**
 * The pause in the editor's questions about marks, in which work begins that nobody waits for. A profile that was opened
 * brings many questions at once, and whatever else runs then makes their answers late.
 */
import { setTimeout } from 'node:timers/promises';

/** Without a question for so long it is a pause: an editor asks anew some 100 ms after it heard of a change. */
const quietMs = 300;
/** Somebody who asks without end gets the rest, too. */
const mostMs = 3000;

export class Pause {
  #asked = 0;

  /** The editor asks for marks. */
  asked(): void {
    this.#asked = performance.now();
  }

  /** Resolves in the next pause. */
  async next(): Promise<void> {
    const begin = performance.now();
    let leftMs = quietMs;
    while (leftMs > 0) {
      await setTimeout(leftMs);
      const end = Math.min(Math.max(begin, this.#asked) + quietMs, begin + mostMs);
      leftMs = end - performance.now();
    }
  }
}
