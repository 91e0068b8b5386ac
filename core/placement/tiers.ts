/**
 * Memory tiers: what kinds of memory a placement may choose from. A set of two to five comes from a preset or from a
 * JSON file (`tiers.schema.json`), fastest first as its author sees it; the last takes whatever is left.
 *
 * Latencies are idle load and store latencies in ns of one 64-byte line, bandwidths GB/s (10^9 bytes) of the whole
 * tier, costs relative to a gigabyte of local DRAM. Capacities are bytes or a share of the bytes that the run touched,
 * because a preset cannot know how big a program is.
 */
import { readFileSync } from 'node:fs';
import { messageOf, UsageError } from '../errors.js';
import type { Tier } from '../model/profile.js';

export type Capacity = { readonly bytes: number } | { readonly percent: number };

export interface TierKind extends Omit<Tier, 'capacityBytes'> {
  /** null: unlimited, which only the last tier may be. */
  readonly capacity: Capacity | null;
}

export interface TierSet {
  readonly id: string;
  readonly label: string;
  readonly tiers: readonly TierKind[];
}

export const MIN_TIERS = 2;
export const MAX_TIERS = 5;

type Figures = Omit<TierKind, 'capacity' | 'id' | 'name'>;

/**
 * How far a figure can be trusted (mechanisms.md, provenance tags): published and read, from somebody's summary,
 * derived by arithmetic, or unverified.
 */
export type Trust = 'published' | 'summary' | 'derived' | 'unverified' | 'by definition';

interface SourcedTier extends Figures {
  readonly id: string;
  readonly name: string;
  readonly sources: Readonly<Record<keyof Figures, { readonly trust: Trust; readonly from: string }>>;
}

const melody = { trust: 'published', from: 'Melody (ASPLOS 2025), table 1' } as const;
const unverified = (from: string) => ({ trust: 'unverified', from }) as const;

/** The kinds of memory of mechanisms.md I.2, each figure with where it comes from. */
export const kinds = {
  hbm: {
    id: 'hbm',
    name: 'HBM',
    readLatencyNs: 130,
    writeLatencyNs: 130,
    readBandwidthGBps: 700,
    writeBandwidthGBps: 350,
    relativeCostPerGB: 4,
    sources: {
      readLatencyNs: unverified('HBM2e of the Xeon Max: idle latency somewhat above DDR5'),
      writeLatencyNs: unverified('taken equal to the load latency'),
      readBandwidthGBps: { trust: 'derived', from: '43 % of the 1638 GB/s peak of a Xeon Max 9480 (McCalpin 2023)' },
      writeBandwidthGBps: unverified('half of the read bandwidth'),
      relativeCostPerGB: unverified('3 to 5; the middle'),
    },
  },
  dram: {
    id: 'dram',
    name: 'DRAM',
    readLatencyNs: 111,
    writeLatencyNs: 111,
    readBandwidthGBps: 246,
    writeBandwidthGBps: 200,
    relativeCostPerGB: 1,
    sources: {
      readLatencyNs: melody,
      writeLatencyNs: unverified('taken equal to the load latency'),
      readBandwidthGBps: melody,
      writeBandwidthGBps: unverified('about 80 % of the read bandwidth'),
      relativeCostPerGB: { trust: 'by definition', from: 'the unit' },
    },
  },
  remote: {
    id: 'remote',
    name: 'remote DRAM',
    readLatencyNs: 193,
    writeLatencyNs: 193,
    readBandwidthGBps: 120,
    writeBandwidthGBps: 100,
    relativeCostPerGB: 1,
    sources: {
      readLatencyNs: melody,
      writeLatencyNs: unverified('taken equal to the load latency'),
      readBandwidthGBps: melody,
      writeBandwidthGBps: unverified('about 80 % of the read bandwidth'),
      relativeCostPerGB: { trust: 'by definition', from: 'the unit' },
    },
  },
  cxl: {
    id: 'cxl',
    name: 'CXL',
    readLatencyNs: 214,
    writeLatencyNs: 214,
    readBandwidthGBps: 24,
    writeBandwidthGBps: 24,
    relativeCostPerGB: 0.65,
    sources: {
      readLatencyNs: melody,
      writeLatencyNs: unverified('taken equal to the load latency'),
      readBandwidthGBps: melody,
      writeBandwidthGBps: unverified('taken equal to the read bandwidth'),
      relativeCostPerGB: unverified('0.5 to 0.8; the middle'),
    },
  },
  'cxl-d': {
    id: 'cxl-d',
    name: 'CXL (device D)',
    readLatencyNs: 239,
    writeLatencyNs: 239,
    readBandwidthGBps: 52,
    writeBandwidthGBps: 52,
    relativeCostPerGB: 0.65,
    sources: {
      readLatencyNs: melody,
      writeLatencyNs: unverified('taken equal to the load latency'),
      readBandwidthGBps: melody,
      writeBandwidthGBps: unverified('taken equal to the read bandwidth'),
      relativeCostPerGB: unverified('0.5 to 0.8; the middle'),
    },
  },
  optane: {
    id: 'optane',
    name: 'Optane',
    readLatencyNs: 305,
    writeLatencyNs: 300,
    readBandwidthGBps: 39.4,
    writeBandwidthGBps: 13.9,
    relativeCostPerGB: 0.4,
    sources: {
      readLatencyNs: { trust: 'summary', from: 'random loads, six modules' },
      writeLatencyNs: unverified('90 to 300; the upper end'),
      readBandwidthGBps: { trust: 'summary', from: 'six modules' },
      writeBandwidthGBps: { trust: 'summary', from: 'six modules' },
      relativeCostPerGB: unverified('0.33 to 0.5; the middle'),
    },
  },
} as const satisfies Record<string, SourcedTier>;

