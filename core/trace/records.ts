/** The one thing that is read of a stream's records outside the kernel: where in the order the stream begins. */

/** Tags of the two records that carry a sequence number (docs/trace-records.md). */
const TAG_EVENT = 0xf9;
const TAG_STAMP = 0xfb;

/**
 * The sequence number of a stream's first record, which is its thread's start. 0 when the stream begins with something
 * else: then its place is found when it is run.
 */
export function firstSequence(records: Uint8Array): number {
  let at = 1;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < records.length; scale *= 128) {
      const byte = records[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    return Number.NaN;
  };
  const tag = records[0];
  if (tag !== TAG_EVENT && tag !== TAG_STAMP) return 0;
  // A run of hits before it, which a first record cannot have.
  if (varint() !== 0) return 0;
  if (tag === TAG_EVENT) at++;
  const seq = varint();
  return Number.isSafeInteger(seq) ? seq : 0;
}
