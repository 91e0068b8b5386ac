/**
 * The flags with which gcc and clang report every access that they can: the ThreadSanitizer pass, our runtime instead
 * of libtsan, and whatever else makes an access visible. What stays unseen nevertheless is in `unseen.ts`; both are
 * held by `test/record/unseen.test.ts`, which counts beside valgrind.
 */
import path from 'node:path';

export type Family = 'gcc' | 'clang';
/** Whose hooks an executable has; `rust.ts` has rustc's flags. An old rustc does not leave its name. */
export type Hooked = Family | 'rustc' | 'old-rustc';

export interface FlagGroup {
  readonly flags: readonly string[];
  /** Without these nothing can be recorded; the others are left out for a compiler that does not know them. */
  readonly required: boolean;
}

/**
 * For gcc the pass is switched on in the compiler proper (`cc1_options`, which cc1, cc1plus and f951 share) and not in
 * the driver, which would link libtsan: so that one command may still compile and link.
 */
/** The number in the name changes with the content. */
export const gccSpecs = {
  name: 'gcc-access-hooks-1.specs',
  content: '*cc1_options:\n+ -fsanitize=thread\n\n',
};

/**
 * Functions that gcc would expand into loads and stores without hooks when the length is a constant: as calls they
 * reach the runtime. Only those that it expands; `strlen("abc")` stays the constant that it is in the program.
 */
const EXPANDED = [
  ...['memcpy', 'memmove', 'memset', 'mempcpy', 'memcmp', 'bcmp', 'bcopy', 'bzero'],
  ...['strcpy', 'stpcpy', 'strncpy', 'stpncpy', 'strcat', 'strncat', 'strcmp', 'strncmp'],
];

/** Lines need debug information. It goes before the user's flags, so that a `-g3` of the user's wins. */
export const DEBUG_FLAG = '-g';

/** What follows the user's flags. `folder` holds the specs file. */
export function candidateFlags(family: Family, language: string, folder: string): readonly FlagGroup[] {
  const common: FlagGroup[] = [
    // The hooks are no reason for a program to behave as under a race detector.
    { flags: ['-U__SANITIZE_THREAD__'], required: false },
    // Leaves the command line of the compiler in the object, from which the report names compiler and flags.
    { flags: ['-frecord-gcc-switches'], required: false },
  ];
  if (family === 'clang')
    return [
      // The driver knows the pass, and since clang 8 how not to link libtsan.
      { flags: ['-fsanitize=thread', '-fno-sanitize-link-runtime'], required: true },
      ...common,
      // Else only the write of a read-modify-write is reported (clang 12 and later know the option).
      { flags: ['-mllvm', '-tsan-instrument-read-before-write=1'], required: false },
      // The pass has no hook wider than 16 bytes: loops must not be vectorised for 32.
      { flags: ['-mprefer-vector-width=128'], required: false },
    ];
  const builtins = language === 'fortran' ? [] : EXPANDED.map(name => `-fno-builtin-${name}`);
  return [
    { flags: [`-specs=${path.join(folder, gccSpecs.name)}`], required: true },
    ...common,
    { flags: builtins, required: false },
    // A copied struct already has range hooks; a call of memcpy for it would count it a second time. Copies whose
    // length is not a constant stay calls under this option.
    {
      flags: ['-mmemcpy-strategy=rep_8byte:-1:noalign', '-mmemset-strategy=rep_8byte:-1:noalign'],
      required: false,
    },
    // The fortified variants are inline functions around __builtin_memcpy, which -fno-builtin-memcpy leaves alone.
    ...(language === 'fortran' ? [] : [{ flags: ['-U_FORTIFY_SOURCE'], required: false }]),
  ];
}
