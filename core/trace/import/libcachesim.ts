/**
 * libCacheSim's `oracleGeneral` (its traceReader/customizedReader/oracle/oracleGeneralBin.h): requests of a cache, 24
 * bytes each, little-endian: u32 time in s, u64 object, u32 size in bytes, i64 number of the request (from 1) that comes
 * to the same object next; -1 or the largest number: none. The file has no header: it is told by these numbers.
 *
 * A request is no memory access. It is replayed as one read of a page that stands for the object, so that working set,
 * miss ratio and policies speak of objects; the object's number is that of the page.
 */
import { TraceError } from '../error.js';
import { isText } from '../sniff.js';
import type { ImportFormat } from './format.js';
import { contentStart } from './input.js';
import { eachRecord, viewOf } from './records.js';
import { READ } from './sink.js';

const RECORD_BYTES = 24;
const NONE = -1n;
const LARGEST = 2n ** 63n - 1n;
/** Page numbers have so many bits (57-bit addresses); longer object numbers are hashed. */
const PAGE_BITS = 45n;
/** Bytes of the read that stands for a request. */
const READ_BYTES = 8;

export const libcachesim: ImportFormat = {
  label: 'libCacheSim oracleGeneral',
  summary: 'binary cache requests (time, object, size, next): each is a read of a page that stands for the object',

  recognise(start, whole) {
    const count = Math.floor(start.length / RECORD_BYTES);
    if (count === 0 || (whole && start.length % RECORD_BYTES !== 0)) return false;
    const view = viewOf(start);
    const object = (i: number) => view.getBigUint64(i * RECORD_BYTES + 4, true);
    let followed = 0;
    let right = 0;
    for (let i = 0; i < count; i++) {
      const at = i * RECORD_BYTES;
      const next = view.getBigInt64(at + 16, true);
      if (i > 0 && view.getUint32(at, true) < view.getUint32(at - RECORD_BYTES, true)) return false;
      if (view.getUint32(at + 12, true) === 0) return false;
      if (next === NONE || next === LARGEST) continue;
      if (next <= BigInt(i) || next > 2n ** 40n) return false;
      if (next > BigInt(count)) continue;
      followed++;
      if (object(Number(next) - 1) === object(i)) right++;
    }
    return right === followed && (right > 0 || count > 1);
  },

  async read(input, sink) {
    const { start } = await contentStart(input, 4096);
    // Numbers of that width have zeros among their bytes.
    if (start.length > 0 && isText(start))
      throw new TraceError(`${input.name} is a text file, while libCacheSim's oracleGeneral traces are binary`);
    let hashed = false;
    const left = await eachRecord(
      input,
      bytes => {
        const view = viewOf(bytes);
        const end = bytes.length - RECORD_BYTES;
        let at = 0;
        for (; at <= end; at += RECORD_BYTES) {
          let low = view.getUint32(at + 4, true);
          let high = view.getUint32(at + 8, true);
          if (high >= 2 ** (Number(PAGE_BITS) - 32)) {
            const page = hash((BigInt(high) << 32n) | BigInt(low));
            low = Number(page & 0xffffffffn);
            high = Number(page >> 32n);
            hashed = true;
          }
          // The page's number times 4096.
          sink.access(0, 0, (low << 12) >>> 0, ((high << 12) | (low >>> 20)) >>> 0, READ, READ_BYTES);
        }
        return at;
      },
      () => sink.room(),
    );
    if (left > 0 || input.cut)
      sink.incomplete('the file ends in the middle of a request: only what precedes it is counted');
    sink.warnings.push(
      'Requests of a cache, not memory accesses: each is one read of a page that stands for the object; sizes of objects, ' +
        'and what wrote them, are not in it.',
    );
    if (hashed)
      sink.warnings.push(
        'Objects have numbers of more than 45 bits, which were hashed to 45: of n objects about n² / 2^46 pairs share a page.',
      );
  },
};

/** Multiplicative hashing (Knuth, "The Art of Computer Programming 3", section 6.4), by 2^64 over the golden ratio. */
function hash(object: bigint): bigint {
  return BigInt.asUintN(64, object * 0x9e3779b97f4a7c15n) >> (64n - PAGE_BITS);
}
