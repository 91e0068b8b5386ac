/** Parses the command line of a subcommand: its options, up to the program or file; what follows belongs to that. */
import { parseArgs } from 'node:util';
import { UsageError, messageOf } from '../errors.js';
import type { OptionTexts } from '../options.js';

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

/** Every option of the command line. A subcommand says which it takes. */
const all = {
  machine: text,
  mode: text,
  'page-size': text,
  tracker: text,
  policy: text,
  tiers: text,
  capacity: text,
  epoch: text,
  'time-scale': text,
  'hot-share': text,
  'cold-share': text,
  'pml-entries': text,
  'kernel-integration': flag,
  recorder: text,
  cflags: text,
  'program-output': text,
  save: text,
  trace: text,
  json: text,
  'page-rows': flag,
  format: text,
  output: { ...text, short: 'o' },
  check: flag,
  quiet: flag,
  verbose: flag,
} as const;

export type OptionName = keyof typeof all;

export interface Values extends OptionTexts {
  readonly recorder?: string;
  readonly cflags?: string;
  readonly 'program-output'?: string;
  readonly save?: string;
  readonly trace?: string;
  readonly json?: string;
  readonly 'page-rows'?: boolean;
  readonly format?: string;
  readonly output?: string;
  readonly check?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

export const replayOptionNames = [
  'machine', 'mode', 'page-size', 'tracker', 'policy', 'tiers', 'capacity', 'epoch', 'time-scale', 'hot-share',
  'cold-share', 'pml-entries', 'kernel-integration', 'save', 'json', 'page-rows', 'format', 'check', 'quiet', 'verbose',
] as const satisfies readonly OptionName[]; // biome-ignore format: a list
export const recordOptionNames = ['recorder', 'cflags', 'program-output', 'quiet', 'verbose'] as const satisfies readonly OptionName[];

/**
 * Splits at the first argument that is no option: `operand` (a program, a trace) and `rest` (the program's own
 * arguments).
 * @throws UsageError for an unknown option or a missing operand
 */
export function parse(
  args: readonly string[],
  names: readonly OptionName[],
  operandName: string,
): { values: Values; operand: string; rest: string[] } {
  const options = Object.fromEntries(names.map(name => [name, all[name]]));
  const { tokens } = parseArgs({ args: [...args], options: all, strict: false, allowPositionals: true, tokens: true });
  const first = tokens.find(token => token.kind === 'positional');
  const end = first?.index ?? args.length;
  try {
    const { values } = parseArgs({ args: args.slice(0, end), options, strict: true, allowPositionals: false });
    if (!first) throw new UsageError(`${operandName} is missing`);
    return { values: values as Values, operand: first.value, rest: args.slice(end + 1) };
  } catch (error) {
    // Node's message goes on with advice about positional arguments, which does not fit here.
    throw error instanceof UsageError ? error : new UsageError(messageOf(error).split('. ')[0]);
  }
}
