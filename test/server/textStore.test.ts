/** Texts that outlive a session: what is found again, and that the folder stays small. */
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Snapshots, sha256 } from '../../core/server/snapshots.js';
import { TextStore } from '../../core/server/textStore.js';

let folder: string;
beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'pagelens-texts-')), 'texts');
});
afterEach(() => rmSync(path.dirname(folder), { recursive: true }));

const [a, b, c] = ['aaaa', 'bbbb', 'cccc'].map(text => [sha256(text), text] as const);
const age = (hash: string, seconds: number) => {
  const then = new Date(Date.now() - seconds * 1000);
  utimesSync(path.join(folder, hash), then, then);
};

test('what one session kept the next one has, in memory from then on', async () => {
  const first = new Snapshots(100);
  first.store = new TextStore(folder);
  first.keep(...a);
  // What is not in memory cannot be kept.
  await first.persist([a[0], b[0]]);

  const next = new Snapshots(100);
  next.store = new TextStore(folder);
  expect([next.get(a[0]), next.get(b[0])]).toEqual(['aaaa', undefined]);
  rmSync(folder, { recursive: true });
  expect(next.get(a[0])).toBe('aaaa');
});

test('the oldest go first when there is no room, what is used again is young', async () => {
  await new TextStore(folder, 8).keep(new Map([a, b]));
  age(a[0], 100);
  age(b[0], 50);
  // Of a and b, which are in the folder already, a is used again.
  await new TextStore(folder, 8).keep(new Map([c, a]));
  const store = new TextStore(folder, 8);
  expect([store.get(a[0]), store.get(b[0]), store.get(c[0])]).toEqual(['aaaa', undefined, 'cccc']);
});

test('of one profile as much is kept as there is room, the most interesting first', async () => {
  const store = new TextStore(folder, 9);
  await store.keep(new Map([a, b, c]));
  expect(readdirSync(folder).sort()).toEqual([a[0], b[0]].sort());
});

test('what a writer that was killed left is removed in its turn', async () => {
  await new TextStore(folder, 8).keep(new Map([a]));
  const left = `${b[0]}.4711`;
  writeFileSync(path.join(folder, left), 'bbbb');
  age(left, 100);
  await new TextStore(folder, 8).keep(new Map([c]));
  expect(existsSync(path.join(folder, left))).toBe(false);
});

test('a profile that names a path as a hash gets nothing of that file, and writes none', async () => {
  const outside = path.join(path.dirname(folder), 'secret');
  writeFileSync(outside, 'secret');
  const store = new TextStore(folder);
  await store.keep(new Map([a, ['../stolen', 'text']]));
  expect(store.get('../secret')).toBeUndefined();
  expect(existsSync(path.join(path.dirname(folder), 'stolen'))).toBe(false);
});
