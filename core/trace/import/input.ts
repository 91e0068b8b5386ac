/** The bytes of a file to import: chunk by chunk, decompressed where it is compressed by gzip or zlib. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip, createInflate, type Gunzip, type Inflate } from 'node:zlib';
import { ioError, TraceError } from '../error.js';
import { FILE_MAGIC } from '../format.js';

/** Bytes asked of the file at once. */
const CHUNK_BYTES = 1 << 20;

export interface ImportInput {
  /** The file as messages name it. */
  readonly name: string;
  /** Set when the file ended in the middle of its compression. */
  readonly cut: boolean;
  /** The content from its start. A compressed file that is cut ends early, and `cut` says so. @throws TraceError */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
}

/** A file, plain, gzip or zlib. */
export class FileInput implements ImportInput {
  cut = false;

  constructor(
    readonly path: string,
    readonly name: string,
  ) {}

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    this.cut = false;
    const inflate = inflaterOf(await startOf(this.path, 2));
    const file = createReadStream(this.path, { highWaterMark: CHUNK_BYTES });
    const stream = inflate ? file.pipe(inflate) : file;
    if (inflate) file.on('error', error => stream.destroy(error));
    try {
      for await (const chunk of stream) yield chunk as Uint8Array;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'Z_BUF_ERROR') this.cut = true;
      else if (code?.startsWith('Z_'))
        throw new TraceError(`${this.name} is damaged: its compressed data cannot be read`);
      else throw error instanceof TraceError ? error : ioError('read', this.path, error);
    } finally {
      file.destroy();
    }
  }
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
export async function isOwnTrace(path: string): Promise<boolean> {
  const start = await startOf(path, 4);
  return start.length === 4 && start.every((byte, i) => byte === FILE_MAGIC[i]);
}

/** The first bytes of a file, as they are stored. @throws TraceError */
export async function startOf(path: string, bytes: number): Promise<Uint8Array> {
  const handle = await open(path, 'r').catch(error => {
    throw ioError('read', path, error);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw ioError('read', path, error);
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
