/**
 * Budgets: limits on what a run may do, kept beside the program and checked in continuous integration
 * (docs/budget.md, `budget.schema.json`). A limit is absolute (`max`) or relative to the run before (`maxIncrease`).
 */
import { UsageError } from '../errors.js';
import { NONE } from '../model/columns.js';
import type { Profile } from '../model/profile.js';
import { matchProfiles } from './matching.js';
import { type Metric, metrics, type Unit, units } from './metrics.js';

export interface Limit {
  readonly metric: string;
  /** Whose figure: a glob over the names of functions or allocations; the policy of a slowdown. */
  readonly function?: string;
  readonly allocation?: string;
  readonly policy?: string;
  readonly max?: number;
  readonly maxIncrease?: { readonly percent: number } | { readonly by: number };
}

/** One figure that a limit speaks of. */
export interface Finding {
  readonly metric: string;
  readonly label: string;
  /** The function or allocation; '' for the whole run. */
  readonly name: string;
  readonly unit: Unit;
  readonly before: number | null;
  readonly now: number;
  /** The greatest value allowed, and how it came about: `max 1.20×`, `at most 5 % above 61.2 M accesses`. */
  readonly limit: number;
  readonly rule: string;
  readonly broken: boolean;
}

export interface Verdict {
  readonly findings: readonly Finding[];
  /** Limits that spoke of nothing, as sentences: they may be misspelt. */
  readonly idle: readonly string[];
}

/** Figures of single functions and allocations. */
const ofFunction: Readonly<Record<string, Measure<Profile['functions']>>> = {
  functionAccesses: {
    label: 'Accesses of a function',
    unit: 'accesses',
    of: (t, row) => t.reads[row]! + t.writes[row]!,
  },
  functionTraffic: {
    label: 'Traffic of a function, modelled',
    unit: 'lines',
    of: (t, row) => t.trafficReads[row]! + t.trafficWrites[row]!,
  },
};
const ofAllocation: Readonly<Record<string, Measure<Profile['objects']>>> = {
  allocationPeak: { label: 'Peak bytes of an allocation', unit: 'bytes', of: (t, row) => t.bytes[row]! },
  allocationAccesses: {
    label: 'Accesses to an allocation',
    unit: 'accesses',
    of: (t, row) => t.reads[row]! + t.writes[row]!,
  },
  allocationTraffic: {
    label: 'Traffic of an allocation, modelled',
    unit: 'lines',
    of: (t, row) => t.trafficReads[row]! + t.trafficWrites[row]!,
  },
};

interface Measure<Table> {
  readonly label: string;
  readonly unit: Unit;
  of(table: Table, row: number): number;
}

/** A limits file is small; more is a wrong file. */
const MAX_JSON = 1 << 20;

