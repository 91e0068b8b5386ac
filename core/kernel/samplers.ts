/**
 * Samplers: every so many accesses one is looked at, as PEBS and IBS do. Each half has its own: the counting half counts
 * accesses, all of them or those of one direction; the machine half counts accesses that a given level served, since it
 * alone knows levels (and never hears of repeats of a line, which the first level serves).
 *
 * Intervals are the period less a random part up to the jitter, from a generator of the sampler's own, so that no sampler
 * depends on which others there are.
 */
import { SAMPLE_READS, SAMPLE_WRITES } from './abi';
import { SAMPLERS } from './abi-machine';
import { batchSite } from './decode';
import { SITE_DIRECTION, SITE_STRIDE, siteTable, siteWrites } from './pairs';
import { pushWords } from './streams';

const S_STREAM = 0;
/** Directions (SAMPLE_*) in the counting half. */
const S_DIRECTIONS = 4;
/** Level (SERVED_*) from which on accesses count, in the machine half. */
const S_LEVEL = 8;
const S_PERIOD = 12;
const S_JITTER = 16;
const S_RANDOM = 20;
/** Accesses up to and with the next sample. */
const S_LEFT = 24;
/** Index in the batch of its next sample; the batch's length: none. */
const S_NEXT = 28;
const S_BYTES = 32;

const samplers: usize = heap.alloc(SAMPLERS * S_BYTES);
export let samplerCount: u32 = 0;
/** The lowest level that some sampler counts. */
export let sampledLevel: u32 = 0xffff_ffff;

/**
 * A sampler whose samples go to `stream`: one access of each `period`, less a random number from 0 to `jitter`, which is
 * below `period`. `seed` is not 0. In the counting half `directions` counts, in the machine half both do.
 */
export function addSampler(stream: u32, period: u32, jitter: u32, seed: u32, directions: u32, level: u32): void {
  const s = samplerAt(samplerCount++);
  store<u32>(s, stream, S_STREAM);
  store<u32>(s, directions, S_DIRECTIONS);
  store<u32>(s, level, S_LEVEL);
  store<u32>(s, period, S_PERIOD);
  store<u32>(s, jitter, S_JITTER);
  store<u32>(s, seed, S_RANDOM);
  store<u32>(s, interval(s), S_LEFT);
  sampledLevel = min(sampledLevel, level);
}

function samplerAt(index: u32): usize {
  return samplers + <usize>index * S_BYTES;
}

/** Accesses to the next sample (xorshift32, Marsaglia 2003). */
function interval(s: usize): u32 {
  let x = load<u32>(s, S_RANDOM);
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  store<u32>(s, x, S_RANDOM);
  return load<u32>(s, S_PERIOD) - (x % (load<u32>(s, S_JITTER) + 1));
}

export function samplerStream(index: u32): u32 {
  return load<u32>(samplerAt(index), S_STREAM);
}

// The counting half: which accesses of a batch are samples.

/** Finds each sampler's first sample in a batch of `n` accesses. */
export function openSamples(n: u32): void {
  for (let i: u32 = 0; i < samplerCount; i++) findSample(samplerAt(i), 0, n);
}

/** Index of the next sampled access of the batch, or `n`. */
export function nextSampled(n: u32): u32 {
  let next = n;
  for (let i: u32 = 0; i < samplerCount; i++) next = min(next, load<u32>(samplerAt(i), S_NEXT));
  return next;
}

/** Whether the sampler's next sample is access `at`; if so it looks for the one behind it. */
export function takeSample(index: u32, at: u32, n: u32): bool {
  const s = samplerAt(index);
  if (load<u32>(s, S_NEXT) != at) return false;
  store<u32>(s, interval(s), S_LEFT);
  findSample(s, at + 1, n);
  return true;
}

function findSample(s: usize, from: u32, n: u32): void {
  const directions = load<u32>(s, S_DIRECTIONS);
  let left = load<u32>(s, S_LEFT);
  let at = from;
  if (directions == (SAMPLE_READS | SAMPLE_WRITES)) {
    const here = min(left, n - from);
    at += here;
    left -= here;
  } else {
    // Whole blocks are passed over: which of their accesses write is only summed up, without a branch.
    while (at + BLOCK <= n) {
      const writes = blockWrites(at);
      const counted = directions == SAMPLE_WRITES ? writes : BLOCK - writes;
      if (counted >= left) break;
      left -= counted;
      at += BLOCK;
    }
    for (; at < n && left; at++) if (directions & (1 << batchWrites(at))) left--;
  }
  store<u32>(s, left, S_LEFT);
  // The last access that was counted, if the count came to its end.
  store<u32>(s, left ? n : at - 1, S_NEXT);
}

const BLOCK: u32 = 128;

/** How many of the BLOCK accesses of the batch from `from` on write. */
function blockWrites(from: u32): u32 {
  const sites = siteTable;
  let sum: u32 = 0;
  const end = batchSite + ((<usize>(from + BLOCK)) << 2);
  for (let at = batchSite + ((<usize>from) << 2); at < end; at += 16) {
    sum +=
      <u32>load<u8>(sites + load<u32>(at) * SITE_STRIDE, SITE_DIRECTION) +
      <u32>load<u8>(sites + load<u32>(at, 4) * SITE_STRIDE, SITE_DIRECTION) +
      <u32>load<u8>(sites + load<u32>(at, 8) * SITE_STRIDE, SITE_DIRECTION) +
      <u32>load<u8>(sites + load<u32>(at, 12) * SITE_STRIDE, SITE_DIRECTION);
  }
  return sum >> 2;
}

/** 1 if access `at` of the batch writes. */
function batchWrites(at: u32): u32 {
  return siteWrites(load<u32>(batchSite + ((<usize>at) << 2)));
}

// The machine half.

/** An access of the level was made: it is a sample of those samplers whose turn it is. */
export function sampleServed(line: u32, vcpu: u32, level: u32, write: u32): void {
  for (let i: u32 = 0; i < samplerCount; i++) {
    const s = samplerAt(i);
    if (level < load<u32>(s, S_LEVEL) || !(load<u32>(s, S_DIRECTIONS) & (1 << write))) continue;
    const left = load<u32>(s, S_LEFT) - 1;
    store<u32>(s, left ? left : interval(s), S_LEFT);
    if (!left) pushWords(load<u32>(s, S_STREAM), line, (vcpu << 3) | (level << 1) | write);
  }
}
