/**
 * Flame view: where accesses, traffic and bytes come from, as a tree of frames.
 *
 * What a profile knows of call stacks is, for accesses, the chain of inlined functions at each access site, and, for
 * allocations, the whole stack of the allocating call. So there are two trees, and each adds up to the run:
 *
 *   code        function > functions inlined into it > line > allocation
 *   allocation  outermost caller > ... > allocating function > allocation
 *
 * Bottom-up, a frame's callers stand below it: the innermost function first, so that one that was inlined in many places
 * is one frame.
 */
import { NONE } from '../../model/columns.js';
import { shortFunctionName } from '../../model/names.js';
import { CLASS_NAMES, type ObjectKind, type Profile } from '../../model/profile.js';
import type { FlameBy, FlameFacts, FlameFrame, FlameMeasure, Location, ViewQuery } from '../../protocol.js';
import type { ProfileIndex } from '../profileIndex.js';
import { wholeBins } from '../window.js';
import { location, type View } from './view.js';

/** Frames of one answer, not counting those that stand for folded ones: more than a screen has pixels for. */
const maxFrames = 1_500;
const maxNameLength = 160;

const bys: readonly FlameBy[] = ['code', 'allocation'];
const measures: readonly FlameMeasure[] = ['accesses', 'reads', 'writes', 'traffic', 'bytes'];

export const flame: View = (index, query, selection) => {
  const by = optionOf(query, 'by', bys);
  const measure = optionOf(query, 'measure', measures);
  if (by === 'code' && measure === 'bytes') throw new RangeError('bytes are known by allocation only');
  const tree = treeOf(index, by, query.options?.bottomUp === true);
  const path = pathTo(tree, query.options?.root);
  const { frames, folded } = framesOf(path, node => weightOf(node, measure));
  const facts: FlameFacts = {
    by,
    measure,
    counted: index.seen.counted,
    // Sites are not known by epoch; objects are, by their pages.
    window: by === 'allocation' && selection.window ? wholeBins(index.profile, selection.window) : null,
    frames,
    root: path.length - 1,
    folded,
    matched: matchedBy(tree, String(query.options?.search ?? ''), node => weightOf(node, measure)),
  };
  return { facts };
};

function optionOf<T extends string>({ options }: ViewQuery, name: string, known: readonly T[]): T {
  const wanted = options?.[name] ?? known[0];
  const found = known.find(value => value === wanted);
  if (!found) throw new RangeError(`${name} ${wanted}: unknown; known: ${known.join(', ')}`);
  return found;
}

/** A frame as it stands in a path from the outside in. */
interface Step {
  readonly name: string;
  readonly kind: FlameFrame['kind'];
  readonly location: Location | null;
  readonly object?: number;
}

interface Node extends Step {
  readonly children: Map<string, Node>;
  reads: number;
  writes: number;
  traffic: number;
  bytes: number;
  /** Accesses by class. */
  readonly classes: Float64Array;
}

function weightOf(node: Node, measure: FlameMeasure): number {
  return measure === 'accesses' ? node.reads + node.writes : node[measure];
}

function nodeOf(step: Step): Node {
  return { ...step, children: new Map(), reads: 0, writes: 0, traffic: 0, bytes: 0, classes: new Float64Array(3) };
}

type Counts = Pick<Node, 'reads' | 'writes' | 'traffic' | 'bytes'>;

function add(root: Node, path: readonly Step[], counts: Counts, hotness: number): void {
  let node = root;
  const count = (to: Node) => {
    to.reads += counts.reads;
    to.writes += counts.writes;
    to.traffic += counts.traffic;
    to.bytes += counts.bytes;
    to.classes[hotness] += counts.reads + counts.writes;
  };
  count(node);
  for (const step of path) {
    const key = `${step.kind} ${step.object ?? ''} ${step.name}`;
    let child = node.children.get(key);
    if (!child) node.children.set(key, (child = nodeOf(step)));
    node = child;
    count(node);
  }
}

/** The last tree of each profile: zooming asks for parts of the same one. */
const lastTrees = new WeakMap<ProfileIndex, { readonly of: string; readonly tree: Node }>();

