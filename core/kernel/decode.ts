/** Contract stub, replaced by the decoder of the predicted encoding. See the signatures. */
import { BATCH } from './abi';

/** The batch that `decode` fills: run-wide site numbers and full guest-virtual addresses of accesses, in order. */
export const batchSite: usize = heap.alloc(BATCH * 4);
export const batchAddress: usize = heap.alloc(BATCH * 8);
export let batchCount: u32 = 0;

/** The event that STOP_EVENT announces; see EVENT_* for the meaning of a to d. */
export let eventKind: u32 = 0;
export let eventSeq: u64 = 0;
export let eventA: u64 = 0;
export let eventB: u64 = 0;
export let eventC: u64 = 0;
export let eventD: u64 = 0;

export let decodeErrorOffset: u64 = 0;

/** A recorded process: its table of sites (local number -> pc, kind, run-wide number). Returns a handle. */
export function processCreate(): usize {
  return 0;
}

/** Adds sites with local numbers first..first+count-1. Columns: pc u64[], kind u16[], run-wide number u32[]. */
export function processAddSites(process: usize, first: u32, count: u32, pc: usize, kind: usize, site: usize): void {}

/** Run-wide site number of the CALL (or other) site with this pc, or u32.MAX_VALUE. */
export function processSiteOfPc(process: usize, pc: u64): u32 {
  return u32.MAX_VALUE;
}

/** A decoder for one stream. Returns a handle. */
export function decoderCreate(process: usize): usize {
  return 0;
}

/** Gives the next bytes (whole records). They must stay in place until `decode` returns STOP_INPUT. */
export function decoderInput(decoder: usize, bytes: usize, length: u32): void {}

/** Fills the batch from its start with at most `limit` (1..BATCH) accesses; returns a STOP_*. */
export function decode(decoder: usize, limit: u32): i32 {
  return 1;
}

/** The shadow call stack at this point: depth, and the call sites' pcs (u64[], outermost first). */
export function decoderDepth(decoder: usize): u32 {
  return 0;
}
export function decoderFrames(decoder: usize): usize {
  return 0;
}
