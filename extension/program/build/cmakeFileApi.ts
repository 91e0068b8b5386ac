/** CMake's File API (cmake-file-api(7)): the question in a build folder, and the executables in its answer. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';

const client = 'client-pagelens';
const kind = 'codemodel-v2';

export interface CMakeExecutable {
  readonly target: string;
  /** Absolute; it need not be built yet. */
  readonly file: string;
}

/** To be called before CMake configures. */
export async function askForTargets(buildFolder: string): Promise<void> {
  const query = path.join(buildFolder, '.cmake/api/v1/query', client);
  await mkdir(query, { recursive: true });
  await writeFile(path.join(query, kind), '');
}

/** The executables of the project in the order of their names; null where CMake has not answered. */
export async function readExecutables(buildFolder: string): Promise<CMakeExecutable[] | null> {
  const folder = path.join(buildFolder, '.cmake/api/v1/reply');
  // Of several indexes, which CMake leaves for a moment, the last by name is the current one.
  const index = (await readdir(folder).catch(() => []))
    .filter(name => name.startsWith('index-'))
    .sort()
    .at(-1);
  if (!index) return null;
  const read = async (name: string) => JSON.parse(await readFile(path.join(folder, name), 'utf8'));
  const answer = (await read(index)).reply?.[client]?.[kind];
  if (!answer?.jsonFile) return null;
  const { configurations } = (await read(answer.jsonFile)) as CodeModel;
  const targets = await Promise.all((configurations[0]?.targets ?? []).map(({ jsonFile }) => read(jsonFile)));
  return (targets as CMakeTarget[])
    .filter(({ type, artifacts }) => type === 'EXECUTABLE' && artifacts?.[0])
    .map(({ name, artifacts }) => ({ target: name, file: path.resolve(buildFolder, artifacts![0]!.path) }))
    .sort((a, b) => (a.target < b.target ? -1 : 1));
}

interface CodeModel {
  readonly configurations: readonly { readonly targets: readonly { readonly jsonFile: string }[] }[];
}

interface CMakeTarget {
  readonly name: string;
  readonly type: string;
  readonly artifacts?: readonly { readonly path: string }[];
}
