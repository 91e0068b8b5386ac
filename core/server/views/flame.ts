/**
 * Flame view: where accesses, traffic and bytes come from, as a tree of frames.
 *
 * There are three trees, and each adds up to the run:
 *
 *   calls       outermost caller > ... > function > functions inlined into it > line > allocation
 *   code        function > functions inlined into it > line > allocation
 *   allocation  outermost caller > ... > allocating function > allocation
 *
 * A profile whose recording knows no calls has the last two.
 *
 * Bottom-up, a frame's callers stand below it: the innermost function first, so that one that was inlined in many places
 * is one frame.
 */
import { NONE } from '../../model/columns.js';
import * as l10n from '../../model/l10n.js';
import { shortFunctionName } from '../../model/names.js';
import { CLASS_NAMES, type ObjectKind, type Profile, type SourceColumns } from '../../model/profile.js';
import type { FlameBy, FlameFacts, FlameFrame, FlameMeasure, Location, ViewQuery } from '../../protocol.js';
import type { ProfileIndex } from '../profileIndex.js';
import { wholeBins } from '../window.js';
import { location, type View } from './view.js';

/** Frames of one answer, not counting those that stand for folded ones: more than a screen has pixels for. */
const maxFrames = 1_500;
const maxNameLength = 160;

const bys: readonly FlameBy[] = ['calls', 'code', 'allocation'];
const measures: readonly FlameMeasure[] = ['accesses', 'reads', 'writes', 'traffic', 'bytes'];

export const flame: View = (index, query, selection, baseline) => {
  const wanted = optionOf(query, 'by', bys);
  const by = wanted === 'calls' && !index.profile.calls ? 'code' : wanted;
  const measure = optionOf(query, 'measure', measures);
  if (by !== 'allocation' && measure === 'bytes') throw new RangeError(l10n.t('bytes are known by allocation only'));
  const bottomUp = query.options?.bottomUp === true;
  // Which site used which object is not known by epoch; objects are, by their pages.
  const tree = treeOf(by === 'allocation' ? index : index.whole, by, bottomUp);
  const path = pathTo(tree, query.options?.root);
  const weight = (node: Node) => weightOf(node, measure);
  // A window of one run is not a window of the other.
  const comparable = baseline && (by === 'calls' ? baseline.index.profile.calls : !selection.window || by === 'code');
  const compared = comparable ? baseline.index : null;
  const before = compared && runBefore(treeOf(compared, by, bottomUp), weight);
  const { frames, folded } = framesOf(path, tree.source, weight, before);
  const facts: FlameFacts = {
    by,
    measure,
    counted: index.seen.counted,
    window: by === 'allocation' && selection.window ? wholeBins(index.profile, selection.window) : null,
    frames,
    root: path.length - 1,
    folded,
    matched: matchedBy(tree, String(query.options?.search ?? ''), measure),
  };
  return { facts };
};

function optionOf<T extends string>({ options }: ViewQuery, name: string, known: readonly T[]): T {
  const wanted = options?.[name] ?? known[0];
  const found = known.find(value => value === wanted);
  if (!found) throw new RangeError(l10n.t('{0} {1}: unknown; known: {2}', name, String(wanted), known.join(', ')));
  return found;
}

/** A frame as it stands in a path from the outside in. */
interface Step {
  readonly name: string;
  readonly kind: FlameFrame['kind'];
  readonly location: Location | null;
  readonly object?: number;
}

/** What a frame, or a row of a table, stands for. */
interface Weights {
  readonly reads: number;
  readonly writes: number;
  readonly traffic: number;
  readonly bytes: number;
}

function weightOf(of: Weights, measure: FlameMeasure): number {
  return measure === 'accesses' ? of.reads + of.writes : of[measure];
}

/** A frame that is made when it is looked at: of a large program only the widest are. */
class Node implements Weights {
  /** Rows of the tree's table whose paths lead through here. */
  readonly rows: number[] = [];
  children: readonly Node[] | null = null;
  reads = 0;
  writes = 0;
  traffic = 0;
  bytes = 0;
  /** Accesses by class. */
  readonly classes: [number, number, number] = [0, 0, 0];

