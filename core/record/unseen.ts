/**
 * What the compilers' access hooks do not report, as rules: by compiler family and by the flags of the build. Each
 * rule that applies becomes a warning of the report, `not counted: ...`; reports list those apart.
 * `test/record/unseen.test.ts` holds every rule against valgrind.
 *
 * Sources: gcc/tsan.cc `instrument_expr` (what it passes over) and LLVM ThreadSanitizer.cpp
 * `addrPointsToConstantData`, `chooseInstructionsToInstrument`, `getMemoryAccessFuncIndex`.
 */
import type { Hooked } from './flags.js';
import type { Counts, MachineCounts } from './machineCounts.js';

export interface UnseenRule {
  readonly id: string;
  readonly family: Hooked | 'any';
  /** `flags` is one set of the build's flags. */
  readonly applies: (flags: string) => boolean;
  readonly warning: string;
  /** Where a count at machine level tells how much it is, at most. */
  readonly counted?: keyof MachineCounts;
}

const always = () => true;
/** 256-bit registers are on: by name, by a machine that has them, or by the building machine's own. */
const wide = (flags: string) =>
  /-mavx|-march=(native|x86-64-v[34]|haswell|broadwell|skylake|cascadelake|icelake|sapphire|alderlake|znver|bdver|core-avx)/.test(
    flags,
  );

export const UNSEEN_RULES: readonly UnseenRule[] = [
  {
    id: 'constant-tables',
    family: 'gcc',
    applies: always,
    counted: 'constants',
    warning: 'not counted: reads of constant data such as static const tables and string literals (gcc)',
  },
  {
    id: 'constant-tables-clang',
    family: 'clang',
    applies: always,
    counted: 'constants',
    warning: 'not counted: most reads of constant data such as static const tables and string literals (clang)',
  },
  ...(['gcc', 'clang'] as const).map(family => ({
    id: 'local-arrays',
    family,
    applies: always,
    counted: 'stack' as const,
    warning: 'not counted: local variables and arrays whose address does not leave their function',
  })),
  {
    id: 'builtin-copies',
    family: 'gcc',
    applies: always,
    warning: 'not counted: __builtin_memcpy, __builtin_memset of constant length where called by that name (gcc)',
  },
  {
    id: 'streaming-masked-gather',
    family: 'gcc',
    applies: always,
    warning: 'not counted: streaming, masked, gather and scatter intrinsics (gcc)',
  },
  {
    id: 'masked-gather',
    family: 'clang',
    applies: wide,
    warning: 'not counted: masked, gather and scatter vector accesses (clang)',
  },
  {
    id: 'wide-vectors',
    family: 'clang',
    applies: wide,
    warning: 'not counted: accesses wider than 16 bytes: 256-bit and 512-bit vectors (clang)',
  },
  {
    id: 'rust-library',
    family: 'rustc',
    applies: always,
    warning: 'not counted: the precompiled part of Rust’s standard library (what is generic or inlined is counted)',
  },
  {
    id: 'rust-copies',
    family: 'old-rustc',
    applies: always,
    warning: 'not counted: atomic read-modify-writes and copied structures (rustc with LLVM 15 or before)',
  },
  {
    id: 'rust-vectors',
    family: 'rustc',
    applies: always,
    warning: 'not counted: accesses wider than 16 bytes, which rustc makes for processors with such registers',
  },
  {
    id: 'libraries',
    family: 'any',
    applies: always,
    counted: 'libraries',
    warning: 'not counted: the C library, other code not built by pagelens (but for calls such as memcpy, strlen)',
  },
];

/**
 * The warnings for a program built by these families with these sets of flags, in the order of the table; with numbers
 * where `counts` is given.
 */
export function unseenWarnings(
  families: readonly Hooked[],
  flags: readonly string[],
  counts: MachineCounts | null = null,
): string[] {
  if (families.length === 0) return [];
  const applying = UNSEEN_RULES.filter(
    rule =>
      (rule.family === 'any' || families.includes(rule.family)) &&
      // Unknown flags may be any flags.
      (flags.length === 0 || flags.some(rule.applies)),
  );
  return [
    ...new Set(applying.map(({ warning, counted }) => warning + (counts && counted ? countText(counted, counts) : ''))),
  ];
}

const number = (count: number) => count.toLocaleString('en');
const COUNTS: Readonly<Record<keyof MachineCounts, (counts: Counts) => string>> = {
  libraries: ({ reads, writes }) => `${number(reads)} reads and ${number(writes)} writes made there`,
  constants: ({ reads }) => `${number(reads)} reads of such data by code with hooks`,
  stack: ({ reads, writes }) =>
    `${number(reads)} reads and ${number(writes)} writes of stacks by code with hooks, spilled registers and calls included`,
};

function countText(counted: keyof MachineCounts, counts: MachineCounts): string {
  return `; at machine level valgrind counts ${COUNTS[counted](counts[counted])}`;
}
