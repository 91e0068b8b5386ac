/** The bytes of a file to import: chunk by chunk, decompressed where it is compressed by gzip, zlib or zip. */
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { createGunzip, createInflate, type Gunzip, type Inflate } from 'node:zlib';
import { ioError, TraceError } from '../error.js';
import { FILE_MAGIC } from '../format.js';
import { zipContents } from './zip.js';

/** Bytes asked of the file at once. */
const CHUNK_BYTES = 1 << 20;

export interface ImportInput {
  /** The file as messages name it. */
  readonly name: string;
  /** Set when the file ended in the middle of its compression. */
  readonly cut: boolean;
  /** The content from its start. A compressed file that is cut ends early, and `cut` says so. @throws TraceError */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  /** Of a folder, its files by name: a trace that is cut into threads. */
  readonly parts?: readonly ImportInput[];
  /** The start, at most 16 MiB, of a file of that name that lies beside, or in a folder `raw` there; null: there is none. */
  beside(name: string): Promise<Buffer | null>;
}

/** A file, plain, gzip, zlib or zip. */
export class FileInput implements ImportInput {
  cut = false;

  constructor(
    readonly path: string,
    readonly name: string,
  ) {}

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    this.cut = false;
    const start = await startOf(this.path, 4);
    if (isZip(start)) {
      yield* this.#checked(zipContents(this.path, this.name), () => {});
      return;
    }
    const inflate = inflaterOf(start);
    const file = createReadStream(this.path, { highWaterMark: CHUNK_BYTES });
    const stream = inflate ? file.pipe(inflate) : file;
    if (inflate) file.on('error', error => stream.destroy(error));
    yield* this.#checked(stream, () => file.destroy());
  }

  /** Chunks, with errors as words. */
  async *#checked(chunks: AsyncIterable<Uint8Array>, end: () => void): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of chunks) yield chunk;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'Z_BUF_ERROR') this.cut = true;
      else if (code?.startsWith('Z_'))
        throw new TraceError(`${this.name} is damaged: its compressed data cannot be read`);
      else throw error instanceof TraceError ? error : ioError('read', this.name, error);
    } finally {
      end();
    }
  }

  beside(name: string): Promise<Buffer | null> {
    return besideOf(path.dirname(this.path), name);
  }
}

/** Files of one trace: those of `trace` in the folder, or of the folder, or of `raw` in it. */
export class FolderInput implements ImportInput {
  readonly cut = false;

  private constructor(
    readonly name: string,
    private readonly folder: string,
    readonly parts: readonly FileInput[],
  ) {}

  /** @throws TraceError for a folder that cannot be read or has no files */
  static async open(folder: string, name: string): Promise<FolderInput> {
    for (const place of [path.join(folder, 'trace'), folder, path.join(folder, 'raw')]) {
      const files = await filesIn(place).catch(error => {
        if (place !== folder) return [];
        throw ioError('read', name, error);
      });
      const parts = files.map(
        file => new FileInput(path.join(place, file), `${name}/${path.relative(folder, path.join(place, file))}`),
      );
      if (parts.length > 0) return new FolderInput(name, place, parts);
    }
    throw new TraceError(`${name} is a folder without files: name a trace, or a folder of its threads`);
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (const part of this.parts) yield* part.chunks();
  }

  beside(name: string): Promise<Buffer | null> {
    return besideOf(this.folder, name);
  }
}

/** Names of the files in a folder, and of those in its folders for windows of the run, in order. */
async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { withFileTypes: true });
  const windows = found.filter(entry => entry.isDirectory() && /^window\.\d+$/.test(entry.name));
  const inside = await Promise.all(
    windows.map(async ({ name }) => (await filesIn(path.join(folder, name))).map(file => path.join(name, file))),
  );
  return [
    ...found
      .filter(entry => entry.isFile())
      .map(entry => entry.name)
      .sort(),
    ...inside.flat().sort(),
  ];
}

/** Files beside a trace have names and places, not accesses: a longer one is none. */
const MAX_BESIDE_BYTES = 16 << 20;

async function besideOf(folder: string, name: string): Promise<Buffer | null> {
  for (const place of [folder, path.join(folder, 'raw'), path.join(folder, '..', 'raw')]) {
    const found = await startOf(path.join(place, name), MAX_BESIDE_BYTES).catch(() => null);
    if (found) return Buffer.from(found);
  }
  return null;
}

function isZip(start: Uint8Array): boolean {
  return start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4;
}

/** What inflates a file with these first bytes: gzip, or zlib's format as damo writes it; null for a plain file. */
function inflaterOf([first, second]: Uint8Array): Gunzip | Inflate | null {
  if (first === 0x1f && second === 0x8b) return createGunzip({ chunkSize: CHUNK_BYTES });
  // RFC 1950: deflate with a window of 32 KiB, at the fastest, usual or best level.
  if (first === 0x78 && (second === 0x01 || second === 0x9c || second === 0xda))
    return createInflate({ chunkSize: CHUNK_BYTES });
  return null;
}

/** Whether a file is a `.pltrace`, be it damaged, rather than a trace to import. @throws TraceError */
export async function isOwnTrace(file: string): Promise<boolean> {
  const folder = await stat(file).then(
    found => found.isDirectory(),
    () => false,
  );
  if (folder) return false;
  const start = await startOf(file, 4);
  return start.length === 4 && start.every((byte, i) => byte === FILE_MAGIC[i]);
}

/** The first bytes of a file, as they are stored. @throws TraceError */
export async function startOf(file: string, bytes: number): Promise<Uint8Array> {
  const handle = await open(file, 'r').catch(error => {
    throw ioError('read', file, error);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw ioError('read', file, error);
  } finally {
    await handle.close();
  }
}

/** The first bytes of the content, decompressed, and whether they are all of it. */
export async function contentStart(
  input: ImportInput,
  bytes: number,
): Promise<{ readonly start: Uint8Array; readonly whole: boolean }> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of input.chunks()) {
    parts.push(chunk);
    length += chunk.length;
    if (length > bytes) break;
  }
  return { start: Buffer.concat(parts).subarray(0, bytes), whole: length <= bytes };
}
