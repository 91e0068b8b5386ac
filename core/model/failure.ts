/**
 * Why a request failed, told apart by a stable code: an editor chooses the next step by it. The message beside it is
 * for people, and may change.
 */
export type FailureCode =
  /** No compiler for the language; `package` would bring one. */
  | 'no-compiler'
  /** `output` has the compiler's messages. */
  | 'not-compiled'
  /** `symbols` are defined nowhere; `siblings` are source files beside it that seem to define them. */
  | 'undefined-symbols'
  | 'no-main'
  /** The executable has no access hooks. */
  | 'not-instrumented'
  /** The tool that records unmodified executables is missing; `package` would bring it. */
  | 'no-recorder'
  /** Neither source nor executable of this machine. */
  | 'not-a-program'
  | 'no-such-program'
  | 'not-permitted'
  /** Nothing may be executed on the file system of the program, or of what was built from it. */
  | 'mounted-noexec'
  | 'disk-full'
  /** The program ended before its first instruction, or started nothing that is recorded. */
  | 'nothing-recorded'
  | 'other';

export interface Failure {
  readonly code: FailureCode;
  /** Debian's name of the package. */
  readonly package?: string;
  readonly output?: string;
  readonly symbols?: readonly string[];
  /** Absolute paths. */
  readonly siblings?: readonly string[];
}
