/**
 * The answers of the known-answer programs, derived by hand in the comment that opens each of them. For code built with
 * -O2, by gcc or clang, at source level.
 *
 * `lines` and `block` name markers: the source line that ends in `// @name`. Numbers are exact; a range is written
 * where the answer depends on where the C library puts a block.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

export type Range = readonly [least: number, most: number];

export interface ExpectedCounts {
  readonly reads: number;
  readonly writes: number;
  /** Distinct pages touched. */
  readonly pages?: number | Range;
}

export interface ExpectedObject extends ExpectedCounts {
  readonly kind: 'heap' | 'global' | 'stack' | 'unattributed';
  /** Marker of the line that allocates it; for globals, `name`. */
  readonly block?: string;
  readonly name?: RegExp;
  /** Peak bytes alive at once; blocks allocated in all. */
  readonly bytes?: number;
  readonly blocks?: number;
  /** Used 64-byte lines of its touched pages, 0 to 1. */
  readonly density?: number;
  /** Cache lines, for any LRU cache smaller than the object. */
  readonly trafficReads?: number;
  readonly trafficWrites?: number;
  /** The counts above are the least there is: other accesses to the object are not worked out. */
  readonly atLeast?: boolean;
}

export interface Known {
  /** In this folder. */
  readonly source: string;
  /** Why it is here, as a test's name. */
  readonly shows: string;
  readonly exit: { readonly status: number } | { readonly signal: string };
  readonly lines: Readonly<Record<string, ExpectedCounts>>;
  readonly objects: readonly ExpectedObject[];
  /** Of all accesses of the run, where they can be worked out. */
  readonly totals?: { readonly reads: number; readonly writes: number };
  /** What the program prints with SHOW: the counts of the pages of that range, in ascending order. */
  readonly pagesOf?: {
    readonly shown: string;
    readonly reads: readonly number[];
    readonly writes: readonly number[];
  };
}

const times = (count: number, value: number): number[] => new Array<number>(count).fill(value);

