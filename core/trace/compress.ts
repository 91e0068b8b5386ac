/**
 * Chooses how a payload is stored. All choices are raw deflate or none, so that a reader need not know of them.
 *
 * Predicted records repeat in long runs, which deflate's level 1 finds at 1 GB/s; random addresses have none, and
 * looking for them costs 30 MB/s of a core that the recorded program wants. So a sample is deflated first. Measured on
 * 1 MiB of synthetic records (one core; MiB/s and stored share):
 *
 *   records                     level 1        Huffman codes alone
 *   two predicted loops         1437  0.03      233  0.47
 *   branchy, near addresses       83  0.50      162  0.46
 *   hash table (3 of 5 random)    33  0.62      112  0.71
 *   random bytes                  26  1.00       92  1.00
 */
import { promisify } from 'node:util';
import { constants, deflateRaw } from 'node:zlib';
import { CODEC_DEFLATE_RAW, CODEC_NONE } from './format.js';

const deflate = promisify<Uint8Array, object, Buffer>(deflateRaw);

/** Below this, deflate's own overhead outweighs what it saves. */
const MIN_DEFLATED_BYTES = 128;

/** A sample is this many pieces, evenly spread; a payload of twice as much or less is not worth one. */
const PIECES = 4;
const PIECE_BYTES = 4096;
const MIN_SAMPLED_BYTES = 2 * PIECES * PIECE_BYTES;

/** Shares of the sample's size, as level 1 leaves it, up to which repetitions are sought, and any coding is worth it. */
const REPETITIVE = 0.4;
const COMPRESSIBLE = 0.8;

export interface Stored {
  readonly codec: number;
  /** May be `raw` itself. */
  readonly bytes: Uint8Array;
}

/** Compresses on a thread of libuv's pool. `raw` must not change until the promise settles. */
export async function compress(raw: Uint8Array): Promise<Stored> {
  const none = { codec: CODEC_NONE, bytes: raw };
  if (raw.length < MIN_DEFLATED_BYTES) return none;
  let strategy: number = constants.Z_DEFAULT_STRATEGY;
  if (raw.length >= MIN_SAMPLED_BYTES) {
    const sample = sampleOf(raw);
    const share = (await deflateAtOnce(sample, strategy)).length / sample.length;
    if (share > COMPRESSIBLE) return none;
    if (share > REPETITIVE) strategy = constants.Z_HUFFMAN_ONLY;
  }
  const bytes = await deflateAtOnce(raw, strategy);
  return bytes.length < raw.length ? { codec: CODEC_DEFLATE_RAW, bytes } : none;
}

/** One output chunk of the input's size makes it one job for the pool, instead of one every 16 KiB. */
function deflateAtOnce(raw: Uint8Array, strategy: number): Promise<Buffer> {
  return deflate(raw, { level: 1, strategy, chunkSize: Math.max(1024, raw.length) });
}

function sampleOf(raw: Uint8Array): Uint8Array {
  const sample = new Uint8Array(PIECES * PIECE_BYTES);
  const step = Math.floor((raw.length - PIECE_BYTES) / (PIECES - 1));
  for (let i = 0; i < PIECES; i++) sample.set(raw.subarray(i * step, i * step + PIECE_BYTES), i * PIECE_BYTES);
  return sample;
}