/** Capacities of presets are a choice of ours, so that there is something to decide: a share of the touched bytes. */
function preset(label: string, ...tiers: readonly (readonly [SourcedTier, number | null])[]): Omit<TierSet, 'id'> {
  const chosen = tiers.map(([{ sources: _, ...kind }, percent]): TierKind => {
    return { ...kind, capacity: percent === null ? null : { percent } };
  });
  return { label, tiers: chosen };
}

export const presets = {
  'dram-cxl': preset(
    'Local DDR5 for 25 % of the touched bytes, the rest behind CXL',
    [kinds.dram, 25],
    [kinds.cxl, null],
  ),
  'dram-cxl-d': preset(
    'Local DDR5 for 25 %, the rest on a CXL device of more bandwidth and latency',
    [kinds.dram, 25],
    [kinds['cxl-d'], null],
  ),
  'dram-remote': preset('Local DDR5 for 25 %, the rest on the other socket', [kinds.dram, 25], [kinds.remote, null]),
  'dram-optane': preset('Local DDR5 for 25 %, the rest on Optane', [kinds.dram, 25], [kinds.optane, null]),
  'hbm-dram': preset('HBM for 25 % of the touched bytes, the rest in local DDR5', [kinds.hbm, 25], [kinds.dram, null]),
  'hbm-dram-cxl': preset(
    'HBM for 10 % of the touched bytes, local DDR5 for 40 %, the rest behind CXL',
    [kinds.hbm, 10],
    [kinds.dram, 40],
    [kinds.cxl, null],
  ),
} as const satisfies Record<string, Omit<TierSet, 'id'>>;

/**
 * The tier set of a preset's id or of a JSON file.
 * @throws UsageError naming the file, the field and what it must be.
 */
export function tierSet(idOrFile: string): TierSet {
  if (Object.hasOwn(presets, idOrFile)) return { id: idOrFile, ...presets[idOrFile as keyof typeof presets] };
  if (!idOrFile.endsWith('.json')) {
    throw new UsageError(
      `--tiers ${idOrFile}: unknown; known: ${Object.keys(presets).join(', ')}, or the path of a .json file`,
    );
  }
  let text: string;
  try {
    text = readFileSync(idOrFile, 'utf8');
  } catch (error) {
    throw new UsageError(`--tiers ${idOrFile}: cannot be read: ${messageOf(error)}`);
  }
  return tiersFromJson(text, idOrFile);
}

/** A file of 64 KiB holds five tiers with room for long names; more is a wrong file. */
const MAX_JSON = 65536;

/**
 * @param where names the source in messages.
 * @throws UsageError for anything that `tiers.schema.json` refuses, ids that repeat and capacities that leave no
 *   place for the rest.
 */
