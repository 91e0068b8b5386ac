/**
 * Which row of one profile is which row of another: files, functions, allocations and lines of two runs of what may be
 * two versions of a program. Pure; a row that cannot be told for certain has no counterpart, never a guessed one.
 *
 *   file       the same path; else the same path below the working directory (builds in two places); else the only
 *              file of its name on either side
 *   function   file and name; several of a name (overloads, statics) in the order of their first lines
 *   object     kind, name and call stack without line numbers, which an edit shifts; several of those in the order in
 *              which they stand in the source, if there are as many in both runs
 *   line       file and line where the file is the same to the byte; else by the two texts, where they are at hand
 */
import { NONE } from '../model/columns.js';
import type { ObjectTable, Profile } from '../model/profile.js';

/**
 * Follows lines through an edit: 1-based line before, of a 1-based line now; 0 when it was not there.
 * @returns null when the texts are not at hand
 */
export type LineFollower = (fileNow: number, fileBefore: number) => ((lineNow: number) => number) | null;

/** For each row now the row before, or NONE; `unfollowed` are files (rows now) whose lines could not be followed. */
export interface Matching {
  readonly files: Uint32Array;
  readonly functions: Uint32Array;
  readonly objects: Uint32Array;
  readonly lines: Uint32Array;
  readonly unfollowed: ReadonlySet<number>;
}

export function matchProfiles(before: Profile, now: Profile, follow: LineFollower = () => null): Matching {
  const files = matchFiles(before, now);
  const functions = matchFunctions(before, now, files);
  const objects = matchObjects(before, now, files);
  return { files, functions, objects, ...matchLines(before, now, files, follow) };
}

function matchFiles(before: Profile, now: Profile): Uint32Array {
  const matched = new Uint32Array(now.files.length).fill(NONE);
  const taken = new Set<number>();
  const pass = (keyBefore: (path: string) => string, keyNow: (path: string) => string) => {
    const rows = groups(before.files.map((file, row) => (taken.has(row) ? null : keyBefore(file.path))));
    const rowsNow = groups(now.files.map((file, row) => (matched[row] !== NONE ? null : keyNow(file.path))));
    for (const [key, [row, ...more]] of rowsNow) {
      const candidates = rows.get(key);
      if (more.length > 0 || candidates?.length !== 1) continue;
      matched[row] = candidates[0];
      taken.add(candidates[0]);
    }
  };
  const below = (directory: string) => (path: string) =>
    path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : path;
  const base = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  pass(
    path => path,
    path => path,
  );
  pass(below(before.program.workingDirectory), below(now.program.workingDirectory));
  pass(base, base);
  return matched;
}

/** Rows by key, in ascending order; null keys belong to none. */
function groups(keys: readonly (string | null)[]): Map<string, number[]> {
  const rows = new Map<string, number[]>();
  keys.forEach((key, row) => {
    if (key === null) return;
    const group = rows.get(key);
    if (group) group.push(row);
    else rows.set(key, [row]);
  });
  return rows;
}

/** The file's number in the run before, so that keys of both runs compare; what has no file has none in both. */
function fileKey(file: number, files: Uint32Array | null): string {
  if (file === NONE) return '-';
  if (!files) return String(file);
  return files[file] === NONE ? `new ${file}` : String(files[file]);
}

function matchFunctions(before: Profile, now: Profile, files: Uint32Array): Uint32Array {
  const keys = (profile: Profile, of: Uint32Array | null) =>
    profile.functions.name.map((name, row) => `${fileKey(profile.functions.file[row], of)}\n${name}`);
  const order = (profile: Profile) => (a: number, b: number) =>
    profile.functions.startLine[a] - profile.functions.startLine[b] || a - b;
  return paired(groups(keys(before, null)), groups(keys(now, files)), order(before), order(now), now.functions.count);
}

function matchObjects(before: Profile, now: Profile, files: Uint32Array): Uint32Array {
  const keys = ({ objects }: Profile, of: Uint32Array | null) =>
    objects.name.map((_, row) =>
      [objects.kind[row], fileKey(objects.file[row], of), ...nameAndStack(objects, row)].join('\n'),
    );
  const order =
    ({ objects }: Profile) =>
    (a: number, b: number) =>
      objects.line[a] - objects.line[b] || compareStacks(objects.stack[a], objects.stack[b]) || a - b;
  return paired(groups(keys(before, null)), groups(keys(now, files)), order(before), order(now), now.objects.count);
}

/** `malloc in fill (prog.c:8)` without what an edit elsewhere in the file changes. */
export function lastingName(name: string): string {
  return name.replaceAll(/ \([^()]*:\d+\)/g, '');
}

function nameAndStack({ name, stack }: ObjectTable, row: number): string[] {
  return [lastingName(name[row]!), ...stack[row]!.map(frame => frame.replace(/ \S+:\d+$/, ''))];
}

/** By the frames' lines, innermost first: the order in which the calls stand in the source. */
function compareStacks(a: readonly string[], b: readonly string[]): number {
  const line = (frame = '') => Number(/:(\d+)$/.exec(frame)?.[1] ?? 0);
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = line(a[i]) - line(b[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Groups of equal size are matched in the order of the source; of unequal ones nobody can tell which is which. */
function paired(
  before: ReadonlyMap<string, readonly number[]>,
  now: ReadonlyMap<string, readonly number[]>,
  orderBefore: (a: number, b: number) => number,
  orderNow: (a: number, b: number) => number,
  count: number,
): Uint32Array {
  const matched = new Uint32Array(count).fill(NONE);
  for (const [key, rows] of now) {
    const candidates = before.get(key);
    if (candidates?.length !== rows.length) continue;
    const sorted = candidates.toSorted(orderBefore);
    for (const [i, row] of rows.toSorted(orderNow).entries()) matched[row] = sorted[i]!;
  }
  return matched;
}

function matchLines(before: Profile, now: Profile, files: Uint32Array, follow: LineFollower) {
  const rowBefore = new Map<string, number>();
  for (let row = 0; row < before.lines.count; row++) {
    rowBefore.set(`${before.lines.file[row]}:${before.lines.line[row]}`, row);
  }
  const unfollowed = new Set<number>();
  const followers = now.files.map((file, row) => {
    if (files[row] === NONE) return null;
    const same = file.sha256 !== '' && file.sha256 === before.files[files[row]!]!.sha256;
    const follower = same ? (line: number) => line : follow(row, files[row]!);
    if (!follower) unfollowed.add(row);
    return follower;
  });
  const lines = new Uint32Array(now.lines.count);
  for (let row = 0; row < lines.length; row++) {
    const file = now.lines.file[row]!;
    const line = followers[file]?.(now.lines.line[row]!) ?? 0;
    lines[row] = rowBefore.get(`${files[file]}:${line}`) ?? NONE;
  }
  return { lines, unfollowed };
}
