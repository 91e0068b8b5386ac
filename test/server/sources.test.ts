/** Which of a profile's files are here: on real folders. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PathMap } from '../../core/server/pathMap.js';
import { Snapshots, sha256 } from '../../core/server/snapshots.js';
import { Sources } from '../../core/server/sources.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'pagelens-sources-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = path.join(root, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function sourcesOf(files: Record<string, string>, mapping: Record<string, string> = {}, snapshots = new Snapshots()) {
  const rows = Object.entries(files).map(([file, text]) => ({ path: file, sha256: text === '' ? '' : sha256(text) }));
  return new Sources(rows, [...rows.keys()], new PathMap(mapping), [root], snapshots);
}

describe('N of M files matched', () => {
  test('same, different and missing are told apart; what could not be read when built does not count', async () => {
    const same = write('same.c', 'int a;');
    const other = write('other.c', 'int b; // edited');
    const sources = sourcesOf({
      [same]: 'int a;',
      [other]: 'int b;',
      '/nowhere/gone.c': 'int c;',
      '/build/glibc/x.c': '',
    });
    await sources.check();
    expect(sources.report()).toEqual({
      total: 3,
      matched: 1,
      differing: 1,
      missing: 1,
      differingFiles: [other],
      missingFiles: ['/nowhere/gone.c'],
    });
  });

  test('headers of the system are nobody’s to find', async () => {
    const sources = sourcesOf({ '/usr/include/c++/12/bits/stl_vector.h': 'x', '/nowhere/a.c': 'y' });
    await sources.check();
    expect(sources.report()).toMatchObject({ total: 1, missing: 1 });
  });

  test('a saved file is looked at again', async () => {
    const file = write('a.c', 'edited');
    const sources = sourcesOf({ [file]: 'built' });
    await sources.check();
    expect(sources.report().matched).toBe(0);
    write('a.c', 'built');
    await sources.check();
    expect(sources.report().matched).toBe(1);
  });
});

describe('files that are not where they were built', () => {
  test('are found by the mapping', async () => {
    const file = write('src/a.c', 'int a;');
    const sources = sourcesOf({ '/build/src/a.c': 'int a;' }, { '/build': root });
    await sources.check();
    expect(sources.report().matched).toBe(1);
    expect(sources.rowOf(file)).toBe(0);
    expect(sources.localOf(0)).toBe(file);
  });

  test('are found in the workspace by content, the longest common end first', async () => {
    write('copy/a.c', 'int a;');
    const right = write('project/src/a.c', 'int a;');
    write('project/src/b.c', 'not it');
    const sources = sourcesOf({ '/remote/src/a.c': 'int a;', '/remote/src/b.c': 'int b;' });
    await sources.check();
    expect(sources.localOf(0)).toBe(right);
    expect(sources.rowOf(right)).toBe(0);
    expect(sources.report()).toMatchObject({ matched: 1, missing: 1, missingFiles: ['/remote/src/b.c'] });
  });

  test('follow a rename of the file, and of its folder', async () => {
    const file = write('src/a.c', 'int a;');
    const sources = sourcesOf({ [file]: 'int a;' });
    await sources.check();
    const moved = path.join(root, 'src/b.c');
    renameSync(file, moved);
    sources.renamed(file, moved);
    expect(sources.rowOf(moved)).toBe(0);
    expect(sources.rowOf(file)).toBe(-1);
    renameSync(path.join(root, 'src'), path.join(root, 'lib'));
    sources.renamed(path.join(root, 'src'), path.join(root, 'lib'));
    expect(sources.rowOf(path.join(root, 'lib/b.c'))).toBe(0);
    await sources.check();
    expect(sources.report().matched).toBe(1);
  });

  test('are adopted when a document outside the workspace has the content of one that is lost', async () => {
    const sources = sourcesOf({ '/nowhere/a.c': 'int a;' });
    await sources.check();
    expect(sources.adopt('/elsewhere/x.c', 'int b;')).toBe(-1);
    expect(sources.adopt('/elsewhere/x.c', 'int a;')).toBe(0);
    // A second copy is not the same file once more.
    expect(sources.adopt('/elsewhere/y.c', 'int a;')).toBe(-1);
  });
});

test('texts are kept by the hash of their bytes, the latest longest, within the limit', async () => {
  const snapshots = new Snapshots(10);
  snapshots.keep('a', '12345');
  snapshots.keep('b', '1234');
  snapshots.keep('a', '12345');
  snapshots.keep('c', '123');
  expect([snapshots.get('a'), snapshots.get('b'), snapshots.get('c')]).toEqual(['12345', undefined, '123']);
  snapshots.keep('d', '12345678901');
  expect(snapshots.get('d')).toBeUndefined();
});
