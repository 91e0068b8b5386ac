/** Which functions of a program allocate, by their names, and what their arguments say. */
import { ALLOC_ALIGNED, ALLOC_CALLOC, ALLOC_MALLOC, ALLOC_NEW, ALLOC_REALLOC } from '../../kernel/abi.js';

export interface Allocator {
  /** Parameters, all of them i32. */
  readonly params: number;
  readonly results: 0 | 1;
  /** ALLOC_*; absent of what only frees. */
  readonly kind?: number;
  /** Parameter with the size; with a second, their product. */
  readonly size?: number;
  readonly count?: number;
  /** Parameter with the block that is given up. */
  readonly frees?: number;
  /** Parameter that says where the block's address is put; the result is then 0 for success. */
  readonly into?: number;
}

const malloc: Allocator = { params: 1, results: 1, kind: ALLOC_MALLOC, size: 0 };
const calloc: Allocator = { params: 2, results: 1, kind: ALLOC_CALLOC, count: 0, size: 1 };
const realloc: Allocator = { params: 2, results: 1, kind: ALLOC_REALLOC, size: 1, frees: 0 };
const aligned: Allocator = { params: 2, results: 1, kind: ALLOC_ALIGNED, size: 1 };
const free: Allocator = { params: 1, results: 0, frees: 0 };

const byName: Readonly<Record<string, Allocator>> = {
  malloc,
  dlmalloc: malloc,
  calloc,
  dlcalloc: calloc,
  realloc,
  dlrealloc: realloc,
  reallocarray: { params: 3, results: 1, kind: ALLOC_REALLOC, count: 1, size: 2, frees: 0 },
  aligned_alloc: aligned,
  memalign: aligned,
  posix_memalign: { params: 3, results: 1, kind: ALLOC_ALIGNED, size: 2, into: 0 },
  free,
  dlfree: free,
  // Rust
  __rust_alloc: { params: 2, results: 1, kind: ALLOC_MALLOC, size: 0 },
  __rust_alloc_zeroed: { params: 2, results: 1, kind: ALLOC_CALLOC, size: 0 },
  __rust_realloc: { params: 4, results: 1, kind: ALLOC_REALLOC, size: 3, frees: 0 },
  __rust_dealloc: { params: 3, results: 0, frees: 0 },
};

/** Null for a function that does not allocate; `params` tells the overloads of C++'s operators apart. */
export function allocatorOf(name: string, params: number): Allocator | null {
  if (Object.hasOwn(byName, name)) return byName[name]!;
  // operator new and new[]: size, then alignment or a tag; operator delete and delete[]: block, then size or alignment.
  if (/^_Zn[wa]/.test(name)) return { params, results: 1, kind: ALLOC_NEW, size: 0 };
  if (/^_Zd[la]/.test(name)) return { params, results: 0, frees: 0 };
  return null;
}
