/** Binary formats: whole records out of chunks. */
import { TraceError } from '../error.js';
import type { ImportInput } from './input.js';

/** A record that needs more bytes than this is damage. */
const MAX_RECORD_BYTES = 1 << 20;

/**
 * Gives the bytes in turn to `take`, which uses whole records and returns how many bytes they were; the rest comes again
 * with what follows. After each chunk awaits `between`. Returns the bytes that are left at the end: of a cut record.
 * @throws TraceError when more than 1 MiB makes no record
 */
export async function eachRecord(
  input: ImportInput,
  take: (bytes: Uint8Array) => number,
  between: () => Promise<void>,
): Promise<number> {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of input.chunks()) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const used = take(bytes);
    if (bytes.length - used > MAX_RECORD_BYTES + chunk.length)
      throw new TraceError(`${input.name}: a record of more than 1 MiB is damage`);
    rest = bytes.slice(used);
    await between();
  }
  return rest.length;
}

/** A view for reading numbers of a chunk. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
