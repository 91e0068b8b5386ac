/**
 * The plan for the preload library (preload/plan.h): the placement in terms of one build of the program. Frames become
 * numbers, and each call of the build that may be on an object's stack says which frames it stands for.
 */
import path from 'node:path';
import type { GlobalSymbol, SymbolFrame } from '../trace/blocks.js';
import type { CallSites } from './callSites.js';
import type { PlacedFrame, PlacementFile } from './placementFile.js';

/** A module of the program: the executable or a library that it loads. */
export interface PlanModule {
  /** Absolute, without symbolic links. */
  readonly path: string;
  readonly sites: CallSites;
  readonly globals: readonly GlobalSymbol[];
}

export interface Plan {
  readonly bytes: Uint8Array;
  /** Objects of the placement, by number in the plan, as indices into `placement.objects`. */
  readonly objects: readonly number[];
  /** Indices of objects that nothing of this build can be: no call of theirs, no such symbol. */
  readonly impossible: readonly number[];
}

const MAGIC = 0x504c_5031;
const HEADER_WORDS = 8;
const FRAME_OUTSIDE = 0xffff_fffe;
/** What calls main; threads begin in libraries that have no plan. */
const OUTSIDE = /^(?:_start|__libc_start_(?:call_)?main(?:_impl)?)$/;

/**
 * @param nodes memory node of each tier
 */
export function makePlan(placement: PlacementFile, modules: readonly PlanModule[], nodes: readonly number[]): Plan {
  const numbers = new FrameNumbers();
  const tierOf = new Map(placement.tiers.map(({ id }, tier) => [id, tier]));
  const objects = placement.objects.map((object, index) => ({
    ...object,
    index,
    frames: object.stack.map(f => numbers.add(f)),
  }));

  const seen = new Set<number>();
  const tables = modules.map(module => ({
    module,
    sites: sitesOf(module.sites, numbers, seen),
    globals: globalsOf(module, objects),
  }));
  const symbols = new Set(tables.flatMap(({ globals }) => globals.map(({ object }) => object)));
  const possible = objects.map(object =>
    object.kind === 'global' ? symbols.has(object.index) : object.frames.some(f => seen.has(f)),
  );

  const words = new Words();
  words.skip(HEADER_WORDS);
  const tiersAt = words.append(nodes);
  const framesAt = objects.map(({ frames }) => words.append(frames));
  const objectsAt = words.append(
    objects.flatMap(({ tier, frames }, i) => [tierOf.get(tier)!, frames.length, framesAt[i]!]),
  );
  const rows = tables.flatMap(({ module, sites, globals }) => [
    words.text(module.path),
    sites.length,
    words.append(sites.flatMap(({ offset, frames }) => [offset, frames.length, words.append(frames)])),
    globals.length,
    words.append(globals.flatMap(({ offset, size, object, tier }) => [offset, size, object, tierOf.get(tier)!])),
  ]);
  const modulesAt = words.append(rows);
  words.at(0, [MAGIC, words.length, nodes.length, tiersAt, objects.length, objectsAt, tables.length, modulesAt]);
  return {
    bytes: words.bytes(),
    objects: objects.map(({ index }) => index),
    impossible: objects.filter((_, i) => !possible[i]).map(({ index }) => index),
  };
}

/**
 * Numbers of frames. The same place in the source is the same frame in every build: file name and line where they are
 * known (the same sources may have lain in another folder), else the function's name.
 */
class FrameNumbers {
  readonly #numbers = new Map<string, number>();

  add(frame: PlacedFrame): number {
    const key = keyOf(frame);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  of(frame: SymbolFrame): number | undefined {
    if (OUTSIDE.test(frame.function)) return FRAME_OUTSIDE;
    const named = this.#numbers.get(
      keyOf({ function: frame.function, file: frame.file || undefined, line: frame.line || undefined }),
    );
    return named ?? this.#numbers.get(keyOf({ function: frame.function }));
  }
}

function keyOf({ function: name, file, line }: PlacedFrame): string {
  return file === undefined || line === undefined ? name : `${path.basename(file)}:${line}`;
}

interface Site {
  readonly offset: number;
  readonly frames: readonly number[];
}

/** The calls all of whose frames are known; their frames are added to `seen`. */
function sitesOf({ offsets, frames }: CallSites, numbers: FrameNumbers, seen: Set<number>): Site[] {
  const sites: Site[] = [];
  for (const [i, offset] of offsets.entries()) {
    const chain = frames[i]!.map(frame => numbers.of(frame));
    if (chain.length === 0 || chain.includes(undefined)) continue;
    for (const frame of chain) seen.add(frame!);
    sites.push({ offset, frames: chain as number[] });
  }
  return sites;
}

interface PlacedGlobal {
  readonly offset: number;
  readonly size: number;
  readonly object: number;
  readonly tier: string;
}

function globalsOf(
  { globals }: PlanModule,
  objects: readonly { readonly kind: string; readonly name: string; readonly tier: string; readonly index: number }[],
): PlacedGlobal[] {
  const byName = new Map(globals.map(symbol => [symbol.name, symbol]));
  return objects.flatMap(({ kind, name, tier, index }) => {
    const symbol = kind === 'global' ? byName.get(name) : undefined;
    return symbol ? [{ offset: symbol.offset, size: symbol.size, object: index, tier }] : [];
  });
}

/** Words of 32 bits, little-endian, that grow. */
class Words {
  readonly #words: number[] = [];

  get length(): number {
    return this.#words.length;
  }

  skip(count: number): void {
    for (let i = 0; i < count; i++) this.#words.push(0);
  }

  /** Where they are. */
  append(values: readonly number[]): number {
    const at = this.#words.length;
    for (const value of values) this.#words.push(value >>> 0);
    return at;
  }

  text(value: string): number {
    const bytes = Buffer.from(`${value}\0`, 'utf8');
    const padded = Buffer.alloc((bytes.length + 3) & ~3);
    bytes.copy(padded);
    return this.append(Array.from({ length: padded.length / 4 }, (_, i) => padded.readUInt32LE(i * 4)));
  }

  at(position: number, values: readonly number[]): void {
    for (const [i, value] of values.entries()) this.#words[position + i] = value >>> 0;
  }

  bytes(): Uint8Array {
    const buffer = Buffer.alloc(this.#words.length * 4);
    for (const [i, word] of this.#words.entries()) buffer.writeUInt32LE(word, i * 4);
    return buffer;
  }
}
