/** Call paths through the whole product: calls.c's own comments say what happens under which calls. */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NONE } from '../../core/model/columns.js';
import type { CallTable, Profile } from '../../core/model/profile.js';
import { load } from '../../core/profile/file.js';
import { pagelens, root, scratch } from '../helpers/cli.js';

const folder = scratch();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = path.join(root, 'test/programs/calls/calls.c');
const markers = new Map(
  readFileSync(source, 'utf8')
    .split('\n')
    .flatMap((text, i) => [...text.matchAll(/@(\w+)/g)].map(([, name]) => [i + 1, name] as const)),
);

/** Accesses by `caller > caller marker`. */
function byPath({ sites, lines, pairs }: Profile, calls: CallTable): Record<string, number> {
  const callers = (at: number): string[] =>
    at === 0 ? [] : [...callers(calls.parent[at]!), calls.frames.name[calls.frame[at]!]!];
  const sums: Record<string, number> = {};
  for (let row = 0; row < calls.count; row++) {
    const line = sites.line[pairs.site[calls.pair[row]!]!]!;
    const marker = line === NONE ? undefined : markers.get(lines.line[line]!);
    if (!marker) continue;
    const key = `${callers(calls.path[row]!).join(' > ')} | ${marker}`;
    sums[key] = (sums[key] ?? 0) + calls.reads[row]! + calls.writes[row]!;
  }
  return sums;
}

test.each(['gcc', 'clang'])('%s: accesses are told apart by who called', async compiler => {
  const saved = path.join(folder, `${compiler}.pagelens`);
  const { status, stderr } = await pagelens(['profile', '--quiet', '--save', saved, source], {
    cwd: folder,
    env: { CC: compiler },
  });
  expect([status, stderr]).toEqual([0, '']);
  const profile = await load(saved);
  expect(byPath(profile, profile.calls!)).toEqual({
    'main > a | leaf': 3 * 8,
    'main > b | leaf': 5 * 2 * 8,
    'main | down': 1,
    'main | up': 1,
    'main > down | down': 4,
    'main > down | up': 4,
    'main | leave': 1,
    ' | behind': 6,
  });
});
