/**
 * What the compilers' access hooks do not report, as rules: by compiler family and by the flags of the build. Each
 * rule that applies becomes a warning of the report. `test/record/unseen.test.ts` holds every rule against valgrind.
 *
 * Sources: gcc/tsan.cc `instrument_expr` (what it passes over) and LLVM ThreadSanitizer.cpp
 * `addrPointsToConstantData`, `chooseInstructionsToInstrument`, `getMemoryAccessFuncIndex`.
 */
import type { Family } from './flags.js';

export interface UnseenRule {
  readonly id: string;
  readonly family: Family | 'any';
  /** `flags` is one set of the build's flags. */
  readonly applies: (flags: string) => boolean;
  readonly warning: string;
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
    warning: 'gcc reports no reads of constant data (static const tables, string literals): they are not in any count',
  },
  {
    id: 'constant-tables-clang',
    family: 'clang',
    applies: always,
    warning:
      'clang reports few reads of constant data (static const tables, string literals): those left out are not in any count',
  },
  {
    id: 'local-arrays',
    family: 'any',
    applies: always,
    warning:
      'accesses to local variables and arrays whose address does not leave their function are not reported by the compiler',
  },
  {
    id: 'builtin-copies',
    family: 'gcc',
    applies: always,
    warning:
      'gcc expands __builtin_memcpy and __builtin_memset of a constant length without hooks where a source or library header calls them by that name',
  },
  {
    id: 'streaming-masked-gather',
    family: 'gcc',
    applies: always,
    warning: 'gcc reports no streaming, masked, gather or scatter intrinsics',
  },
  {
    id: 'masked-gather',
    family: 'clang',
    applies: wide,
    warning: 'clang reports no masked, gather or scatter vector accesses',
  },
  {
    id: 'wide-vectors',
    family: 'clang',
    applies: wide,
    warning: 'clang reports no accesses wider than 16 bytes (256-bit and 512-bit vector types and intrinsics)',
  },
  {
    id: 'libraries',
    family: 'any',
    applies: always,
    warning:
      'code that was not compiled by pagelens (the C library, inline assembly) is unseen, but for the memory and string functions that the program calls',
  },
];

/** The warnings for a program built by these families with these sets of flags, in the order of the table. */
export function unseenWarnings(families: readonly Family[], flags: readonly string[]): string[] {
  if (families.length === 0) return [];
  return UNSEEN_RULES.filter(
    rule =>
      (rule.family === 'any' || families.includes(rule.family)) &&
      // Unknown flags may be any flags.
      (flags.length === 0 || flags.some(rule.applies)),
  ).map(rule => rule.warning);
}
