/**
 * Texts of source files as they were built, by their hash: by these an edited file is matched line by line after it was
 * closed, renamed or changed on disk, and an older run is compared with this one. Kept in memory, the latest used last.
 */
import { createHash } from 'node:crypto';

/** Characters in all: some thousand source files. */
const defaultLimit = 32 << 20;

export class Snapshots {
  readonly #texts = new Map<string, string>();
  #size = 0;

  constructor(readonly limit = defaultLimit) {}

  get full(): boolean {
    return this.#size >= this.limit;
  }

  get(hash: string): string | undefined {
    return this.#texts.get(hash);
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