function treeOf(index: ProfileIndex, by: FlameBy, bottomUp: boolean): Node {
  const of = `${by} ${bottomUp}`;
  const last = lastTrees.get(index);
  if (last?.of === of) return last.tree;
  const tree = nodeOf({ name: 'whole program', kind: 'all', location: null });
  if (by === 'code') addCode(tree, index.profile, bottomUp);
  else addAllocations(tree, index.profile, bottomUp);
  lastTrees.set(index, { of, tree });
  return tree;
}

function addCode(tree: Node, profile: Profile, bottomUp: boolean): void {
  const { pairs, sites, lines, objects } = profile;
  const paths = new Map<number, readonly Step[]>();
  const stepOfObject = Array.from({ length: objects.count }, (_, row) => objectStep(profile, row));
  for (let pair = 0; pair < pairs.count; pair++) {
    const site = pairs.site[pair];
    let path = paths.get(site);
    if (!path) paths.set(site, (path = pathOfSite(profile, site, bottomUp)));
    const line = sites.line[site];
    const object = pairs.object[pair];
    const counts = {
      reads: pairs.reads[pair],
      writes: pairs.writes[pair],
      traffic: pairs.trafficReads[pair] + pairs.trafficWrites[pair],
      bytes: 0,
    };
    const hotness = line === NONE ? objects.hotness[object] : lines.hotness[line];
    add(tree, bottomUp ? path : [...path, stepOfObject[object]], counts, hotness);
  }
}

/** Functions from the outermost in, then the line; bottom-up the functions alone, from the innermost out. */
function pathOfSite(profile: Profile, site: number, bottomUp: boolean): Step[] {
  const { sites, functions, lines, files, modules } = profile;
  const chain = sites.inlineFunction.subarray(sites.inlineStart[site], sites.inlineStart[site + 1]);
  if (chain.length === 0) {
    const module = modules[sites.module[site]]?.path.split('/').pop() ?? 'unknown module';
    return [{ name: `code of ${module} without symbols`, kind: 'group', location: null }];
  }
  const steps = Array.from(
    chain,
    (row): Step => ({
      name: named(functions.name[row]),
      kind: 'function',
      location: location(profile, functions.file[row], functions.startLine[row]),
    }),
  );
  if (bottomUp) return steps;
  steps.reverse();
  const line = sites.line[site];
  if (line === NONE) return steps;
  const name = `${files[lines.file[line]].path.split('/').pop()}:${lines.line[line]}`;
  return [...steps, { name, kind: 'line', location: location(profile, lines.file[line], lines.line[line]) }];
}

/** What has no allocating call is gathered by its kind. */
const groups: Readonly<Record<ObjectKind, string>> = {
  heap: 'heap without a call stack',
  global: 'globals',
  stack: 'stacks of threads',
  file: 'mapped files',
  anonymous: 'anonymous mappings',
  unattributed: 'no object',
};

function addAllocations(tree: Node, profile: Profile, bottomUp: boolean): void {
  const { objects } = profile;
  const locate = frameLocations(profile);
  for (let row = 0; row < objects.count; row++) {
    const counts = {
      reads: objects.reads[row],
      writes: objects.writes[row],
      traffic: objects.trafficReads[row] + objects.trafficWrites[row],
      bytes: objects.bytes[row],
    };
    const stack = objects.stack[row].map(
      (text): Step => ({
        name: named(text),
        kind: 'function',
        location: locate(text),
      }),
    );
    const group: Step = { name: groups[objects.kind[row]], kind: 'group', location: null };
    const path = stack.length === 0 ? [group, objectStep(profile, row)] : bottomUp ? stack : stack.reverse();
    add(
      tree,
      bottomUp || stack.length === 0 ? path : [...path, objectStep(profile, row)],
      counts,
      objects.hotness[row],
    );
  }
}

function objectStep(profile: Profile, row: number): Step {
  const { objects } = profile;
  const name = objects.name[row].slice(0, maxNameLength);
  return { name, kind: 'object', location: location(profile, objects.file[row], objects.line[row]), object: row };
}

