/**
 * A folder of links to a project's sources, in which make builds with access hooks. The project's own objects stay
 * as they are: mixed with ours, neither build would link. Nothing is copied, so it is cheap for large trees, and make
 * looks through the links at the sources' times, so that it builds only what has changed.
 */
import { type Dirent, existsSync } from 'node:fs';
import { lstat, mkdir, open, readdir, readlink, rm, symlink } from 'node:fs/promises';
import * as path from 'node:path';

export interface MirrorOptions {
  /** Files, relative to the source folder, that some rule makes. */
  readonly outputs: ReadonlySet<string>;
  /** Files under version control, relative to the source folder: sources, whatever they are called. */
  readonly tracked: ReadonlySet<string>;
}

/** Version control, packages of other languages, and what editors keep. */
const skippedFolders = new Set(['.git', '.hg', '.svn', 'node_modules', '.vscode', '.cache']);

/** What compilers and linkers leave beside sources. */
const compiled = /\.(o|lo|obj|a|la|so(\.\d+)*|d|gch|pch|gcda|gcno|mod)$/;

/** Brings the mirror to the state of the sources; what was built in it stays. Two at a time must not be. */
export async function mirrorSources(source: string, mirror: string, options: MirrorOptions): Promise<void> {
  await mkdir(mirror, { recursive: true });
  await mirrorFolder('', source, mirror, options);
}

async function mirrorFolder(at: string, source: string, mirror: string, options: MirrorOptions): Promise<void> {
  const from = path.join(source, at);
  const to = path.join(mirror, at);
  await mkdir(to, { recursive: true });
  const entries = await readdir(from, { withFileTypes: true });
  const wanted = new Set<string>();
  for (const entry of entries) {
    const name = path.join(at, entry.name);
    const file = path.join(source, name);
    if (entry.isDirectory()) {
      // Storage that lies in the project must not be mirrored into itself.
      if (!skippedFolders.has(entry.name) && !mirror.startsWith(file + path.sep))
        await mirrorFolder(name, source, mirror, options);
    } else if (await isSource(name, file, entry, options)) {
      wanted.add(entry.name);
      await link(file, path.join(to, entry.name));
    }
  }
  // Links to what is gone, or is no source any more.
  for (const entry of await readdir(to, { withFileTypes: true }))
    if (
      entry.isSymbolicLink() &&
      !wanted.has(entry.name) &&
      (await readlink(path.join(to, entry.name))).startsWith(from)
    )
      await rm(path.join(to, entry.name));
}

async function isSource(name: string, file: string, entry: Dirent, options: MirrorOptions): Promise<boolean> {
  if (options.tracked.has(name)) return true;
  if (options.outputs.has(name) || compiled.test(name)) return false;
  // A link may lead to a folder; it is taken over as it is.
  if (entry.isSymbolicLink()) return existsSync(file);
  return entry.isFile() && !(await isExecutableBinary(file));
}

/** Programs of an earlier build, whatever made them. */
async function isExecutableBinary(file: string): Promise<boolean> {
  const { mode } = await lstat(file);
  if ((mode & 0o111) === 0) return false;
  const handle = await open(file, 'r').catch(() => null);
  if (!handle) return false;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.readUInt32BE(0) === 0x7f454c46;
  } finally {
    await handle.close();
  }
}

async function link(file: string, at: string): Promise<void> {
  const there = await lstat(at).catch(() => null);
  if (there?.isSymbolicLink()) {
    if ((await readlink(at)) === file) return;
    await rm(at);
  } else if (there) {
    // Made here by a rule that make's database does not show, as those of a makefile in a folder below.
    return;
  }
  await symlink(file, at);
}
