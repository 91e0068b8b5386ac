/**
 * `.pagelens` files: a profile on disk.
 *
 *   offset 0   8 bytes  "PAGELENS"
 *          8   u32      version, 1
 *         12   u32      stored length of the document
 *         16   u32      its length when inflated
 *         20   u32      CRC-32 of its stored bytes
 *         24            the document: JSON, deflated: { columns: [[type, rows, stored length, crc], ..], profile }
 *   then the columns in that order, without gaps; the file ends behind the last.
 *
 * Little-endian. A column is stored with its bytes sorted by significance (all lowest bytes first), which is what makes
 * counts small under deflate, then deflated. Every length is compared with the file's size before memory is taken, every
 * stored byte is covered by a CRC, and the content is checked against the shape of a profile.
 *
 * Reading has two parts: the tables of source are a tenth of a large profile and wanted at once, the rest is inflated
 * when somebody asks. The file is read, and its checksums compared, before the first part is told.
 */
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw, inflateRaw } from 'node:zlib';
import { UsageError } from '../errors.js';
import type { Column } from '../model/columns.js';
import * as l10n from '../model/l10n.js';
import type { Profile, SourceProfile } from '../model/profile.js';
import { systemReason } from '../model/systemReason.js';
import {
  bytesPerRow,
  COLUMN_TYPES,
  type ColumnStore,
  type ColumnType,
  columnType,
  emptyColumn,
  type Json,
  ShapeError,
} from './codec.js';
import { checkRest, checkSource } from './consistency.js';
import { profileCodec, restCodec, sourceCodec } from './shape.js';

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

const MAGIC = Buffer.from('PAGELENS', 'latin1');
const VERSION = 1;
const HEADER_BYTES = 24;

/** Bounds of what is believed, far above the profile of a program touching a terabyte sparsely. Bytes. */
const DOCUMENT_LIMIT = 256 << 20;
const COLUMN_LIMIT = 1 << 30;
/** All columns inflated: core must stay small. */
const TOTAL_LIMIT = 2 ** 31;
/** Deflate cannot do better than 1032:1 (a match of 258 bytes in two bits); more is no deflate stream. */
const BEST_RATIO = 1032;

/**
 * Writes a profile. An existing file is replaced in one step, so that a reader never sees half a profile.
 * @throws UsageError when the file cannot be written.
 */
