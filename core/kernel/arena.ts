/**
 * Memory of the kernel: a bump allocator for records that live to the end of the run, and reuse lists of
 * power-of-two blocks for tables that double or come and go.
 *
 * Nothing here is garbage collected: records hold plain addresses, so memory never moves (growing WebAssembly memory
 * appends to it). Everything handed out is zero and aligned to 64 bytes.
 */

/** Why the kernel trapped; the host turns it into a message. 0: not on purpose. */
export let failure: u32 = 0;
export const FAIL_MEMORY = 1;
export const FAIL_EPOCHS = 2;

export function fail(reason: u32): void {
  failure = reason;
  unreachable();
}

/** Memory is taken from the WebAssembly heap in slabs of this many bytes, or more for one large table. */
const SLAB: usize = 1 << 20;
/** The WebAssembly memory grows by at least this many of its pages (64 KiB). */
const GROWTH_PAGES: u32 = 256;

let next: usize = 0;
let slabEnd: usize = 0;
/** Heads of the reuse lists, by log2 of the block size. */
const reuse: usize = heap.alloc(32 * 4);
memory.fill(reuse, 0, 32 * 4);

/** A slab from the common heap, which the decoder and the host allocate from as well. */
function slab(bytes: usize): usize {
  // The heap itself would double the whole memory when it runs out: grow it by what is needed instead, but not in steps
  // so small that the host is busy with them. What is not used of a step costs no memory of the machine.
  const here = heap.alloc(16);
  const have = (<u64>memory.size()) << 16;
  const want = <u64>here + bytes + 4096;
  if (want > have) {
    const pages = <i32>((want - have + 0xffff) >> 16);
    if (memory.grow(max(pages, <i32>GROWTH_PAGES)) < 0 && memory.grow(pages) < 0) fail(FAIL_MEMORY);
  }
  const at = (heap.alloc(bytes + 64) + 63) & ~63;
  // Not zero by itself: the heap gives memory again when its last block was freed.
  memory.fill(at, 0, bytes);
  return at;
}

/** `bytes` of zeroed memory, for good. */
export function take(bytes: usize): usize {
  const size = (bytes + 63) & ~63;
  if (size > SLAB / 4) return slab(size);
  if (next + size > slabEnd) {
    next = slab(SLAB);
    slabEnd = next + SLAB;
  }
  const at = next;
  next += size;
  return at;
}

/** The size that `allocate` gives for `bytes`: the next power of two, at least 64. */
function sizeClass(bytes: usize): u32 {
  return bytes <= 64 ? 6 : 32 - clz<u32>(<u32>bytes - 1);
}

/** A zeroed table of at least `bytes`; `release` takes it back. */
export function allocate(bytes: usize): usize {
  if (bytes > 1 << 31) fail(FAIL_MEMORY);
  const size = sizeClass(bytes);
  const head = reuse + (size << 2);
  const block = <usize>load<u32>(head);
  if (!block) return take((<usize>1) << size);
  store<u32>(head, load<u32>(block));
  memory.fill(block, 0, (<usize>1) << size);
  return block;
}

/** Returns a table of `bytes` (as it was asked for) to the reuse lists. */
export function release(block: usize, bytes: usize): void {
  if (!block) return;
  const head = reuse + (sizeClass(bytes) << 2);
  store<u32>(block, load<u32>(head));
  store<u32>(head, <u32>block);
}

/** A table with room for `newBytes` holding the first `oldBytes` of `block`, which is released. */
export function enlarge(block: usize, oldBytes: usize, newBytes: usize): usize {
  const larger = allocate(newBytes);
  if (block) {
    memory.copy(larger, block, oldBytes);
    release(block, oldBytes);
  }
  return larger;
}