  /** @param depth steps from the root to here */
  constructor(
    readonly step: Step,
    readonly depth: number,
  ) {}

  add(weights: Weights): void {
    this.reads += weights.reads;
    this.writes += weights.writes;
    this.traffic += weights.traffic;
    this.bytes += weights.bytes;
  }
}

/** A table whose rows have counts and a path of steps. */
interface Source {
  readonly rows: number;
  /** The step at a depth of a row's path, as a number of `steps`; -1 behind its end. */
  stepAt(row: number, depth: number): number;
  readonly steps: Steps;
  readonly counts: Pick<SourceColumns, 'reads' | 'writes' | 'trafficReads' | 'trafficWrites'>;
  readonly bytes: Float64Array | null;
  hotness(row: number): number;
}

interface Tree {
  readonly source: Source;
  readonly root: Node;
}

/** Steps by number. Those that read the same are one: instances of a template, functions that share a name. */
class Steps {
  readonly #numbers = new Map<string, number>();
  readonly #steps: Step[] = [];

  add(step: Step): number {
    const key = `${step.kind} ${step.object ?? ''} ${step.name}`;
    let number = this.#numbers.get(key);
    if (number === undefined) this.#numbers.set(key, (number = this.#steps.push(step) - 1));
    return number;
  }

  /** Numbers of what a table's rows stand for, each found when it is first asked for. */
  of(rows: number, make: (row: number) => Step): (row: number) => number {
    const known = new Int32Array(rows).fill(-1);
    return row => (known[row] >= 0 ? known[row] : (known[row] = this.add(make(row))));
  }

  get(number: number): Step {
    return this.#steps[number];
  }

  get count(): number {
    return this.#steps.length;
  }

