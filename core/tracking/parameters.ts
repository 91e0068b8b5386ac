/**
 * Parameters of trackers: what a mechanism can be told, each with unit, default and source. The command line writes them
 * as `--tracker-option pml.periodSeconds=1,prl.tau=50`.
 */
import { UsageError } from '../errors.js';

export interface Parameter {
  /** What it sets. */
  readonly summary: string;
  readonly unit: string;
  readonly default: number;
  /** The least and the greatest value, both allowed. */
  readonly minimum: number;
  readonly maximum: number;
  /** Only whole numbers. */
  readonly whole?: boolean;
  /** Where the default comes from (sections of the mechanisms reference). */
  readonly source: string;
}

export type Parameters = Readonly<Record<string, Parameter>>;

export type ValuesOf<P extends Parameters> = { readonly [Name in keyof P]: number };

/** Values by `tracker.parameter`; what is not named has its default. */
export type TrackerParameters = Readonly<Record<string, number>>;

/** The values for one tracker. */
export function valuesOf<P extends Parameters>(id: string, parameters: P, given: TrackerParameters): ValuesOf<P> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => [name, given[`${id}.${name}`] ?? parameter.default]),
  ) as ValuesOf<P>;
}

/**
 * Reads `tracker.parameter=value,...`. In the table's order, so that the same choice gives the same report however it
 * was typed.
 * @throws UsageError for a tracker or parameter that does not exist, and for a value that is out of range
 */
export function parseParameters(
  option: string,
  text: string,
  table: Readonly<Record<string, { readonly parameters: Parameters }>>,
): TrackerParameters {
  const known = new Map<string, Parameter>(
    Object.entries(table).flatMap(([id, { parameters }]) =>
      Object.entries(parameters).map(([name, parameter]) => [`${id}.${name}`, parameter] as const),
    ),
  );
  const given = new Map<string, number>();
  for (const setting of text.split(',').filter(part => part.trim() !== '')) {
    const [name, value] = setting.split('=').map(part => part.trim());
    const parameter = known.get(name);
    if (!parameter) throw new UsageError(`--${option} ${name}: unknown; known: ${[...known.keys()].join(', ')}`);
    given.set(name, checked(option, name, value ?? '', parameter));
  }
  return Object.fromEntries([...known.keys()].flatMap(name => (given.has(name) ? [[name, given.get(name)!]] : [])));
}

/** The inverse of `parseParameters`. */
export function parameterText(given: TrackerParameters): string {
  return Object.entries(given)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

function checked(option: string, name: string, text: string, parameter: Parameter): number {
  const { minimum, maximum, whole, unit } = parameter;
  const value = Number(text);
  if (text === '' || !(value >= minimum && value <= maximum) || (whole && !Number.isInteger(value))) {
    const kind = whole ? 'a whole number' : 'a number';
    throw new UsageError(`--${option} ${name}=${text}: must be ${kind} from ${minimum} to ${maximum} (${unit})`);
  }
  return value;
}

/** The period of a mechanism that acts by the clock. */
export function periodParameter(seconds: number, source: string): Parameter {
  return {
    summary: 'time between two readings',
    unit: 's of modelled time, stretched by --time-scale',
    default: seconds,
    minimum: 1e-6,
    maximum: 86_400,
    source,
  };
}
