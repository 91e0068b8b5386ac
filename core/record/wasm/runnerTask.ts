/** What the process that runs a WebAssembly program is told, in a file that it is given the name of. */
export interface RunnerTask {
  /** The rewritten module. */
  readonly module: string;
  /** The program's name, its first argument. */
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
}

/** The file descriptor that records are written to: the first behind the standard streams. */
export const RECORDS = 3;