export function tiersFromJson(text: string, where: string): TierSet {
  const fail = (what: string): never => {
    throw new UsageError(`${where}: ${what}`);
  };
  if (text.length > MAX_JSON) fail(`${text.length} characters are too many for a tiers file; at most ${MAX_JSON}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    fail(`is not JSON: ${messageOf(error)}`);
  }
  const top = fields(parsed, 'the file', ['$schema', 'label', 'tiers'], fail);
  if (top.$schema !== undefined && typeof top.$schema !== 'string') fail('"$schema" must be a text');
  const label = top.label === undefined ? where : line(top.label, '"label"', fail);
  const list = top.tiers;
  if (!Array.isArray(list) || list.length < MIN_TIERS || list.length > MAX_TIERS) {
    return fail(`"tiers" must be a list of ${MIN_TIERS} to ${MAX_TIERS} tiers, fastest first`);
  }
  const tiers = list.map((entry, index) => tierOf(entry, `tiers[${index}]`, index === list.length - 1, fail));
  const repeated = tiers.find((tier, index) => tiers.findIndex(other => other.id === tier.id) !== index);
  if (repeated) fail(`the tier id "${repeated.id}" is used twice`);
  return { id: where, label, tiers };
}

type Fail = (what: string) => never;

const numberFields = [
  'readLatencyNs',
  'writeLatencyNs',
  'readBandwidthGBps',
  'writeBandwidthGBps',
  'relativeCostPerGB',
] as const;

/** Wide enough for anything from on-chip memory to a disk, narrow enough that no sum overflows. */
const MAX_FIGURE = 1e9;

function tierOf(value: unknown, at: string, last: boolean, fail: Fail): TierKind {
  const tier = fields(value, at, ['id', 'name', 'capacity', ...numberFields], fail);
  const id = typeof tier.id === 'string' ? tier.id : '';
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id) || id.length > 32) {
    fail(`${at}.id must be lower-case letters, digits and hyphens, at most 32`);
  }
  const number = (field: (typeof numberFields)[number], otherwise?: number): number => {
    const figure = tier[field] === undefined ? otherwise : tier[field];
    if (typeof figure === 'number' && figure > 0 && figure <= MAX_FIGURE) return figure;
    return fail(`${at}.${field} must be a number above 0 and at most ${MAX_FIGURE}`);
  };
  return {
    id,
    name: tier.name === undefined ? id : line(tier.name, `${at}.name`, fail),
    capacity: capacityOf(tier.capacity, `${at}.capacity`, last, fail),
    readLatencyNs: number('readLatencyNs'),
    writeLatencyNs: number('writeLatencyNs'),
    readBandwidthGBps: number('readBandwidthGBps'),
    writeBandwidthGBps: number('writeBandwidthGBps'),
    relativeCostPerGB: number('relativeCostPerGB', 1),
  };
}

function fields(value: unknown, at: string, known: readonly string[], fail: Fail): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(`${at} must be an object {...}`);
  const unknown = Object.keys(value).find(key => !known.includes(key));
  if (unknown !== undefined) {
    return fail(`${at} has the unknown field ${JSON.stringify(unknown.slice(0, 40))}; known: ${known.join(', ')}`);
  }
  return value as Record<string, unknown>;
}

/** One line of 1 to 80 characters: it ends up in table headings. */
function line(value: unknown, at: string, fail: Fail): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (typeof value === 'string' && /^[^\u0000-\u001f\u007f]{1,80}$/u.test(value)) return value;
  return fail(`${at} must be one line of 1 to 80 characters`);
}

function capacityOf(value: unknown, at: string, last: boolean, fail: Fail): Capacity | null {
  if (value === undefined && last) return null;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return { bytes: value };
  const parsed = typeof value === 'string' ? parseCapacity(value) : null;
  const omit = last ? ', or be left out' : '';
  return parsed ?? fail(`${at} must be bytes, a size such as "16GiB" or a share such as "20%"${omit}`);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `64MiB`, `64m`, `1.5G`, `4096` bytes or `20%` (0 to 100); null for anything else. Units are powers of 1024. */
export function parseCapacity(text: string): Capacity | null {
  const percent = /^(\d{1,3}(?:\.\d{1,6})?)\s?%$/.exec(text);
  if (percent) return Number(percent[1]) <= 100 ? { percent: Number(percent[1]) } : null;
  const size = /^(\d{1,16}(?:\.\d{1,6})?)\s?([kmgt]?)(?:i?b)?$/i.exec(text);
  if (!size) return null;
  const bytes = Math.round(Number(size[1]) * UNITS[size[2].toLowerCase()]);
  return Number.isSafeInteger(bytes) ? { bytes } : null;
}

/**
 * Tiers with capacities in bytes for a run.
 * @param overrides replace the capacities of the set, fastest first; fewer than the tiers leave the rest as they are.
 * @param touchedBytes touched pages times the page size: what shares refer to.
 * @returns tiers whose capacities are whole bytes. The last holds at least what is touched.
 * @throws UsageError for more overrides than tiers but the last.
 */
export function sizedTiers(set: TierSet, overrides: readonly Capacity[], touchedBytes: number): readonly Tier[] {
  const limited = set.tiers.length - 1;
  if (overrides.length > limited) {
    const ids = set.tiers.slice(0, limited).map(tier => tier.id);
    throw new UsageError(
      `--capacity: ${overrides.length} values, but ${set.id} takes ${limited} (${ids.join(', ')}); the last tier takes the rest`,
    );
  }
  return set.tiers.map(({ capacity: own, ...kind }, index): Tier => {
    const capacity = overrides[index] ?? own;
    const bytes = capacity === null ? touchedBytes : inBytes(capacity, touchedBytes);
    return { ...kind, capacityBytes: index === limited ? Math.max(bytes, touchedBytes) : bytes };
  });
}

function inBytes(capacity: Capacity, touchedBytes: number): number {
  return 'bytes' in capacity ? capacity.bytes : Math.round((capacity.percent / 100) * touchedBytes);
}
