/**
 * What the hooks of a rewritten WebAssembly program tell the recorder: records of two words of 32 bits, little-endian.
 * Plain constants, so that AssemblyScript (hooks/hooks.ts) and TypeScript read this one file.
 *
 * First word: one of the numbers below, or FIRST_SITE + a site's number in the rewriter's table; an access's second word
 * is the address before the instruction's offset is added, a call's is 0.
 */

/** The innermost call returns. */
export const RECORD_LEAVE = 0;
/** Second word: calls that an exception left. */
export const RECORD_UNWIND = 1;
/** Second word: the block that was freed. */
export const RECORD_FREE = 2;
/** Address; then the size, and a 0. */
export const RECORD_MAP = 3;
/** Bytes that WASI wrote for the program: address; then their number, and a 0. */
export const RECORD_KERNEL_WRITE = 4;
/** Number of the WASI function; then its result, and a 0. */
export const RECORD_SYSTEM_CALL = 5;
/** A block was allocated by RECORD_ALLOC + ALLOC_* of kernel/abi.ts: address; then size, and a 0. */
export const RECORD_ALLOC = 8;
/** From here on sites. A bulk operation's record goes on: its length, and a 0. */
export const FIRST_SITE = 16;

/** Most bytes that are handed over at once: what a killed program loses at most. */
export const BUFFER_BYTES = 65536;
