/**
 * Texts of profiled source files in a folder, by the hash of their bytes: by them an edited file is followed also after
 * the editor was started anew (`snapshots.ts` has them in memory).
 *
 * One file a text, which appears whole by a rename and never changes: several windows of a workspace share the folder
 * without a lock. What was of no use for the longest is removed first.
 */
import { readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

/** Bytes of all files: some thousand source files. */
const defaultLimit = 32 << 20;

/** A profile is somebody's file, and what it calls a hash becomes the name of one here. */
const hashName = /^[0-9a-f]{64}$/;

export class TextStore {
  /** Hashes that were kept or found in this session. */
  readonly #known = new Set<string>();
  /** Of one caller after the other: cleaning must not run beside writing. */
  #last: Promise<void> = Promise.resolve();

  /** @param folder absolute; made when there is something to keep */
  constructor(
    readonly folder: string,
    readonly limit = defaultLimit,
  ) {}

  get(hash: string): string | undefined {
    if (!hashName.test(hash)) return undefined;
    try {
      return readFileSync(this.#file(hash), 'utf8');
    } catch {
      return undefined;
    }
  }

  /**
   * Writes what is not there yet, as much as the limit allows, and removes what is too much.
   * @param texts by hash, the most interesting first
   * @throws the system's error; the folder is usable then, too
   */
  keep(texts: ReadonlyMap<string, string>): Promise<void> {
    this.#last = this.#last.catch(() => {}).then(() => this.#keep(texts));
    return this.#last;
  }

  async #keep(texts: ReadonlyMap<string, string>): Promise<void> {
    const wanted = [...texts].filter(([hash]) => hashName.test(hash) && !this.#known.has(hash));
    if (wanted.length === 0) return;
    await mkdir(this.folder, { recursive: true });
    let room = this.limit;
    for (const [hash, text] of wanted) {
      const size = Buffer.byteLength(text);
      if (size > room) continue;
      room -= size;
      await this.#touch(hash).catch(() => this.#write(hash, text));
      this.#known.add(hash);
    }
    await this.#clean();
  }

  /** Marks as used just now. @throws the system's error when it is not there */
  async #touch(hash: string): Promise<void> {
    const now = new Date();
    await utimes(this.#file(hash), now, now);
  }

  async #write(hash: string, text: string): Promise<void> {
    // A name of this process's own: another window may write the same text.
    const unfinished = `${this.#file(hash)}.${process.pid}`;
    await writeFile(unfinished, text);
    await rename(unfinished, this.#file(hash));
  }

  async #clean(): Promise<void> {
    const found = await Promise.all((await readdir(this.folder)).map(name => this.#look(name)));
    const files = found.filter(file => file !== null).sort((a, b) => b.used - a.used);
    let size = 0;
    for (const file of files) {
      size += file.size;
      if (size <= this.limit) continue;
      await rm(path.join(this.folder, file.name), { force: true });
      this.#known.delete(file.name);
    }
  }

  /** null: another window has just removed it. */
  async #look(name: string): Promise<{ name: string; size: number; used: number } | null> {
    const found = await stat(path.join(this.folder, name)).catch(() => null);
    return found && { name, size: found.size, used: found.mtimeMs };
  }

  #file(hash: string): string {
    return path.join(this.folder, hash);
  }
}