  /** A property of steps by number, each looked at once. */
  by(property: (step: Step) => boolean): (number: number) => boolean {
    const known: boolean[] = [];
    return number => (known[number] ??= property(this.#steps[number]));
  }
}

function weightsOf({ counts, bytes }: Source, row: number): Weights {
  return {
    reads: counts.reads[row],
    writes: counts.writes[row],
    traffic: counts.trafficReads[row] + counts.trafficWrites[row],
    bytes: bytes?.[row] ?? 0,
  };
}

function count(node: Node, source: Source, row: number): void {
  const weights = weightsOf(source, row);
  node.rows.push(row);
  node.add(weights);
  node.classes[source.hotness(row)] += weights.reads + weights.writes;
}

/** The frames below one, in the order of the table. Kept: what was looked at is likely to be looked at again. */
function childrenOf(node: Node, source: Source): readonly Node[] {
  if (node.children) return node.children;
  const children = new Map<number, Node>();
  for (const row of node.rows) {
    const step = source.stepAt(row, node.depth);
    if (step < 0) continue;
    let child = children.get(step);
    if (!child) children.set(step, (child = new Node(source.steps.get(step), node.depth + 1)));
    count(child, source, row);
  }
  node.children = [...children.values()];
  return node.children;
}

/** The last tree of each profile: zooming asks for parts of the same one. */
const lastTrees = new WeakMap<ProfileIndex, { readonly of: string; readonly tree: Tree }>();

function treeOf(index: ProfileIndex, by: FlameBy, bottomUp: boolean): Tree {
  const of = `${by} ${bottomUp}`;
  const last = lastTrees.get(index);
  if (last?.of === of) return last.tree;
  const source = makers[by](index.profile, bottomUp);
  const root = new Node({ name: l10n.t('whole program'), kind: 'all', location: null }, 0);
  for (let row = 0; row < source.rows; row++) count(root, source, row);
  const tree = { source, root };
  lastTrees.set(index, { of, tree });
  return tree;
}

const makers: Readonly<Record<FlameBy, (profile: Profile, bottomUp: boolean) => Source>> = {
  calls: callsOf,
  code: codeOf,
  allocation: allocationsOf,
};

/** Callers from the outermost in, then what `codeOf` says; bottom-up the functions alone, from the innermost. */
function callsOf(profile: Profile, bottomUp: boolean): Source {
  const { sites, pairs } = profile;
  const calls = profile.calls!;
  const { frames, parent, frame } = calls;
  const code = codeOf(profile, bottomUp);
  const { steps } = code;
  const callerStep = steps.of(frames.name.length, row => ({
    name: named(frames.name[row]),
    kind: 'function',
    location: location(profile, frames.file[row], frames.line[row]),
  }));
  const length = new Uint32Array(parent.length);
  for (let path = 1; path < parent.length; path++) length[path] = length[parent[path]] + 1;
  /** The step of the caller that stands `depth` frames from the outermost. */
  const callerAt = (path: number, depth: number) => {
    let at = path;
    for (let up = length[path] - 1 - depth; up > 0; up--) at = parent[at];
    return callerStep(frame[at]);
  };
  /** Functions that the code of a pair's site is in. */
  const functionsOf = (pair: number) =>
    Math.max(1, sites.inlineStart[pairs.site[pair] + 1] - sites.inlineStart[pairs.site[pair]]);
  return {
    rows: calls.count,
    steps,
    counts: calls,
    bytes: null,
    hotness: row => code.hotness(calls.pair[row]),
    stepAt(row, depth) {
      const [pair, path] = [calls.pair[row], calls.path[row]];
      if (!bottomUp) {
        return depth < length[path] ? callerAt(path, depth) : code.stepAt(pair, depth - length[path]);
      }
      const own = functionsOf(pair);
      if (depth < own) return code.stepAt(pair, depth);
      return depth < own + length[path] ? callerAt(path, length[path] - 1 - (depth - own)) : -1;
    },
  };
}

/** Functions from the outermost in, then the line and the allocation; bottom-up the functions alone, from the innermost. */
function codeOf(profile: Profile, bottomUp: boolean): Source {
  const { pairs, sites, lines, objects, functions, files, modules } = profile;
  const steps = new Steps();
  const functionStep = steps.of(functions.count, row => ({
    name: named(functions.name[row]),
    kind: 'function',
    location: location(profile, functions.file[row], functions.startLine[row]),
  }));
  const lineStep = steps.of(lines.count, row => ({
    name: `${files[lines.file[row]].path.split('/').pop()}:${lines.line[row]}`,
    kind: 'line',
    location: location(profile, lines.file[row], lines.line[row]),
  }));
  const moduleStep = steps.of(modules.length, row => ({
    name: l10n.t('code of {0} without symbols', modules[row].path.split('/').pop()!),
    kind: 'group',
    location: null,
  }));
  const unknownModule: Step = { name: l10n.t('code of an unknown module'), kind: 'group', location: null };
  const object = steps.of(objects.count, row => objectStep(profile, row));
  /** What stands where the functions of a site's chain end. */
  const behind = (site: number, pair: number, depth: number): number => {
    if (bottomUp || depth > 1) return -1;
    const line = sites.line[site];
    if (line === NONE) return depth === 0 ? object(pairs.object[pair]) : -1;
    return depth === 0 ? lineStep(line) : object(pairs.object[pair]);
  };
  return {
    rows: pairs.count,
    steps,
    counts: pairs,
    bytes: null,
    hotness(pair) {
      const line = sites.line[pairs.site[pair]];
      return line === NONE ? objects.hotness[pairs.object[pair]] : lines.hotness[line];
    },
    stepAt(pair, depth) {
      const site = pairs.site[pair];
      const [start, end] = [sites.inlineStart[site], sites.inlineStart[site + 1]];
      if (start === end) {
        const module = sites.module[site];
        if (depth === 0) return module < modules.length ? moduleStep(module) : steps.add(unknownModule);
        return bottomUp || depth > 1 ? -1 : object(pairs.object[pair]);
      }
      const at = bottomUp ? start + depth : end - 1 - depth;
      return depth < end - start ? functionStep(sites.inlineFunction[at]) : behind(site, pair, depth - (end - start));
    },
  };
}

/** What has no allocating call is gathered by its kind. */
const groups: Readonly<Record<ObjectKind, () => string>> = {
  heap: () => l10n.t('heap without a call stack'),
  global: () => l10n.t('globals'),
  stack: () => l10n.t('stacks of threads'),
  file: () => l10n.t('mapped files'),
  anonymous: () => l10n.t('anonymous mappings'),
  unattributed: () => l10n.t('no object'),
};

/** Functions of the allocating call from the outermost in, then the allocation; bottom-up the functions alone. */
function allocationsOf(profile: Profile, bottomUp: boolean): Source {
  const { objects } = profile;
  const locate = frameLocations(profile);
  const steps = new Steps();
  const object = steps.of(objects.count, row => objectStep(profile, row));
  const frames = new Map<string, number>();
  const frame = (text: string): number => {
    let step = frames.get(text);
    if (step === undefined) {
      step = steps.add({ name: named(text), kind: 'function', location: locate(text) });
      frames.set(text, step);
    }
    return step;
  };
  return {
    rows: objects.count,
    steps,
    counts: objects,
    bytes: objects.bytes,
    hotness: row => objects.hotness[row],
    stepAt(row, depth) {
      const stack = objects.stack[row];
      if (stack.length === 0 && depth === 0) {
        return steps.add({ name: groups[objects.kind[row]](), kind: 'group', location: null });
      }
      if (depth < stack.length) {
        return frame(stack[bottomUp ? depth : stack.length - 1 - depth]);
      }
      const end = Math.max(stack.length, 1);
      return depth === end && (!bottomUp || stack.length === 0) ? object(row) : -1;
    },
  };
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
function pathTo({ root: all, source }: Tree, root: unknown): Node[] {
  const path = [all];
  for (const name of namesFrom(root)) {
    const next = childrenOf(path.at(-1)!, source).find(child => child.step.name === name);
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
function framesOf(
  path: readonly Node[],
  source: Source,
  weight: (node: Node) => number,
  before: RunBefore | null,
): { frames: FlameFrame[]; folded: number } {
  const root = path.at(-1)!;
  const kept = widest(root, source, weight);
  const frames: FlameFrame[] = [];
  let folded = 0;
  const push = (node: Node, parent: number, was: Node | null) =>
    frames.push(frameOf(node, weight(node), parent, was && before!.share(was))) - 1;
  const visit = (node: Node, parent: number, was: Node | null) => {
    const at = push(node, parent, was);
    const few: Node[] = [];
    for (const child of childrenOf(node, source)) {
      if (kept.has(child)) visit(child, at, was && before!.below(was, child));
      else if (weight(child) > 0) few.push(child);
    }
    if (few.length === 0) return;
    folded += few.length;
    push(restOf(few), at, null);
  };
  let was = before?.root ?? null;
  for (const [depth, node] of path.entries()) {
    if (depth > 0) was = was && before!.below(was, node);
    if (node === root) visit(root, depth - 1, was);
    else push(node, depth - 1, was);
  }
  return { frames, folded };
}

/** One frame in the place of several. */
function restOf(few: readonly Node[]): Node {
  const rest = new Node({ name: `${few.length} smaller`, kind: 'rest', location: null }, few[0].depth);
  for (const node of few) {
    rest.add(node);
    node.classes.forEach((accesses, hotness) => {
      rest.classes[hotness] += accesses;
    });
  }
  return rest;
}

/** The tree of the run that this one is compared with. */
interface RunBefore {
  readonly root: Node;
  /** The frame that has the same name below one; null: none, or one whose name has a line number that an edit shifts. */
  below(was: Node, now: Node): Node | null;
  /** Of everything, 0 to 1. */
  share(was: Node): number;
}

function runBefore({ root, source }: Tree, weight: (node: Node) => number): RunBefore {
  const all = weight(root);
  return {
    root,
    below: (was, { step: { kind, name } }) => {
      if (kind === 'line' || kind === 'rest') return null;
      return childrenOf(was, source).find(({ step }) => step.kind === kind && step.name === name) ?? null;
    },
    share: was => (all > 0 ? weight(was) / all : 0),
  };
}

/**
 * The frames whose names have all words, and what they stand for together, each access once. Found from the paths of the
 * rows: to make every frame of a large program would take the memory of the whole tree, and most have no such name.
 */
function matchedBy({ source }: Tree, search: string, measure: FlameMeasure): FlameFacts['matched'] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return null;
  const { rows, steps } = source;

  // 1. How far each row's path has to be followed: to the last step that matches.
  const matches = steps.by(({ name }) => words.every(word => name.toLowerCase().includes(word)));
  const depths = new Uint32Array(rows);
  let weight = 0;
  for (let row = 0; row < rows; row++) {
    const own = weightOf(weightsOf(source, row), measure);
    if (own <= 0) continue;
    for (let depth = 0, step = source.stepAt(row, 0); step >= 0; step = source.stepAt(row, ++depth)) {
      if (matches(step)) depths[row] = depth + 1;
    }
    if (depths[row] > 0) weight += own;
  }

  // 2. Which frames these paths lead through: the same steps from the root on are the same frame, numbered as they come.
  const below = new Map<number, number>();
  let frames = 0;
  for (let row = 0; row < rows; row++) {
    for (let depth = 0, frame = 0; depth < depths[row]; depth++) {
      const step = source.stepAt(row, depth);
      const key = frame * steps.count + step;
      let next = below.get(key);
      if (next === undefined) {
        below.set(key, (next = below.size + 1));
        if (matches(step)) frames++;
      }
      frame = next;
    }
  }
  return { frames, weight };
}

/**
 * The widest frames below one. A child is never wider than its parent, so only children of what is kept can be kept:
 * they wait in a heap, the widest first; of equals, the one that came first.
 */
function widest(root: Node, source: Source, weight: (node: Node) => number): ReadonlySet<Node> {
  const kept = new Set<Node>();
  const waiting = new Heap<Node>(weight);
  const wait = (parent: Node) => {
    for (const child of childrenOf(parent, source)) if (weight(child) > 0) waiting.push(child);
  };
  wait(root);
  while (kept.size < maxFrames) {
    const next = waiting.pop();
    if (!next) break;
    kept.add(next);
    wait(next);
  }
  return kept;
}

/** Binary heap: `pop` gives the greatest. */
class Heap<T> {
  readonly #items: { readonly value: T; readonly key: number; readonly order: number }[] = [];
  #pushed = 0;

  constructor(readonly keyOf: (value: T) => number) {}

  push(value: T): void {
    const items = this.#items;
    items.push({ value, key: this.keyOf(value), order: this.#pushed++ });
    for (let at = items.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): T | undefined {
    const items = this.#items;
    const [top] = items;
    const last = items.pop();
    if (!top || items.length === 0) return top?.value;
    items[0] = last!;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const child = left + 1 < items.length && this.#before(left + 1, left) ? left + 1 : left;
      if (child >= items.length || !this.#before(child, at)) return top.value;
      this.#swap(at, child);
      at = child;
    }
  }

  #before(a: number, b: number): boolean {
    const [first, second] = [this.#items[a], this.#items[b]];
    return first.key > second.key || (first.key === second.key && first.order < second.order);
  }

  #swap(a: number, b: number): void {
    const items = this.#items;
    [items[a], items[b]] = [items[b], items[a]];
  }
}

function frameOf(node: Node, weight: number, parent: number, before: number | null): FlameFrame {
  const { step, reads, writes, traffic, classes } = node;
  const most = classes.indexOf(Math.max(...classes));
  return {
    parent,
    name: step.name,
    kind: step.kind,
    weight,
    reads,
    writes,
    traffic,
    hotness: reads + writes > 0 ? CLASS_NAMES[most] : '',
    location: step.location,
    object: step.object ?? null,
    before,
  };
}
