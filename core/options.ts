/**
 * The common options of the command line (design, section 4) as `ReplayOptions`: parsing, defaults, and the check of
 * every id against its table, so that a typing error is told with the list of what is known.
 */
import { UsageError } from './errors.js';
import { geometryOf } from './machine/modeParameters.js';
import { modes } from './machine/modes.js';
import { defaultMachine, machines } from './machine/presets.js';
import type { ReplayOptions } from './model/profile.js';
import { policies } from './placement/policies.js';
import { type Capacity, parseCapacity, presets as tierPresets } from './placement/tiers.js';
import { parameterText, parseParameters } from './tracking/parameters.js';
import { trackers } from './tracking/trackers.js';

/** What the command line or an editor setting may say; everything is optional. */
export interface OptionTexts {
  readonly machine?: string;
  readonly mode?: string;
  readonly 'mode-option'?: string;
  readonly 'page-size'?: string;
  readonly tracker?: string;
  readonly 'tracker-option'?: string;
  readonly policy?: string;
  readonly tiers?: string;
  readonly capacity?: string;
  readonly epoch?: string;
  readonly 'time-scale'?: string;
  readonly 'hot-share'?: string;
  readonly 'cold-share'?: string;
  readonly 'pml-entries'?: string;
  readonly 'kernel-integration'?: boolean;
}

/** @throws UsageError naming the option, the value and what it may be, also for page sizes that do not go together. */
export function replayOptions(texts: OptionTexts): ReplayOptions {
  const options: ReplayOptions = {
    machine: oneOf('machine', texts.machine ?? defaultMachine, machines),
    modes: someOf('mode', texts.mode ?? 'all', modes),
    modeOptions: parseParameters('mode-option', texts['mode-option'] ?? '', modes),
    trackers: someOf('tracker', texts.tracker ?? 'all', trackers),
    trackerOptions: parseParameters('tracker-option', texts['tracker-option'] ?? '', trackers),
    policies: someOf('policy', texts.policy ?? 'all', policies),
    tiers: tiersOf(texts.tiers),
    capacity: texts.capacity ? texts.capacity.split(',').map(capacityOf) : [],
    pageSize: pageSizeOf(texts['page-size'] ?? '4k'),
    epochAccesses: texts.epoch === undefined ? 0 : positiveInteger('epoch', texts.epoch),
    timeScale: positiveNumber('time-scale', texts['time-scale'] ?? '1'),
    hotShare: share('hot-share', texts['hot-share'] ?? '80'),
    coldShare: share('cold-share', texts['cold-share'] ?? '1'),
    pmlEntries: positiveInteger('pml-entries', texts['pml-entries'] ?? '512'),
    kernelIntegration: texts['kernel-integration'] ?? false,
  };
  geometryOf(options);
  return options;
}

/** The inverse: texts that `replayOptions` reads as these options. */
export function optionTexts(options: ReplayOptions): OptionTexts {
  const percent = (value: number) => String(Number((value * 100).toPrecision(12)));
  return {
    machine: options.machine,
    mode: options.modes.join(','),
    ...(Object.keys(options.modeOptions).length > 0 ? { 'mode-option': parameterText(options.modeOptions) } : {}),
    'page-size': options.pageSize === 4096 ? '4k' : '2m',
    tracker: options.trackers.join(','),
    ...(Object.keys(options.trackerOptions).length > 0
      ? { 'tracker-option': parameterText(options.trackerOptions) }
      : {}),
    policy: options.policies.join(','),
    tiers: options.tiers,
    capacity: options.capacity.map(size => ('bytes' in size ? `${size.bytes}` : `${size.percent}%`)).join(','),
    ...(options.epochAccesses > 0 ? { epoch: String(options.epochAccesses) } : {}),
    'time-scale': String(options.timeScale),
    'hot-share': percent(options.hotShare),
    'cold-share': percent(options.coldShare),
    'pml-entries': String(options.pmlEntries),
    'kernel-integration': options.kernelIntegration,
  };
}

function oneOf(option: string, id: string, table: Readonly<Record<string, unknown>>): string {
  if (Object.hasOwn(table, id)) return id;
  throw new UsageError(`--${option} ${id}: unknown; known: ${Object.keys(table).join(', ')}`);
}

function someOf(option: string, ids: string, table: Readonly<Record<string, unknown>>): string[] {
  if (ids === 'all') return Object.keys(table);
  const wanted = new Set(ids.split(',').map(id => oneOf(option, id.trim(), table)));
  // In the table's order, so that the same choice gives the same report however it was typed.
  return Object.keys(table).filter(id => wanted.has(id));
}

function tiersOf(text: string | undefined): string {
  if (text === undefined) return 'dram-cxl';
  return text.endsWith('.json') ? text : oneOf('tiers', text, tierPresets);
}

function pageSizeOf(text: string): 4096 | 2097152 {
  if (text === '4k') return 4096;
  if (text === '2m') return 2097152;
  throw new UsageError(`--page-size ${text}: must be 4k or 2m`);
}

function capacityOf(text: string): Capacity {
  const capacity = parseCapacity(text.trim());
  if (!capacity) throw new UsageError(`--capacity ${text}: must be a size such as 64MiB or a share such as 20%`);
  return capacity;
}

function positiveNumber(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0) || !Number.isFinite(value)) {
    throw new UsageError(`--${option} ${text}: must be a number above 0`);
  }
  return value;
}

function positiveInteger(option: string, text: string): number {
  const value = positiveNumber(option, text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value)) throw new UsageError(`--${option} ${text}: must be a whole number above 0`);
  return value;
}

function share(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 100)) {
    throw new UsageError(`--${option} ${text}: must be per cent, 0 to 100`);
  }
  return value / 100;
}
