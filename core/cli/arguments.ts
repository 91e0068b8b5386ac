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
  'mode-option': text,
  'tracker-option': text,
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
  'count-unseen': flag,
  'trace-limit': text,
  'time-limit': text,
  'start-at': text,
  'stop-at': text,
  'start-after': text,
  'stop-after': text,
  paused: flag,
  sample: text,
  cflags: text,
  'program-output': text,
  save: text,
  trace: text,
  from: text,
  module: text,
  columns: text,
  json: text,
  'page-rows': flag,
  format: text,
  budget: text,
  nodes: text,
  symbols: text,
  output: { ...text, short: 'o' },
  check: flag,
  quiet: flag,
  verbose: flag,
} as const;

export type OptionName = keyof typeof all;

export interface Values extends OptionTexts {
  readonly recorder?: string;
  readonly 'count-unseen'?: boolean;
  readonly 'trace-limit'?: string;
  readonly 'time-limit'?: string;
  readonly 'start-at'?: string;
  readonly 'stop-at'?: string;
  readonly 'start-after'?: string;
  readonly 'stop-after'?: string;
  readonly paused?: boolean;
  readonly sample?: string;
  readonly cflags?: string;
  readonly 'program-output'?: string;
  readonly save?: string;
  readonly trace?: string;
  readonly from?: string;
  readonly module?: string;
  readonly columns?: string;
  readonly json?: string;
  readonly 'page-rows'?: boolean;
  readonly format?: string;
  readonly budget?: string;
  readonly nodes?: string;
  readonly symbols?: string;
  readonly output?: string;
  readonly check?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

export const replayOptionNames = [
  'machine', 'mode', 'mode-option', 'page-size', 'tracker', 'tracker-option', 'policy', 'tiers', 'capacity', 'epoch', 'time-scale', 'hot-share',
  'cold-share', 'pml-entries', 'kernel-integration', 'save', 'json', 'page-rows', 'format', 'check', 'quiet', 'verbose',
] as const satisfies readonly OptionName[]; // biome-ignore format: a list
/** How a trace of another tool is read. */
export const importOptionNames = ['from', 'module', 'columns', 'trace'] as const satisfies readonly OptionName[];
export const recordOptionNames = [
  'recorder',
  'count-unseen',
  'trace-limit',
  'time-limit',
  'start-at',
  'stop-at',
  'start-after',
  'stop-after',
  'paused',
  'sample',
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
  const first = programIndex(args);
  const { values } = strictly(args.slice(0, first), names);
  if (first === args.length) throw new UsageError('PROGRAM is missing');
  return { values, program: args[first], rest: args.slice(first + 1) };
}

/** Index of the first argument that is neither an option nor an option's value; the number of arguments if none is. */
function programIndex(args: readonly string[]): number {
  let i = 0;
  while (i < args.length && args[i].startsWith('-')) i += takesNext(args[i]) ? 2 : 1;
  return Math.min(i, args.length);
}

/** Whether the argument is an option whose value is the next argument. */
function takesNext(arg: string): boolean {
  const name = arg === '-o' ? 'output' : arg.startsWith('--') ? arg.slice(2) : '';
  return Object.hasOwn(all, name) && all[name as OptionName].type === 'string';
}

/** `--cflags "-O3 -lz"` as `--cflags=-O3 -lz`: Node's parser takes a value that begins with a dash only so. */
function joinDashed(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const next = args[i + 1];
    if (takesNext(args[i]) && next?.startsWith('-') && next !== '-') {
      joined.push(`${args[i] === '-o' ? '--output' : args[i]}=${next}`);
      i++;
    } else joined.push(args[i]);
  }
  return joined;
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
  const { values, files } = parseFiles(args, names, [fileName]);
  return { values, file: files[0] };
}

/**
 * As many files as there are names.
 * @throws UsageError for an unknown option, a file that is missing or one too many
 */
export function parseFiles(
  args: readonly string[],
  names: readonly OptionName[],
  fileNames: readonly string[],
): { values: Values; files: string[] } {
  const { values, positionals } = strictly(args, names);
  const missing = fileNames[positionals.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  const many = positionals[fileNames.length];
  const taken = fileNames.length === 1 ? `one ${fileNames[0]} is taken` : `${fileNames.join(' and ')} are taken`;
  if (many !== undefined) throw new UsageError(`${taken}; ${many} is too much`);
  return { values, files: positionals };
}

/** For `merge`: any number of files. @throws UsageError for an unknown option */
export function parseMany(args: readonly string[], names: readonly OptionName[]): { values: Values; files: string[] } {
  const { values, positionals } = strictly(args, names);
  return { values, files: positionals };
}

function strictly(args: readonly string[], names: readonly OptionName[]): { values: Values; positionals: string[] } {
  const options = Object.fromEntries(names.map(name => [name, all[name]]));
  try {
    const { values, positionals } = parseArgs({ args: joinDashed(args), options, allowPositionals: true });
    return { values: values as Values, positionals };
  } catch (error) {
    // Node's message goes on with advice about positional arguments, which does not fit here.
    throw new UsageError(messageOf(error).split('. ')[0]);
  }
}
