/** The environment in which compilers are `pagelens cc`, `pagelens c++` and `pagelens fc`. */
import * as path from 'node:path';

export const wrappers = { CC: 'pagelens cc', CXX: 'pagelens c++', FC: 'pagelens fc' } as const;

export interface BuildEnvironmentOptions {
  /** Folder of the launcher `pagelens`. */
  readonly launcher: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Sources are compiled in the first folder, and are to be known as files of the second. */
  readonly sources?: readonly [mirror: string, folder: string];
}

export function buildEnvironment({ launcher, environment, sources }: BuildEnvironmentOptions): Record<string, string> {
  const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const built: Record<string, string> = Object.fromEntries(given);
  for (const [name, wrapper] of Object.entries(wrappers)) {
    // The compiler that the user prefers is the one behind the wrapper.
    const own = `PAGELENS_${name}`;
    if (built[name] && !built[own]) built[own] = built[name];
    built[name] = wrapper;
  }
  built.PATH = [launcher, built.PATH].filter(Boolean).join(path.delimiter);
  if (sources) built.PAGELENS_PREFIX_MAP = sources.join('=');
  return built;
}

/**
 * Makefiles mostly set CC themselves, and then the environment does not count; what MAKEFLAGS sets behind `--` counts
 * as if it stood on make's command line.
 */
export function makeFlags(existing = ''): string {
  const variables = Object.entries(wrappers).map(([name, wrapper]) => `${name}=${wrapper.replaceAll(' ', '\\ ')}`);
  const separator = / -- /.test(` ${existing} `) ? '' : '--';
  return [existing, separator, ...variables].filter(Boolean).join(' ');
}