export async function save(profile: Profile, file: string): Promise<void> {
  const columns: Column[] = [];
  const store: ColumnStore = {
    put: column => columns.push(column) - 1,
    get: () => {
      throw new Error('this store is for writing');
    },
  };
  const json = profileCodec.write(profile, store);
  const stored: Buffer[] = [];
  for (const column of columns) stored.push(await deflate(shuffled(column), { level: constants.Z_BEST_SPEED }));
  const directory = columns.map((column, i) => [
    columnType(column),
    column.length,
    stored[i]!.length,
    crc32(stored[i]!),
  ]);

  const text = Buffer.from(JSON.stringify({ columns: directory, profile: json }), 'utf8');
  const document = await deflate(text);
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(VERSION, 8);
  header.writeUInt32LE(document.length, 12);
  header.writeUInt32LE(text.length, 16);
  header.writeUInt32LE(crc32(document), 20);

  const partial = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.part`);
  try {
    const handle = await open(partial, 'w');
    try {
      for (const part of [header, document, ...stored]) await handle.writeFile(part);
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw new UsageError(
      l10n.kept('cannot write {0}: {1}', file, systemReason('write', error).replaceAll(partial, file)),
    );
  }
}

/** A profile of which the first part is read. */
export interface StoredProfile {
  readonly source: SourceProfile;
  /**
   * The whole profile: the same tables of source, and the rest.
   * @throws UsageError in one line when the rest is no profile's
   */
  readonly whole: () => Promise<Profile>;
}

/**
 * Reads a profile.
 * @throws UsageError in one line for anything that is not a whole `.pagelens` file of a known version.
 */
export async function load(file: string): Promise<Profile> {
  return (await loadSource(file)).whole();
}

/**
 * Reads what a profile knows of source. Its columns are in shared memory, so that threads can look at them together.
 * @throws UsageError as `load`, except for what is in the rest as it was written but makes no sense
 */
export async function loadSource(file: string): Promise<StoredProfile> {
  const { json, columns } = await explained(file, () => readStored(file));
  const source = await explained(file, async () => {
    const part = sourceCodec.read(json, columns, '');
    await columns.fill();
    checkSource(part);
    return part;
  });
  const whole = () =>
    explained(file, async () => {
      const part = restCodec.read(json, columns, '');
      await columns.fill();
      checkRest(part, source);
      return { ...source, ...part };
    });
  return { source, whole };
}

/** Whatever goes wrong is said in one line, with the file's name and what to do. */
async function explained<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const damaged = error instanceof ShapeError || error instanceof SyntaxError;
    throw new UsageError(
      damaged
        ? l10n.kept('{0}: is damaged: {1}; profile the program again', file, error.message)
        : l10n.kept('{0}: cannot be read: {1}', file, systemReason('read', error)),
    );
  }
}

/** The document and the columns as they are stored, each checked against its checksum. */
async function readStored(file: string): Promise<{ json: Json | undefined; columns: StoredColumns }> {
  const handle = await open(file, 'r');
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new UsageError(l10n.kept('{0}: is not a file', file));
    const { size } = stat;
    const read = async (offset: number, length: number): Promise<Buffer> => {
      const buffer = Buffer.alloc(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(buffer, done, length - done, offset + done);
        if (bytesRead === 0) throw new ShapeError(l10n.kept('the file became shorter while it was read'));
        done += bytesRead;
      }
      return buffer;
    };

    // 1. The header.
    const header = await read(0, Math.min(size, HEADER_BYTES));
    if (header.length < HEADER_BYTES || !header.subarray(0, 8).equals(MAGIC))
      throw new UsageError(notAProfile(file, header));
    const version = header.readUInt32LE(8);
    if (version !== VERSION) {
      throw new UsageError(
        l10n.kept(
          '{0}: was saved in format {1}; this Pagelens reads format {2}: save it again, or update',
          file,
          version,
          VERSION,
        ),
      );
    }

    // 2. The document.
    const storedLength = header.readUInt32LE(12);
    const textLength = header.readUInt32LE(16);
    if (HEADER_BYTES + storedLength > size) throw new ShapeError(l10n.kept('it is cut short'));
    if (textLength > DOCUMENT_LIMIT) throw new ShapeError('its document is too large');
    const document = await read(HEADER_BYTES, storedLength);
    checkCrc(document, header.readUInt32LE(20), 'the document');
    const text = await inflated(document, textLength, 'the document');
    const { columns: directory, profile: json } = JSON.parse(text.toString('utf8')) as Record<string, Json>;

    // 3. The columns.
    const entries = directoryOf(directory);
    const offset = HEADER_BYTES + storedLength;
    const expected = entries.reduce((sum, entry) => sum + entry.stored, offset);
    if (expected > size) throw new ShapeError(l10n.kept('it is cut short'));
    if (expected < size) throw new ShapeError(`${size - expected} bytes follow its end`);
    const bytes = await read(offset, expected - offset);
    let at = 0;
    const stored = entries.map((entry, i) => {
      const column = bytes.subarray(at, (at += entry.stored));
      checkCrc(column, entry.crc, `column ${i}`);
      return column;
    });
    return { json, columns: new StoredColumns(entries, stored) };
  } finally {
    await handle.close();
  }
}

/** Columns of a file, inflated when they are wanted: `get` gives an empty one, `fill` puts in what the file holds. */
class StoredColumns implements ColumnStore {
  readonly #entries: readonly DirectoryEntry[];
  readonly #stored: readonly Buffer[];
  readonly #columns: (Column | undefined)[] = [];
  #wanted: number[] = [];

  constructor(entries: readonly DirectoryEntry[], stored: readonly Buffer[]) {
    this.#entries = entries;
    this.#stored = stored;
  }

  put(): number {
    throw new Error('this store is for reading');
  }

  get(index: number, type: ColumnType, where: string): Column {
    const entry = this.#entries[index];
    if (entry?.type !== type) throw new ShapeError(`${where} is not a column of ${type}`);
    let column = this.#columns[index];
    if (!column) {
      checkRatio(entry.rows * bytesPerRow(type), this.#stored[index]!, `column ${index}`);
      column = emptyColumn(type, entry.rows);
      this.#columns[index] = column;
      this.#wanted.push(index);
    }
    return column;
  }

  /** @throws ShapeError when one cannot be inflated to its length */
  async fill(): Promise<void> {
    const wanted = this.#wanted;
    this.#wanted = [];
    const work = wanted.map(index => async () => {
      const column = this.#columns[index]!;
      return { column, bytes: await inflated(this.#stored[index]!, column.byteLength, `column ${index}`) };
    });
    for await (const { column, bytes } of ahead(work)) unshuffle(bytes, column);
  }
}

/** How many columns are inflated, by libuv's threads, before the one that is wanted now. */
const COLUMNS_AHEAD = 3;

/** The results in order, while the next ones are under way. */
async function* ahead<T>(work: readonly (() => Promise<T>)[]): AsyncGenerator<T> {
  const started: Promise<T>[] = [];
  for (let i = 0; i < work.length; i++) {
    while (started.length < Math.min(work.length, i + 1 + COLUMNS_AHEAD)) {
      const next = work[started.length]!();
      // One may fail while an earlier one is still waited for, or after that one failed.
      next.catch(() => {});
      started.push(next);
    }
    yield await started[i]!;
  }
}

interface DirectoryEntry {
  readonly type: ColumnType;
  readonly rows: number;
  readonly stored: number;
  readonly crc: number;
}

function directoryOf(json: Json | undefined): DirectoryEntry[] {
  if (!Array.isArray(json)) throw new ShapeError('it has no directory');
  let total = 0;
  return json.map((entry: Json) => {
    const [type, rows, stored, crc] = Array.isArray(entry) ? entry : [];
    const isNatural = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
    if (!COLUMN_TYPES.includes(type as ColumnType) || !isNatural(rows) || !isNatural(stored) || !isNatural(crc))
      throw new ShapeError('its directory is unreadable');
    const bytes = rows * bytesPerRow(type as ColumnType);
    total += bytes;
    if (bytes > COLUMN_LIMIT || total > TOTAL_LIMIT) throw new ShapeError('its columns are too large');
    return { type: type as ColumnType, rows, stored, crc };
  });
}

function checkCrc(stored: Buffer, crc: number, what: string): void {
  if (crc32(stored) !== crc) throw new ShapeError(`the checksum of ${what} is wrong`);
}

/** Before memory is taken for it. */
function checkRatio(length: number, stored: Buffer, what: string): void {
  if (length > stored.length * BEST_RATIO) throw new ShapeError(`the length of ${what} is wrong`);
}

async function inflated(stored: Buffer, length: number, what: string): Promise<Buffer> {
  checkRatio(length, stored, what);
  let bytes: Buffer;
  try {
    // In one piece, so that nothing is copied together.
    const chunkSize = Math.max(length, constants.Z_MIN_CHUNK);
    bytes = await inflate(stored, { maxOutputLength: Math.max(length, 1), chunkSize });
  } catch {
    throw new ShapeError(`${what} cannot be inflated`);
  }
  if (bytes.length !== length) throw new ShapeError(`the length of ${what} is wrong`);
  return bytes;
}

/** All lowest bytes, then all second ones, and so on. */
function shuffled(column: Column): Uint8Array {
  const bytes = new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
  const width = column.BYTES_PER_ELEMENT;
  if (width === 1) return bytes;
  const rows = column.length;
  const result = new Uint8Array(bytes.length);
  for (let byte = 0, to = 0; byte < width; byte++)
    for (let row = 0, from = byte; row < rows; row++, from += width) result[to++] = bytes[from]!;
  return result;
}

/** The inverse of `shuffled`. */
function unshuffle(bytes: Uint8Array, column: Column): void {
  const width = column.BYTES_PER_ELEMENT;
  const rows = column.length;
  if (width === 1) {
    new Uint8Array(column.buffer).set(bytes);
    return;
  }
  // Whole words, low and (of eight bytes) high: a store a byte takes twice as long.
  const words = new Uint32Array(column.buffer);
  const step = width / 4;
  for (let word = 0; word < step; word++) {
    const a = 4 * word * rows;
    const [b, c, d] = [a + rows, a + 2 * rows, a + 3 * rows];
    for (let row = 0, to = word; row < rows; row++, to += step) {
      words[to] = bytes[a + row]! | (bytes[b + row]! << 8) | (bytes[c + row]! << 16) | (bytes[d + row]! << 24);
    }
  }
}

function notAProfile(file: string, header: Buffer): string {
  if (header.length === 0) return l10n.kept('{0}: is empty, not a saved profile', file);
  if (header.toString('latin1', 0, 7) === '{"schem')
    return l10n.kept('{0}: is a JSON report, an export that cannot be opened', file);
  return l10n.kept('{0}: is not a saved profile (.pagelens); to replay a trace use: pagelens replay', file);
}
