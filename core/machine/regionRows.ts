/**
 * What the kernel counted in regions and phases. It counts them in contexts of their own (kernel/regions.ts): they are
 * taken out of the call paths here, so that nobody else meets them.
 */
import { REGION_CONTEXT } from '../kernel/abi.js';
import type { RawContexts, RawPairs, RawRegions } from '../model/raw.js';
import { wide } from './heatRows.js';
import type { Kernel } from './kernel.js';

// kernel/regions.ts, in words.
const NODE_WORDS = 16;
const STRETCH_WORDS = 6;

export interface WithoutRegions {
  /** Call paths alone. */
  readonly contexts: RawContexts;
  readonly pairs: RawPairs;
  /** null: the program named none. */
  readonly regions: RawRegions | null;
}

export function splitRegions(kernel: Kernel, contexts: RawContexts, pairs: RawPairs): WithoutRegions {
  const nodes = readNodes(kernel);
  if (nodes.length === 1) return { contexts, pairs, regions: null };
  const nodeOf = new Uint32Array(contexts.count);
  const callOf = new Uint32Array(contexts.count);
  const parent: number[] = [];
  const site: number[] = [];
  for (let context = 0; context < contexts.count; context++) {
    if (contexts.site[context] >= REGION_CONTEXT) {
      nodeOf[context] = contexts.site[context] - REGION_CONTEXT;
      callOf[context] = callOf[contexts.parent[context]];
    } else {
      callOf[context] = parent.length;
      parent.push(callOf[contexts.parent[context]]);
      site.push(contexts.site[context]);
    }
  }
  return {
    contexts: { count: parent.length, parent: Uint32Array.from(parent), site: Uint32Array.from(site) },
    pairs: { ...pairs, context: pairs.context.map(context => callOf[context]) },
    regions: regionRows(
      kernel,
      nodes,
      pairs,
      pairs.context.map(context => nodeOf[context]),
    ),
  };
}

interface Node {
  readonly parent: number;
  /** Name << 1 | is a phase. */
  readonly key: number;
  readonly times: number;
}

function readNodes(kernel: Kernel): Node[] {
  const count = kernel.exports.regionCount.value;
  if (count === 1) return [{ parent: 0, key: 0, times: 0 }];
  const words = kernel.u32(kernel.exports.regionRecord(0), count * NODE_WORDS);
  return Array.from({ length: count }, (_, node) => {
    const at = node * NODE_WORDS;
    return { parent: words[at], key: words[at + 1], times: wide(words, at + 2) };
  });
}

/** One row a name: what its nodes and those inside them count. */
function regionRows(kernel: Kernel, nodes: readonly Node[], pairs: RawPairs, nodeOfPair: Uint32Array): RawRegions {
  const { exports } = kernel;
  const keys = [...new Set(nodes.slice(1).map(({ key }) => key))];
  const rowOf = new Map(keys.map((key, row) => [key, row]));
  const column = () => new Float64Array(keys.length);
  const rows = { times: column(), reads: column(), writes: column(), trafficReads: column(), trafficWrites: column() };
  /** The rows that a node counts in: its own and those around it. */
  const rowsOf = nodes.map((_, node) => {
    const around: number[] = [];
    for (let at = node; at !== 0; at = nodes[at].parent) around.push(rowOf.get(nodes[at].key)!);
    return around;
  });
  for (const { key, times } of nodes.slice(1)) rows.times[rowOf.get(key)!] += times;
  for (let pair = 0; pair < pairs.count; pair++) {
    for (const row of rowsOf[nodeOfPair[pair]]) {
      for (const name of ['reads', 'writes', 'trafficReads', 'trafficWrites'] as const)
        rows[name][row] += pairs[name][pair];
    }
  }
  const pages = Float64Array.from(keys, (_, row) => {
    for (const [node, around] of rowsOf.entries()) if (around.includes(row)) exports.unionAddRegion(node);
    return exports.unionTake();
  });
  return {
    count: keys.length,
    kind: keys.map(key => (key & 1 ? 'phase' : 'region')),
    name: keys.map(key => kernel.markNames[key >>> 1]),
    ...rows,
    pages,
    stretches: readStretches(kernel, rowOf),
    stretchesFull: exports.stretchesFull.value !== 0,
  };
}

function readStretches(kernel: Kernel, rowOf: ReadonlyMap<number, number>): RawRegions['stretches'] {
  const count = kernel.exports.stretchCount.value;
  const words = kernel.u32(kernel.exports.stretchRecord(0), count * STRETCH_WORDS);
  return Array.from({ length: count }, (_, i) => {
    const at = i * STRETCH_WORDS;
    return { row: rowOf.get(words[at])!, from: wide(words, at + 2), to: wide(words, at + 4) };
  });
}
