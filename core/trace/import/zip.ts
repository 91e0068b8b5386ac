/**
 * The contents of a zip file, entry after entry in the order of their names: drmemtrace cuts a thread's trace into
 * chunks so. Reads the directory at the end of the file (PKWARE's APPNOTE, sections 4.3.12, 4.3.14 to 4.3.16), so that
 * nothing is kept but names and places.
 */
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { createInflateRaw } from 'node:zlib';
import { TraceError } from '../error.js';

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const [END_BYTES, LOCATOR_BYTES, END_64_BYTES, ENTRY_BYTES, LOCAL_BYTES] = [22, 20, 56, 46, 30];
/** An archive's comment is at most so long. */
const COMMENT_BYTES = 65535;
/** A directory of some 100,000 entries. */
const MAX_DIRECTORY_BYTES = 16 << 20;
const IN_EXTRA = 0xffffffff;
const EXTRA_64 = 1;
const [STORED, DEFLATED] = [0, 8];

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly stored: number;
  readonly localAt: number;
}

/** @throws TraceError when it is cut or damaged; the errors of Node's zlib for damaged data */
export async function* zipContents(path: string, name: string): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await open(path, 'r');
  try {
    const entries = await directory(handle, name);
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { localAt, stored, method } of entries) {
      if (stored === 0) continue;
      const local = await exactly(handle, localAt, LOCAL_BYTES, name);
      if (local.readUInt32LE(0) !== LOCAL) throw damaged(name);
      const start = localAt + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
      const file = createReadStream(path, { start, end: start + stored - 1, highWaterMark: 1 << 20 });
      if (method !== STORED && method !== DEFLATED)
        throw new TraceError(`${name} is a zip file whose entries are neither stored nor deflated: unpack it first`);
      const content = method === STORED ? file : file.pipe(createInflateRaw({ chunkSize: 1 << 20 }));
      file.on('error', error => content.destroy(error));
      try {
        for await (const chunk of content) yield chunk as Uint8Array;
      } finally {
        file.destroy();
      }
    }
  } finally {
    await handle.close();
  }
}

async function directory(handle: FileHandle, name: string): Promise<Entry[]> {
  const { size } = await handle.stat();
  const tailBytes = Math.min(size, END_BYTES + COMMENT_BYTES);
  const tail = await exactly(handle, size - tailBytes, tailBytes, name);
  let end = tail.length - END_BYTES;
  while (end >= 0 && tail.readUInt32LE(end) !== END) end--;
  if (end < 0) throw new TraceError(`${name} is a zip file that is cut: its directory is missing`);
  let [bytes, at] = [tail.readUInt32LE(end + 12), tail.readUInt32LE(end + 16)];
  if (
    (bytes === IN_EXTRA || at === IN_EXTRA) &&
    end >= LOCATOR_BYTES &&
    tail.readUInt32LE(end - LOCATOR_BYTES) === LOCATOR_64
  ) {
    const end64 = await exactly(handle, Number(tail.readBigUInt64LE(end - 12)), END_64_BYTES, name);
    if (end64.readUInt32LE(0) !== END_64) throw damaged(name);
    [bytes, at] = [Number(end64.readBigUInt64LE(40)), Number(end64.readBigUInt64LE(48))];
  }
  if (bytes > MAX_DIRECTORY_BYTES || at + bytes > size) throw damaged(name);
  const list = await exactly(handle, at, bytes, name);
  const entries: Entry[] = [];
  for (let from = 0; from + ENTRY_BYTES <= list.length; ) {
    if (list.readUInt32LE(from) !== ENTRY) throw damaged(name);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map(field => list.readUInt16LE(from + field)) as [
      number,
      number,
      number,
    ];
    const extraAt = from + ENTRY_BYTES + nameBytes;
    entries.push({
      name: list.toString('latin1', from + ENTRY_BYTES, extraAt),
      method: list.readUInt16LE(from + 10),
      ...placeOf(list, from, list.subarray(extraAt, extraAt + extraBytes), size, name),
    });
    from = extraAt + extraBytes + commentBytes;
  }
  return entries;
}

/** Length and place of an entry; of large files they stand in an extra field, in the order of those that are there. */
function placeOf(list: Buffer, from: number, extra: Buffer, size: number, name: string) {
  const [whole, stored, localAt] = [24, 20, 42].map(field => list.readUInt32LE(from + field)) as [
    number,
    number,
    number,
  ];
  const values = [whole, stored, localAt];
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== EXTRA_64) continue;
    let value = at + 4;
    for (const [i, number] of values.entries()) {
      if (number !== IN_EXTRA || value + 8 > extra.length) continue;
      values[i] = Number(extra.readBigUInt64LE(value));
      value += 8;
    }
  }
  if (values[2]! + values[1]! > size) throw damaged(name);
  return { stored: values[1]!, localAt: values[2]! };
}

async function exactly(handle: FileHandle, at: number, bytes: number, name: string): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, at);
  if (bytesRead < bytes) throw damaged(name);
  return buffer;
}

function damaged(name: string): TraceError {
  return new TraceError(`${name} is a damaged zip file: its directory does not fit its contents`);
}