/** @throws UsageError naming the file, the limit and what it must be */
export function parseBudget(text: string, where: string): Limit[] {
  const fail = (what: string): never => {
    throw new UsageError(`${where}: ${what}`);
  };
  if (text.length > MAX_JSON) fail(`${text.length} characters are too many for a budget; at most ${MAX_JSON}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    fail(`is not JSON: ${(error as Error).message}`);
  }
  const top = fields(parsed, 'the file', ['$schema', 'limits'], fail);
  if (!Array.isArray(top.limits)) return fail('"limits" must be a list');
  return top.limits.map((limit, i) => limitOf(limit, `limits[${i}]`, fail));
}

type Fail = (what: string) => never;

function limitOf(value: unknown, at: string, fail: Fail): Limit {
  const limit = fields(value, at, ['metric', 'function', 'allocation', 'policy', 'max', 'maxIncrease'], fail);
  const known = [...Object.keys(metrics), ...Object.keys(ofFunction), ...Object.keys(ofAllocation)];
  const { metric } = limit;
  if (typeof metric !== 'string' || !known.includes(metric)) {
    return fail(`${at}.metric must be one of ${known.join(', ')}`);
  }
  const scope = (field: 'function' | 'allocation' | 'policy', wanted: boolean, needed: boolean) => {
    const text = limit[field];
    if (text === undefined && !needed) return {};
    if (!wanted) return fail(`${at}.${field}: ${metric} does not take it`);
    if (typeof text !== 'string' || text === '') return fail(`${at}.${field} must be a name; * stands for anything`);
    return { [field]: text };
  };
  if (limit.max === undefined && limit.maxIncrease === undefined) return fail(`${at} needs "max" or "maxIncrease"`);
  const unit = unitOf(metric);
  return {
    metric,
    ...scope('function', metric in ofFunction, metric in ofFunction),
    ...scope('allocation', metric in ofAllocation, metric in ofAllocation),
    ...scope('policy', metric === 'slowdown', false),
    ...(limit.max === undefined ? {} : { max: amount(limit.max, unit, `${at}.max`, fail) }),
    ...(limit.maxIncrease === undefined ? {} : { maxIncrease: increase(limit.maxIncrease, unit, at, fail) }),
  };
}

function unitOf(metric: string): Unit {
  const table: Readonly<Record<string, { readonly unit: Unit }>> = { ...metrics, ...ofFunction, ...ofAllocation };
  return table[metric]!.unit;
}

function fields(value: unknown, at: string, known: readonly string[], fail: Fail): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(`${at} must be an object {...}`);
  const unknown = Object.keys(value).find(key => !known.includes(key));
  if (unknown !== undefined) {
    return fail(`${at} has the unknown field ${JSON.stringify(unknown.slice(0, 40))}; known: ${known.join(', ')}`);
  }
  return value as Record<string, unknown>;
}

const SIZE = /^(\d{1,16}(?:\.\d{1,6})?)\s?([kmgt]?)(?:i?b)$/i;
const BYTES: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** A number in the metric's unit, or a size such as `64MiB` where that is bytes. */
function amount(value: unknown, unit: Unit, at: string, fail: Fail): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  const size = unit === 'bytes' && typeof value === 'string' ? SIZE.exec(value.trim()) : null;
  if (size) return Number(size[1]) * BYTES[size[2]!.toLowerCase()]!;
  return fail(`${at} must be a number of ${unit}, 0 or more${unit === 'bytes' ? ', or a size such as "64MiB"' : ''}`);
}

function increase(value: unknown, unit: Unit, at: string, fail: Fail): NonNullable<Limit['maxIncrease']> {
  const percent = typeof value === 'string' ? /^(\d{1,6}(?:\.\d{1,6})?)\s?%$/.exec(value.trim()) : null;
  if (percent) return { percent: Number(percent[1]) };
  return {
    by: amount(value, unit, `${at}.maxIncrease`, what => fail(`${what}, or a share of the run before such as "5%"`)),
  };
}

/** Judges every limit on every function or allocation that it names. */
export function judge(limits: readonly Limit[], before: Profile, now: Profile): Verdict {
  const matching = matchProfiles(before, now);
  const findings: Finding[] = [];
  const idle: string[] = [];
  for (const limit of limits) {
    const figures = [...figuresOf(limit, before, now, matching)];
    if (figures.length === 0) idle.push(`${limit.metric} of ${scopeOf(limit)}: this run has no such thing`);
    for (const figure of figures) findings.push(...judged(limit, figure));
  }
  return { findings, idle };
}

function scopeOf({ function: name, allocation, policy }: Limit): string {
  return `"${name ?? allocation ?? policy ?? 'the recommended policy'}"`;
}

interface Figure {
  readonly label: string;
  readonly name: string;
  readonly unit: Unit;
  readonly before: number | null;
  readonly now: number;
}

function* figuresOf(
  limit: Limit,
  before: Profile,
  now: Profile,
  matching: ReturnType<typeof matchProfiles>,
): Generator<Figure> {
  const { metric } = limit;
  if (Object.hasOwn(metrics, metric)) {
    const { label, unit, of }: Metric = metrics[metric as keyof typeof metrics];
    const value = of(now, limit.policy);
    if (value !== null) yield { label, name: limit.policy ?? '', unit, before: of(before, limit.policy), now: value };
    return;
  }
  if (metric in ofFunction) {
    yield* rowsOf(
      ofFunction[metric]!,
      before.functions,
      now.functions,
      now.functions.name,
      matching.functions,
      limit.function!,
    );
    return;
  }
  yield* rowsOf(
    ofAllocation[metric]!,
    before.objects,
    now.objects,
    now.objects.name,
    matching.objects,
    limit.allocation!,
  );
}

function* rowsOf<Table>(
  { label, unit, of }: Measure<Table>,
  before: Table,
  now: Table,
  names: readonly string[],
  matched: Uint32Array,
  glob: string,
): Generator<Figure> {
  const named = globPattern(glob);
  for (const [row, name] of names.entries()) {
    if (!named.test(name)) continue;
    const rowBefore = matched[row]!;
    yield { label, name, unit, before: rowBefore === NONE ? 0 : of(before, rowBefore), now: of(now, row) };
  }
}

/** `*` stands for anything, `?` for one character; the whole name must match. */
function globPattern(glob: string): RegExp {
  const escaped = glob.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
}

function* judged({ metric, max, maxIncrease }: Limit, figure: Figure): Generator<Finding> {
  const say: (value: number) => string = units[figure.unit];
  const finding = (limit: number, rule: string): Finding => ({
    metric,
    ...figure,
    limit,
    rule,
    broken: figure.now > limit,
  });
  if (max !== undefined) yield finding(max, `at most ${say(max)}`);
  if (maxIncrease === undefined || figure.before === null) return;
  const { before } = figure;
  if ('percent' in maxIncrease) {
    yield finding(
      (before * (100 + maxIncrease.percent)) / 100,
      `at most ${maxIncrease.percent} % above ${say(before)}`,
    );
  } else yield finding(before + maxIncrease.by, `at most ${say(maxIncrease.by)} above ${say(before)}`);
}
