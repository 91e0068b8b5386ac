/** Parses the command line of a subcommand: its options, up to the program or file; what follows belongs to that. */
import { parseArgs } from 'node:util';
import { messageOf, UsageError } from '../errors.js';
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
export const recordOptionNames = [
  'recorder',
  'cflags',
  'program-output',
  'quiet',
  'verbose',
] as const satisfies readonly OptionName[];

/**
 * For `profile` and `record`: options end at the first argument that is none, the program; what follows is the
 * program's own.
 * @throws UsageError for an unknown option or a missing program
 */
export function parseProgram(
  args: readonly string[],
  names: readonly OptionName[],
): { values: Values; program: string; rest: string[] } {
  const { tokens } = parseArgs({ args: [...args], options: all, strict: false, allowPositionals: true, tokens: true });
  const first = tokens.find(token => token.kind === 'positional');
  const { values } = strictly(args.slice(0, first?.index ?? args.length), names);
  if (!first) throw new UsageError('PROGRAM is missing');
  return { values, program: first.value, rest: args.slice(first.index + 1) };
}

/**
 * For `replay` and `report`: one file, options before or behind it.
 * @throws UsageError for an unknown option, and unless there is exactly one file
 */
export function parseFile(
  args: readonly string[],
  names: readonly OptionName[],
  fileName: string,
): { values: Values; file: string } {
  const { values, positionals } = strictly(args, names);
  if (positionals.length === 0) throw new UsageError(`${fileName} is missing`);
  if (positionals.length > 1) throw new UsageError(`one ${fileName} is taken; ${positionals[1]} is too much`);
  return { values, file: positionals[0] };
}

function strictly(args: readonly string[], names: readonly OptionName[]): { values: Values; positionals: string[] } {
  const options = Object.fromEntries(names.map(name => [name, all[name]]));
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { values: values as Values, positionals };
  } catch (error) {
    // Node's message goes on with advice about positional arguments, which does not fit here.
    throw new UsageError(messageOf(error).split('. ')[0]);
  }
}
