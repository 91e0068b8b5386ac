/**
 * The profile's source files on this machine: where each is, and whether it still has the content that was built.
 *
 * A built path leads here in one of these ways, the first that gives a file: what was renamed in the editor, the setting
 * `pagelens.pathMapping`, the path itself, and a file of the workspace with the same content and the longest common end
 * of the path. Hashing thousands of files takes a second, so it goes on beside everything else.
 */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { isSystemFile } from '../attribution/naming.js';
import type { SourceFile } from '../model/profile.js';
import type { FilesReport } from '../protocol.js';
import { commonSuffix, isWithin, type PathMap } from './pathMap.js';
import { type Snapshots, sha256 } from './snapshots.js';
import { findFiles } from './workspaceFiles.js';

export type FileState = 'same' | 'differs' | 'missing' | 'unknown';

/** Files read at the same time: few, since an editor that has just opened a profile is busy with what is in sight. */
const parallel = 2;
/** Missing files that a report names. */
const named = 200;
/** No source file is larger (symbols/sources.ts). */
const maxBytes = 64 << 20;

interface Content {
  readonly stamp: string;
  readonly hash: string;
}

export class Sources {
  readonly #states: FileState[];
  /** Row of the file that a local path turned out to be. */
  readonly #found = new Map<string, number>();
  readonly #localOf = new Map<number, string>();
  readonly #rows: ReadonlyMap<string, number>;
  /** Hashes of files that were read, as long as time and size stay. */
  readonly #contents = new Map<string, Content>();
  #checking: Promise<void> | null = null;

  /** @param order rows of the files, the most interesting first: their texts are kept while there is room */
  constructor(
    readonly files: readonly SourceFile[],
    readonly order: readonly number[],
    readonly paths: PathMap,
    readonly folders: readonly string[],
    readonly snapshots: Snapshots,
  ) {
    this.#states = files.map(() => 'unknown');
    this.#rows = new Map(files.map((file, row) => [file.path, row]));
  }

  /** Row of a local file in the profile; -1: it has none. */
  rowOf(file: string): number {
    const found = this.#found.get(file);
    if (found !== undefined) return found;
    const row = this.#rows.get(this.paths.toBuilt(file)) ?? this.#rows.get(file) ?? -1;
    // Another file may lie now where one was that moved.
    return this.#localOf.has(row) ? -1 : row;
  }

  /** Where a file of the profile is here, as far as is known. */
  localOf(row: number): string {
    return this.#localOf.get(row) ?? this.paths.toLocal(this.files[row].path);
  }

  stateOf(row: number): FileState {
    return this.#states[row];
  }

  /** A document with exactly the content of one file that is nowhere else, such as one that was moved. */
  adopt(file: string, text: string): number {
    const hash = sha256(text);
    const rows = [...this.files.keys()].filter(row => this.files[row].sha256 === hash && this.#isLost(row));
    if (rows.length !== 1) return -1;
    this.#locate(rows[0], file);
    return rows[0];
  }

  #isLost(row: number): boolean {
    return this.#states[row] === 'missing' && !this.#localOf.has(row);
  }

  /** The editor renamed a file or a folder. */
  renamed(from: string, to: string): void {
    for (const row of this.files.keys()) {
      const local = this.localOf(row);
      if (isWithin(local, from)) this.#locate(row, path.join(to, path.relative(from, local)));
    }
  }

  #locate(row: number, file: string): void {
    const before = this.#localOf.get(row);
    if (before) this.#found.delete(before);
    this.#localOf.set(row, file);
    this.#found.set(file, row);
  }

  /** Looks at every file again; those that did not change since are not read. */
  check(): Promise<void> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  async #check(): Promise<void> {
    const rows = this.order.filter(row => this.files[row].sha256 !== '');
    await inParallel(rows, row => this.#look(row, this.localOf(row)));
    await this.#search(rows.filter(row => this.#states[row] === 'missing' && !isSystemFile(this.files[row].path)));
  }

  async #look(row: number, file: string): Promise<void> {
    const hash = await this.#hashOf(file);
    this.#states[row] = hash === null ? 'missing' : hash === this.files[row].sha256 ? 'same' : 'differs';
  }

  /** null: there is no such file. */
  async #hashOf(file: string): Promise<string | null> {
    try {
      const { mtimeMs, size } = await stat(file);
      const stamp = `${mtimeMs} ${size}`;
      const known = this.#contents.get(file);
      if (known?.stamp === stamp) return known.hash;
      if (size > maxBytes) return '';
      const content = await readFile(file);
      const hash = sha256(content);
      this.#contents.set(file, { stamp, hash });
      // The hottest come first: once the room is used up, the rest would only push them out.
      if (!this.snapshots.full && !isSystemFile(file)) this.snapshots.keep(hash, content.toString('utf8'));
      return hash;
    } catch {
      return null;
    }
  }

  /** Files that are not where they were built may lie in the workspace; the same content makes it certain. */
  async #search(missing: readonly number[]): Promise<void> {
    if (missing.length === 0 || this.folders.length === 0) return;
    const names = new Set(missing.map(row => path.basename(this.files[row].path)));
    const found = await findFiles(this.folders, names);
    for (const row of missing) {
      const { path: built, sha256: wanted } = this.files[row];
      const candidates = (found.get(path.basename(built)) ?? []).toSorted(
        (a, b) => commonSuffix(b, built) - commonSuffix(a, built) || (a < b ? -1 : 1),
      );
      for (const candidate of candidates) {
        if (this.#found.has(candidate) || (await this.#hashOf(candidate)) !== wanted) continue;
        this.#locate(row, candidate);
        this.#states[row] = 'same';
        break;
      }
    }
  }

  /** How many of the profile's files are here. Headers of the system and files without a hash are nobody's to find. */
  report(): FilesReport {
    const counted = this.order.filter(row => this.files[row].sha256 !== '' && !isSystemFile(this.files[row].path));
    const inState = (state: FileState) => counted.filter(row => this.#states[row] === state);
    const paths = (rows: readonly number[]) => rows.slice(0, named).map(row => this.files[row].path);
    return {
      total: counted.length,
      matched: inState('same').length,
      differing: inState('differs').length,
      missing: inState('missing').length,
      differingFiles: paths(inState('differs')),
      missingFiles: paths(inState('missing')),
    };
  }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items[Symbol.iterator]();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}
