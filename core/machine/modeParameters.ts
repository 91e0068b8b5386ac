/**
 * Parameters of the translation modes, each with unit, default and source. The command line writes them as
 * `--mode-option nested.levels=5,nested.leaf=2`.
 */
import { UsageError } from '../errors.js';
import { type Parameters, type ValuesOf, valuesOf } from '../tracking/parameters.js';
import { defaultThresholds } from './dsp.js';

/** Values by `mode.parameter`; what is not named has its default. */
export type ModeOptions = Readonly<Record<string, number>>;

const leaf = {
  summary:
    'level at which walks end, of the smallest pages: 1 for 4 KiB pages, 2 for 2 MiB, 3 for 1 GiB; 0 for the size of --page-size',
  unit: 'level',
  default: 0,
  minimum: 0,
  maximum: 3,
  whole: true,
  source: 'A.1',
} as const;

function share(size: string) {
  return {
    summary: `aligned ranges of ${size} that one page maps, the other ranges having smaller pages`,
    unit: '%',
    default: 0,
    minimum: 0,
    maximum: 100,
    whole: true,
    source: 'A.1, sizes mixed in one table; A.2',
  } as const;
}

/** Which pages are larger than those of `leaf`. */
const shares = { share2m: share('2 MiB'), share1g: share('1 GiB') } as const;

const levels = {
  summary: 'levels of the page tables',
  unit: 'levels',
  default: 4,
  minimum: 4,
  maximum: 5,
  whole: true,
  source: 'A.1',
} as const;

function interval(summary: string, seconds: number, source: string) {
  return {
    summary,
    unit: 's of modelled time, stretched by --time-scale',
    default: seconds,
    minimum: 1e-6,
    maximum: 86_400,
    source,
  } as const;
}

function threshold(summary: string, unit: string, value: number) {
  return { summary, unit, default: value, minimum: 0, maximum: 1e9, source: 'F.2 [P Wang VEE 2011]' } as const;
}

const perThousand = 'per 1,000 instructions';

/** By id of the mode. Those of `native` shape the process's page tables and the cores, in every mode. */
export const modeParameters = {
  native: {
    levels,
    leaf,
    ...shares,
    cores: {
      summary: 'cores that the recorded threads share, thread n on core n modulo this; 0: one each',
      unit: 'cores',
      default: 0,
      minimum: 0,
      maximum: 4096,
      whole: true,
      source: 'assumption: no thread waits for a core',
    },
  },
  nested: { levels, leaf, ...shares },
  dsp: {
    intervalSeconds: interval('time between two decisions', 5, 'F.2 [P Wang VEE 2011]'),
    instructionsPerAccess: {
      summary: 'instructions for each recorded access: the rules count per retired instruction',
      unit: 'instructions',
      default: 3,
      minimum: 1,
      maximum: 1000,
      source: 'assumption: about a third of the instructions load or store',
    },
    faultsUpper: threshold('guest page faults that ask for nested paging', perThousand, defaultThresholds.faultsUpper),
    faultsLower: threshold('guest page faults that are too few to matter', perThousand, defaultThresholds.faultsLower),
    missesUpper: threshold('TLB misses that ask for shadow paging', perThousand, defaultThresholds.missesUpper),
    missesLower: threshold('TLB misses that are too few to matter', perThousand, defaultThresholds.missesLower),
    ratioUpper: threshold('ratio that asks for nested paging', 'faults per TLB miss', defaultThresholds.ratioUpper),
    ratioLower: threshold('ratio that asks for shadow paging', 'faults per TLB miss', defaultThresholds.ratioLower),
  },
  'vmm-direct': {
    badPages: {
      summary:
        'pages of each virtual machine that the escape filter holds, their host pages being bad; also dual-direct',
      unit: 'pages',
      default: 16,
      minimum: 0,
      maximum: 24,
      whole: true,
      source: 'F.3 [P Gandhi MICRO 2014]: 16 bad pages were tried',
    },
  },
  agile: {
    intervalSeconds: interval('time in which writes to a table are counted', 1, 'F.4 [P Gandhi ISCA 2016]'),
    writes: {
      summary: 'writes to a guest table within an interval that turn it nested',
      unit: 'writes',
      default: 2,
      minimum: 1,
      maximum: 1_000_000,
      whole: true,
      source: 'F.4 [P Gandhi ISCA 2016]',
    },
  },
} as const satisfies Readonly<Record<string, Parameters>>;

/** The values for one mode. */
export function modeValues<Id extends keyof typeof modeParameters>(
  id: Id,
  given: ModeOptions = {},
): ValuesOf<(typeof modeParameters)[Id]> {
  return valuesOf(id, modeParameters[id], given);
}

interface Dimension {
  readonly levels: number;
  /** Of the smallest pages, 1 to 3: 4 KiB, 2 MiB, 1 GiB. */
  readonly leaf: number;
  /** Per cent of the ranges of 2 MiB and of 1 GiB that one page maps. */
  readonly share2m: number;
  readonly share1g: number;
}

export interface Geometry {
  readonly guest: Dimension;
  readonly nested: Dimension;
}

/** Modes that walk a guest whose own tables mix sizes of pages. */
const withMixedGuests: readonly string[] = ['native', 'shadow', 'direct', 'nested', 'dsp', 'guest-direct', 'agile'];

/** @throws UsageError for pages smaller than those that the run counts, and for sizes that the modes cannot share */
export function geometryOf(options: {
  readonly pageSize: number;
  readonly modes: readonly string[];
  readonly modeOptions?: ModeOptions;
}): Geometry {
  const counted = options.pageSize === 4096 ? 1 : 2;
  const dimension = (id: 'native' | 'nested'): Dimension => {
    const given = modeValues(id, options.modeOptions);
    const leaf = given.leaf || counted;
    if (leaf < counted) throw new UsageError(`--mode-option ${id}.leaf=${leaf}: smaller than the pages of --page-size`);
    const { levels, share2m, share1g } = given;
    for (const [name, value, level] of [['share2m', share2m, 2] as const, ['share1g', share1g, 3] as const]) {
      if (value > 0 && leaf >= level)
        throw new UsageError(`--mode-option ${id}.${name}=${value}: the smallest pages are that large already`);
    }
    return { levels, leaf, share2m, share1g };
  };
  const geometry = { guest: dimension('native'), nested: dimension('nested') };
  const { guest, nested } = geometry;
  const largest = guest.share1g > 0 ? 3 : guest.share2m > 0 ? 2 : guest.leaf;
  if (nested.leaf < largest && options.modes.some(mode => mode !== 'nested')) {
    throw new UsageError(
      `--mode-option nested.leaf=${nested.leaf}: the guest has larger pages (level ${largest}), so that the TLBs of ` +
        `mode nested hold pieces of them, which those of other modes do not; set nested.leaf=${largest}, or ask for ` +
        '--mode nested alone',
    );
  }
  const without = options.modes.filter(mode => !withMixedGuests.includes(mode));
  if (largest !== guest.leaf && without.length > 0) {
    throw new UsageError(
      `--mode ${without.join(',')}: its guest has pages of one size, without native.share2m and native.share1g; ` +
        `ask for --mode ${withMixedGuests.join(',')}`,
    );
  }
  return geometry;
}
