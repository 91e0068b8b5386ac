/**
 * The hooks that a rewritten program calls (core/record/wasm/rewrite.ts): they fill a buffer with records, which the host
 * writes to the recorder's pipe. A WebAssembly module of its own, with a memory of its own, since that of the program
 * must stay as it is; an engine calls from module to module as fast as within one.
 */
import {
  BUFFER_BYTES,
  RECORD_ALLOC,
  RECORD_FREE,
  RECORD_KERNEL_WRITE,
  RECORD_LEAVE,
  RECORD_MAP,
  RECORD_SYSTEM_CALL,
  RECORD_UNWIND,
} from './records';

/** The host takes the bytes. */
declare function flush(from: usize, bytes: usize): void;

const PAGE_SHIFT: u32 = 16;
/** Longest record. */
const LONGEST: usize = 16;

const buffer: usize = heap.alloc(BUFFER_BYTES);
const last: usize = buffer + BUFFER_BYTES - LONGEST;
let at: usize = buffer;

/** Calls that have not returned. */
let frames: u32 = 0;
const NOBODY: u32 = 0xffff_ffff;
/** Calls there were when the outermost allocator was called. */
let allocator: u32 = NOBODY;

/** Hands over what there is; also called by the host, at the program's end. */
export function handOver(): void {
  if (at != buffer) flush(buffer, at - buffer);
  at = buffer;
}

function record(kind: u32, value: u32): void {
  store<u32>(at, kind);
  store<u32>(at, value, 4);
  at += 8;
  if (at > last) handOver();
}

function longRecord(kind: u32, value: u32, more: u32): void {
  store<u32>(at, kind);
  store<u32>(at, value, 4);
  store<u64>(at, more, 8);
  at += 16;
  if (at > last) handOver();
}

/** An access; gives the address back, so that the instruction finds it where it was. */
export function access(address: u32, site: u32): u32 {
  record(site, address);
  return address;
}

/** The write of a compare-and-swap, if it `happened`. */
export function wrote(site: u32, address: u32, happened: u32): void {
  if (happened) record(site, address);
}

/** A bulk operation; `pages`: the memory's size, beyond which it traps. */
export function range(address: u32, length: u32, pages: u32, site: u32): void {
  if (length && <u64>address + length <= (<u64>pages) << PAGE_SHIFT) longRecord(site, address, length);
}

export function enter(site: u32): void {
  frames++;
  record(site, 0);
}

export function leave(): void {
  frames--;
  record(RECORD_LEAVE, 0);
}

export function depth(): u32 {
  return frames;
}

/** An exception was caught where there were `to` calls. */
export function unwind(to: u32): void {
  if (frames <= to) return;
  record(RECORD_UNWIND, frames - to);
  frames = to;
}

/** memory.grow: `old` pages, or -1 where it failed. */
export function grown(old: u32, pages: u32): void {
  if (old != NOBODY && pages) longRecord(RECORD_MAP, old << PAGE_SHIFT, pages << PAGE_SHIFT);
}

/** An allocator is called. Whether it is the program that calls it: what allocators call themselves does not count. */
export function allocating(): u32 {
  // One that an exception left never returned.
  if (allocator != NOBODY && frames > allocator) return 0;
  allocator = frames;
  return 1;
}

export function freed(block: u32): void {
  if (block) record(RECORD_FREE, block);
}

/** The allocator that the program called returns `block`, 0 for none; `old`: what realloc gives up, else 0. */
export function allocated(block: u32, size: u32, old: u32, kind: u32): void {
  allocator = NOBODY;
  if (old && (block || !size)) record(RECORD_FREE, old);
  if (block) longRecord(RECORD_ALLOC + kind, block, size);
}

/** For the host: a WASI function was called. */
export function systemCall(number: u32, result: u32): void {
  longRecord(RECORD_SYSTEM_CALL, number, result);
}

/** For the host: it wrote into the program's memory. */
export function kernelWrote(address: u32, length: u32): void {
  if (length) longRecord(RECORD_KERNEL_WRITE, address, length);
}
