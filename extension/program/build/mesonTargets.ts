/** The executables of a Meson project, as its build folder tells (Meson manual, "IDE integration"). */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import * as path from 'node:path';

export interface MesonExecutable {
  /** As `meson compile` takes it: folder and name, which alone need not be unique. */
  readonly target: string;
  /** Absolute; it need not be built yet. */
  readonly file: string;
}

/** Optimised, as CMake's RelWithDebInfo is: a debug build accesses memory where a release does not. */
export const mesonBuildType = 'debugoptimized';

export function isMesonProject(folder: string): boolean {
  return existsSync(path.join(folder, 'meson.build'));
}

/** In the order of their names; null where the build folder was not set up, or not to its end. */
export async function readMesonExecutables(buildFolder: string): Promise<MesonExecutable[] | null> {
  const info = path.join(buildFolder, 'meson-info');
  // Written last, so that what it speaks of is whole.
  if (!existsSync(path.join(info, 'meson-info.json'))) return null;
  const targets = JSON.parse(await readFile(path.join(info, 'intro-targets.json'), 'utf8')) as MesonTarget[];
  return targets
    .filter(({ type, filename }) => type === 'executable' && filename[0] !== undefined)
    .map(({ name, filename }) => {
      const folder = path.relative(buildFolder, path.dirname(filename[0]!));
      return { target: `${path.posix.join(folder, name)}:executable`, file: filename[0]! };
    })
    .sort((a, b) => (a.target < b.target ? -1 : 1));
}

interface MesonTarget {
  readonly name: string;
  readonly type: string;
  readonly filename: readonly string[];
}
