/**
 * A placement file (`pagelens report --format placement`, docs/apply.md): which allocation site and global belongs in
 * which tier. It names places in the source, not addresses, so it fits any build of the program.
 */
import { UsageError } from '../errors.js';

export const PLACEMENT_SCHEMA = 'pagelens-placement/1';

export interface PlacedFrame {
  readonly function: string;
  /** Absolute; left out where unknown, with the line. */
  readonly file?: string;
  readonly line?: number;
}

export interface PlacedObject {
  readonly kind: 'heap' | 'anonymous' | 'file' | 'global';
  /** Of a global: its symbol. */
  readonly name: string;
  /** Id of one of the tiers. */
  readonly tier: string;
  /** Innermost first; empty for a global. */
  readonly stack: readonly PlacedFrame[];
}

export interface PlacedTier {
  readonly id: string;
  readonly name: string;
  /** Memory node (`/sys/devices/system/node/nodeN`); null: chosen when the file is applied. */
  readonly node: number | null;
}

export interface PlacementFile {
  readonly tiers: readonly PlacedTier[];
  readonly objects: readonly PlacedObject[];
}

/** Most of a file that is believed: more objects than any profile has (they are limited to 2^16 in a plan's tiers). */
const OBJECTS_MAX = 1_000_000;
const TIERS_MAX = 8;
const FRAMES_MAX = 256;
const NODE_MAX = 1023;
const KINDS: readonly string[] = ['heap', 'anonymous', 'file', 'global'];

/**
 * @param name of the file, for messages
 * @throws UsageError saying what is wrong and where.
 */
export function parsePlacement(text: string, name: string): PlacementFile {
  const wrong = (what: string) => new UsageError(`${name}: ${what}`);
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    throw wrong('not JSON; make a placement file with: pagelens report --format placement PROFILE.pagelens');
  }
  if (!isRecord(root) || root.schema !== PLACEMENT_SCHEMA)
    throw wrong(`"schema" is not "${PLACEMENT_SCHEMA}"; make one with: pagelens report --format placement`);
  const tiers = list(root.tiers, 'tiers', 1, TIERS_MAX, wrong).map((tier, at) => tierOf(tier, at, wrong));
  const ids = new Set(tiers.map(({ id }) => id));
  if (ids.size < tiers.length) throw wrong('two tiers have the same id');
  const objects = list(root.objects, 'objects', 0, OBJECTS_MAX, wrong).map((object, at) =>
    objectOf(object, at, ids, wrong),
  );
  return { tiers, objects };
}

type Wrong = (what: string) => Error;

function tierOf(value: unknown, at: number, wrong: Wrong): PlacedTier {
  if (!isRecord(value) || typeof value.id !== 'string' || value.id === '') throw wrong(`tiers[${at}] has no "id"`);
  const { id, name = id, node = null } = value;
  if (typeof name !== 'string') throw wrong(`tiers[${at}].name is no text`);
  if (node !== null && !isWhole(node, 0, NODE_MAX))
    throw wrong(`tiers[${at}].node is neither null nor a whole number from 0 to ${NODE_MAX}`);
  return { id, name, node };
}

function objectOf(value: unknown, at: number, tiers: ReadonlySet<string>, wrong: Wrong): PlacedObject {
  const where = `objects[${at}]`;
  if (!isRecord(value)) throw wrong(`${where} is no object`);
  const { kind, name, tier, stack = [] } = value;
  if (typeof kind !== 'string' || !KINDS.includes(kind)) throw wrong(`${where}.kind is none of ${KINDS.join(', ')}`);
  if (typeof name !== 'string') throw wrong(`${where}.name is no text`);
  if (typeof tier !== 'string' || !tiers.has(tier)) throw wrong(`${where}.tier is none of the tiers' ids`);
  const frames = list(stack, `${where}.stack`, 0, FRAMES_MAX, wrong).map((frame, i) =>
    frameOf(frame, `${where}.stack[${i}]`, wrong),
  );
  if (kind !== 'global' && frames.length === 0) throw wrong(`${where}.stack is empty: nothing says who allocates it`);
  return { kind: kind as PlacedObject['kind'], name, tier, stack: frames };
}

function frameOf(value: unknown, where: string, wrong: Wrong): PlacedFrame {
  if (!isRecord(value) || typeof value.function !== 'string') throw wrong(`${where}.function is no text`);
  const { function: name, file, line } = value;
  if (file === undefined || line === undefined) return { function: name };
  if (typeof file !== 'string') throw wrong(`${where}.file is no text`);
  if (!isWhole(line, 1, 2 ** 31)) throw wrong(`${where}.line is no line number`);
  return { function: name, file, line };
}

function list(value: unknown, where: string, least: number, most: number, wrong: Wrong): unknown[] {
  if (!Array.isArray(value)) throw wrong(`"${where}" is no list`);
  if (value.length < least || value.length > most)
    throw wrong(`"${where}" has ${value.length} entries, not ${least} to ${most}`);
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}