export const known: readonly Known[] = [
  {
    source: 'write-once.c',
    shows: 'pages written once and read seven times',
    exit: { status: 0 },
    lines: {
      write: { reads: 0, writes: 64, pages: 64 },
      read: { reads: 448, writes: 0, pages: 64 },
    },
    objects: [
      {
        kind: 'heap',
        block: 'block',
        reads: 448,
        writes: 64,
        pages: 64,
        bytes: 64 * 4096,
        blocks: 1,
        density: 1 / 64,
      },
    ],
    totals: { reads: 448, writes: 64 },
    pagesOf: { shown: 'block', reads: times(64, 7), writes: times(64, 1) },
  },
  {
    source: 'shared-page.c',
    shows: 'two objects that share a page',
    exit: { status: 0 },
    lines: {
      left: { reads: 0, writes: 300, pages: 1 },
      right: { reads: 500, writes: 0, pages: 1 },
    },
    objects: [
      { kind: 'heap', block: 'left-block', reads: 0, writes: 300, pages: 1 },
      { kind: 'heap', block: 'right-block', reads: 500, writes: 0, pages: 1 },
    ],
    totals: { reads: 500, writes: 300 },
    pagesOf: { shown: 'left', reads: [500], writes: [300] },
  },
  {
    source: 'straddle.c',
    shows: 'an access that straddles two pages counts once and touches both',
    exit: { status: 0 },
    lines: {
      write: { reads: 0, writes: 10, pages: 2 },
      read: { reads: 20, writes: 0, pages: 2 },
      inside: { reads: 0, writes: 5, pages: 1 },
    },
    objects: [{ kind: 'heap', block: 'block', reads: 20, writes: 15, pages: 2, bytes: 8192, blocks: 1 }],
    totals: { reads: 20, writes: 15 },
    pagesOf: { shown: 'record', reads: [20, 0], writes: [10, 5] },
  },
  {
    source: 'bulk.c',
    shows: 'bulk operations count one access per started 64-byte line and direction',
    exit: { status: 0 },
    lines: {
      'set-1': { reads: 0, writes: 1 },
      'set-64': { reads: 0, writes: 1 },
      'set-65': { reads: 0, writes: 2 },
      'set-edge': { reads: 0, writes: 2 },
      'set-odd': { reads: 0, writes: 16 },
      'set-none': { reads: 0, writes: 0 },
      copy: { reads: 5, writes: 4 },
      'copy-page': { reads: 65, writes: 64 },
      move: { reads: 5, writes: 6 },
    },
    objects: [
      { kind: 'heap', block: 'to-block', reads: 0, writes: 90, pages: 1, bytes: 8192, blocks: 1 },
      { kind: 'heap', block: 'from-block', reads: 70, writes: 0, pages: 2, bytes: 8192, blocks: 1 },
      { kind: 'heap', block: 'both-block', reads: 5, writes: 6, pages: 1, bytes: 4096, blocks: 1 },
    ],
    totals: { reads: 75, writes: 96 },
    // The 65th line read by @copy-page is the first of the second page.
    pagesOf: { shown: 'from', reads: [69, 1], writes: [0, 0] },
  },
  {
    source: 'atomics.c',
    shows: 'atomics: a read-modify-write is a read and a write, a failed compare-and-swap a read',
    exit: { status: 0 },
    lines: {
      store: { reads: 0, writes: 300, pages: 1 },
      add: { reads: 1000, writes: 1000, pages: 1 },
      swap: { reads: 200, writes: 200, pages: 1 },
      load: { reads: 400, writes: 0, pages: 1 },
      cas: { reads: 100, writes: 100, pages: 1 },
      'cas-fail': { reads: 50, writes: 0, pages: 1 },
      or: { reads: 60, writes: 60, pages: 1 },
    },
    // The total is not worked out: gcc keeps the expected value of a compare-and-swap in the frame, clang does not.
    objects: [{ kind: 'heap', block: 'block', reads: 1810, writes: 1660, pages: 1, bytes: 4096, blocks: 1 }],
    pagesOf: { shown: 'cells', reads: [1810], writes: [1660] },
  },
  {
    source: 'threads.c',
    shows: 'four threads with contention: totals are exact',
    exit: { status: 0 },
    lines: {
      clear: { reads: 0, writes: 1, pages: 1 },
      count: { reads: 40_000, writes: 40_000, pages: 1 },
      own: { reads: 0, writes: 20_000, pages: 40 },
      check: { reads: 1, writes: 0, pages: 1 },
    },
    objects: [
      { kind: 'heap', block: 'shared-block', reads: 40_001, writes: 40_001, pages: 1, bytes: 4096, blocks: 1 },
      { kind: 'heap', block: 'own-block', reads: 0, writes: 20_000, pages: 40, bytes: 40 * 4096, blocks: 1 },
    ],
    // 5,000 words: nine full pages of 512 and one of 392.
    pagesOf: {
      shown: 'own',
      reads: times(40, 0),
      writes: times(4, 0).flatMap(() => [...times(9, 512), 392]),
    },
  },
  {
    source: 'scan.c',
    shows: 'a scan of 64 MiB',
    exit: { status: 0 },
    lines: {
      write: { reads: 0, writes: 2 ** 23, pages: 2 ** 14 },
      read: { reads: 2 ** 23, writes: 0, pages: 2 ** 14 },
    },
    objects: [
      {
        kind: 'heap',
        block: 'block',
        reads: 2 ** 23,
        writes: 2 ** 23,
        pages: 2 ** 14,
        bytes: 2 ** 26,
        blocks: 1,
        density: 1,
        trafficReads: 2 ** 21,
        trafficWrites: 2 ** 20,
      },
    ],
    totals: { reads: 2 ** 23, writes: 2 ** 23 },
    pagesOf: { shown: 'block', reads: times(2 ** 14, 512), writes: times(2 ** 14, 512) },
  },
  {
    source: 'reuse.c',
    shows: 'memory that is freed and used again counts for the object that holds it',
    exit: { status: 0 },
    lines: {
      first: { reads: 0, writes: 1000, pages: [1, 2] },
      'second-write': { reads: 0, writes: 100, pages: 1 },
      'second-read': { reads: 2000, writes: 0, pages: [1, 2] },
      grown: { reads: 0, writes: 11, pages: [1, 11] },
    },
    objects: [
      { kind: 'heap', block: 'first-block', reads: 0, writes: 1000, pages: [1, 2], bytes: 1000, blocks: 100 },
      { kind: 'heap', block: 'second-block', reads: 2000, writes: 100, pages: [1, 2], bytes: 1000, blocks: 100 },
      { kind: 'heap', block: 'grow', reads: 0, writes: 11, bytes: 65_536, blocks: 11 },
    ],
    totals: { reads: 2000, writes: 1111 },
  },
  {
    source: 'globals.c',
    shows: 'globals, statics and a static of a function have names of their own',
    exit: { status: 0 },
    lines: {
      'write-global': { reads: 0, writes: 512, pages: [1, 2] },
      'read-static': { reads: 3072, writes: 0, pages: [2, 3] },
      'write-zero': { reads: 0, writes: 2048, pages: [4, 5] },
      'read-zero': { reads: 2048, writes: 0, pages: [4, 5] },
      calls: { reads: 250, writes: 250, pages: 1 },
    },
    objects: [
      { kind: 'global', name: /^table_global$/, reads: 0, writes: 512, pages: [1, 2], bytes: 4096 },
      { kind: 'global', name: /^table_static$/, reads: 3072, writes: 0, pages: [2, 3], bytes: 8192 },
      { kind: 'global', name: /^table_zero$/, reads: 2048, writes: 2048, pages: [4, 5], bytes: 16_384 },
      { kind: 'global', name: /^(count_calls\.)?calls(\.\d+)?$/, reads: 250, writes: 250, pages: 1, bytes: 8 },
    ],
    totals: { reads: 5370, writes: 2810 },
  },
  {
    source: 'stack.c',
    shows: 'arrays on the stack belong to the stack',
    exit: { status: 0 },
    lines: {
      fill: { reads: 0, writes: 3000, pages: [6, 7] },
      sum: { reads: 6000, writes: 0, pages: [6, 7] },
      deep: { reads: 0, writes: 200, pages: [1, 3] },
    },
    objects: [{ kind: 'stack', reads: 6000, writes: 3200, atLeast: true }],
  },
  {
    source: 'crash.c',
    shows: 'a crash at the ten-millionth access',
    exit: { signal: 'SIGSEGV' },
    lines: {
      store: { reads: 0, writes: 9_999_999, pages: 1 },
      crash: { reads: 0, writes: 1, pages: 1 },
    },
    objects: [
      { kind: 'heap', block: 'block', reads: 0, writes: 9_999_999, pages: 1, bytes: 4096, blocks: 1 },
      { kind: 'unattributed', reads: 0, writes: 1, pages: 1 },
    ],
    totals: { reads: 0, writes: 10_000_000 },
  },
];

/** Absolute path of a program. */
export function sourceOf(program: Known): string {
  return path.join(__dirname, program.source);
}

/** Line number (from 1) of each marker of a program. */
export function markersOf(program: Known): ReadonlyMap<string, number> {
  const lines = readFileSync(sourceOf(program), 'utf8').split('\n');
  return new Map(
    lines.flatMap((text, index): [string, number][] => {
      const marker = /\/\/ @([\w-]+)$/.exec(text);
      return marker ? [[marker[1], index + 1]] : [];
    }),
  );
}

/** Objects that the program prints with SHOW, from its standard output: where they start and how long they are. */
export function shownIn(output: string): ReadonlyMap<string, { readonly address: bigint; readonly bytes: number }> {
  const rows = [...output.matchAll(/^(\w+) (0x[0-9a-f]+) (\d+)$/gm)];
  return new Map(rows.map(([, name, address, bytes]) => [name, { address: BigInt(address), bytes: Number(bytes) }]));
}