function named(text: string): string {
  // A frame of an allocation's stack has its place behind the name.
  const place = /^(.+) (\S+:\d+)$/.exec(text);
  const name = place ? `${shortFunctionName(place[1])} ${place[2]}` : shortFunctionName(text);
  return name.slice(0, maxNameLength);
}

/** `fill prog.c:8` as a place, where the profile has one file of that name. */
function frameLocations({ files }: Profile): (frame: string) => Location | null {
  const paths = new Map<string, string | null>();
  for (const { path } of files) {
    const name = path.split('/').pop()!;
    paths.set(name, paths.has(name) ? null : path);
  }
  return frame => {
    const [, place, line] = / (\S+):(\d+)$/.exec(frame) ?? [];
    const file = place && (paths.get(place.split('/').pop()!) ?? null);
    return file ? { file, line: Number(line) } : null;
  };
}

/** The frame with these names from the root on, and all around it; as far as there are such frames. */
function pathTo(tree: Node, root: unknown): Node[] {
  const path = [tree];
  for (const name of namesFrom(root)) {
    const next = [...path.at(-1)!.children.values()].find(child => child.name === name);
    if (!next) break;
    path.push(next);
  }
  return path;
}

function namesFrom(root: unknown): unknown[] {
  try {
    const names: unknown = JSON.parse(String(root ?? '[]'));
    return Array.isArray(names) ? names : [];
  } catch {
    return [];
  }
}

/**
 * The frames around the last of `path`, and the widest below it. What is left out below a frame is one frame of kind
 * `rest`, so that children never add up to less than they do in the profile.
 */
function framesOf(path: readonly Node[], weight: (node: Node) => number): { frames: FlameFrame[]; folded: number } {
  const root = path.at(-1)!;
  const kept = widest(root, weight);
  const frames: FlameFrame[] = [];
  let folded = 0;
  const push = (node: Node, parent: number) => frames.push(frameOf(node, weight(node), parent)) - 1;
  const visit = (node: Node, parent: number) => {
    const at = push(node, parent);
    const rest = nodeOf({ name: '', kind: 'rest', location: null });
    let few = 0;
    for (const child of node.children.values()) {
      if (kept.has(child)) visit(child, at);
      else if (weight(child) > 0) {
        few++;
        rest.reads += child.reads;
        rest.writes += child.writes;
        rest.traffic += child.traffic;
        rest.bytes += child.bytes;
        child.classes.forEach((accesses, hotness) => {
          rest.classes[hotness] += accesses;
        });
      }
    }
    if (few === 0) return;
    folded += few;
    push({ ...rest, name: `${few} smaller` }, at);
  };
  path.slice(0, -1).forEach((node, depth) => {
    push(node, depth - 1);
  });
  visit(root, path.length - 2);
  return { frames, folded };
}

function matchedBy(tree: Node, search: string, weight: (node: Node) => number): FlameFacts['matched'] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return null;
  const matched = { frames: 0, weight: 0 };
  const visit = (node: Node, within: boolean) => {
    const name = node.name.toLowerCase();
    const matches = node !== tree && weight(node) > 0 && words.every(word => name.includes(word));
    if (matches) matched.frames++;
    if (matches && !within) matched.weight += weight(node);
    for (const child of node.children.values()) visit(child, within || matches);
  };
  visit(tree, false);
  return matched;
}

/** A child is never wider than its parent, so what is kept hangs together. */
function widest(root: Node, weight: (node: Node) => number): ReadonlySet<Node> {
  const all: Node[] = [];
  const visit = (node: Node) => {
    for (const child of node.children.values()) {
      if (weight(child) <= 0) continue;
      all.push(child);
      visit(child);
    }
  };
  visit(root);
  // Stable: of equals, a parent stands before its children.
  return new Set(all.sort((a, b) => weight(b) - weight(a)).slice(0, maxFrames));
}

function frameOf(node: Node, weight: number, parent: number): FlameFrame {
  const { name, kind, reads, writes, traffic, classes } = node;
  const most = classes.indexOf(Math.max(...classes));
  return {
    parent,
    name,
    kind,
    weight,
    reads,
    writes,
    traffic,
    hotness: reads + writes > 0 ? CLASS_NAMES[most] : '',
    location: node.location,
    object: node.object ?? null,
  };
}
