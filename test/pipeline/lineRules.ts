/**
 * Why the reads or writes of a line differ between a report and valgrind's count of the same program without hooks.
 *
 * Each rule has its reason, and a predicate over counts that the product has no part in: of the two machine codes, and of
 * what the calls of hooks report. The first rule that holds explains the line. All but `library` presuppose that the
 * report is exactly what the hooks were told. `moved` and `removed` rest on inequalities, so that they could hide a
 * fault of a hook's place: the test limits their share.
 */

import { type ByMemory, MEMORIES } from '../helpers/lackey.js';
import { addCounts, type Counts, type LineCounts, noCounts } from '../helpers/lineCounts.js';

export const total = (counts: ByMemory) => MEMORIES.reduce((sum, memory) => sum + counts[memory], 0);

/** The reads, or the writes, of one line. */
export interface Cell extends Counts {
  readonly place: string;
  readonly kind: 'reads' | 'writes';
  readonly report: number;
  readonly callsLibrary: boolean;
  /** What single hooks report, and what both machine codes access, of `data` in all functions that hold the line. */
  readonly around: { hooks: number; plain: number; hooked: number };
}

export function cellsOf(lines: readonly LineCounts[]): Cell[] {
  const cells = lines.map(line => {
    const counts = noCounts();
    for (const part of line.parts.values()) addCounts(counts, part);
    return { line, counts };
  });
  // Lines of ranges and of library calls would blur the balance of a function.
  const functions = new Map<string, { hooks: number; plain: number; hooked: number }>();
  for (const { line, counts } of cells) {
    if (counts.ranges > 0 || line.report > total(counts.hooks)) continue;
    for (const [name, part] of line.parts) {
      const key = `${name} ${line.kind}`;
      const sum = functions.get(key) ?? { hooks: 0, plain: 0, hooked: 0 };
      for (const side of ['hooks', 'plain', 'hooked'] as const) sum[side] += part[side].data;
      functions.set(key, sum);
    }
  }
  return cells.map(({ line, counts }) => {
    const around = { hooks: 0, plain: 0, hooked: 0 };
    for (const name of line.parts.keys()) {
      const sum = functions.get(`${name} ${line.kind}`);
      if (sum) for (const side of ['hooks', 'plain', 'hooked'] as const) around[side] += sum[side];
    }
    const { kind, report, callsLibrary } = line;
    return { ...counts, place: `${line.file}:${line.line}`, kind, report, callsLibrary, around };
  });
}

export interface Rule {
  readonly id: string;
  readonly reason: string;
  readonly holds: (cell: Cell) => boolean;
}

export const RULES: readonly Rule[] = [
  {
    id: 'equal',
    reason: 'the same number',
    holds: ({ report, plain }) => report === total(plain),
  },
  {
    id: 'library',
    reason: "the library works on the line's behalf: memory and string functions count by 64-byte lines",
    holds: ({ report, hooks, callsLibrary }) => callsLibrary && report > total(hooks),
  },
  {
    id: 'range',
    reason: 'a copied or cleared structure counts by 64-byte lines, and is many instructions',
    holds: ({ ranges }) => ranges > 0,
  },
  {
    id: 'spill',
    reason:
      'the same but for the stack, where the machine also pushes, pops, spills and keeps variables that no call is told of',
    holds: ({ hooks, plain }) =>
      hooks.data === plain.data && hooks.constant === plain.constant && hooks.stack < plain.stack,
  },
  {
    id: 'constant',
    reason:
      'the same but for constants (literals, const tables, virtual tables), which have no hooks, and for the stack',
    holds: ({ hooks, plain }) => hooks.data === plain.data && hooks.constant < plain.constant,
  },
  {
    id: 'local',
    reason: 'the same but for a local variable that lies in a register when no hook is told its address',
    holds: ({ hooks, plain }) => hooks.data === plain.data && hooks.stack > plain.stack,
  },
  {
    id: 'vectorised',
    reason: 'without hooks the same bytes take fewer, wider accesses',
    holds: ({ hooks, plain, hookBytes, plainBytes }) => hooks.data > plain.data && hookBytes === plainBytes,
  },
  {
    id: 'register',
    reason: 'without hooks a value stays in a register; with them the executable makes just the accesses reported',
    holds: ({ hooks, plain, hooked }) => hooks.data > plain.data && hooks.data === hooked.data,
  },
  {
    id: 'moved',
    reason: 'the access has the line of another part of its function, which as a whole reports no fewer',
    holds: ({ hooks, plain, around }) => hooks.data < plain.data && around.hooks >= around.plain,
  },
  {
    id: 'removed',
    reason:
      'later passes merged the load with a neighbour, used its value again, or gave it another line than its hook',
    holds: ({ hooks, plain, hooked }) => hooks.data > plain.data && hooks.data > hooked.data,
  },
];
