/**
 * Texts of source files as they were built, by their hash: by these an edited file is matched line by line after it was
 * closed, renamed or changed on disk, and an older run is compared with this one. Kept in memory, the latest used last,
 * and for the next session in a folder if the editor gives one.
 */
import { createHash } from 'node:crypto';
import type { TextStore } from './textStore.js';

/** Characters in all: some thousand source files. */
const defaultLimit = 32 << 20;

export class Snapshots {
  readonly #texts = new Map<string, string>();
  #size = 0;
  /** Where texts of earlier sessions are. */
  store: TextStore | null = null;

  constructor(readonly limit = defaultLimit) {}

  get full(): boolean {
    return this.#size >= this.limit;
  }

  get(hash: string): string | undefined {
    const known = this.#texts.get(hash);
    if (known !== undefined) return known;
    const stored = this.store?.get(hash);
    if (stored !== undefined) this.keep(hash, stored);
    return stored;
  }

  /** Keeps for the next session what is in memory of these, the most interesting first. */
  async persist(hashes: Iterable<string>): Promise<void> {
    const texts = [...hashes].map(hash => [hash, this.#texts.get(hash)] as const);
    const known = texts.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
    await this.store?.keep(new Map(known));
  }

  /** @param hash of the bytes on disk, which a decoded text need not have */
  keep(hash: string, text: string): void {
    if (hash === '' || text.length > this.limit) return;
    this.#drop(hash);
    this.#texts.set(hash, text);
    this.#size += text.length;
    for (const oldest of this.#texts.keys()) {
      if (this.#size <= this.limit) break;
      this.#drop(oldest);
    }
  }

  #drop(hash: string): void {
    this.#size -= this.#texts.get(hash)?.length ?? 0;
    this.#texts.delete(hash);
  }
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
