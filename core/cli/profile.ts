/** `pagelens profile` and `pagelens record`. */
import process from 'node:process';
import { UsageError } from '../errors.js';
import type { BurstOptions, WindowOptions } from '../model/window.js';
import { replayOptions } from '../options.js';
import { parseCapacity } from '../placement/tiers.js';
import { recorders } from '../record/recorders.js';
import { fileOfRank } from '../record/starters.js';
import type { RecorderChoice } from '../record/target.js';
import { profileProgram, recordProgram } from '../session.js';
import { parseProgram, recordOptionNames, replayOptionNames, type Values } from './arguments.js';
import { absolute, deliver, formatOf, progressLine, statusOf } from './output.js';

export async function profile(args: string[]): Promise<number> {
  const { values: given, program, rest } = parseProgram(args, [...recordOptionNames, ...replayOptionNames, 'trace']);
  const values = ofRank(given);
  recorderOf(values);
  formatOf(values.format);
  const options = replayOptions(values);
  const line = progressLine(values);
  const result = await profileProgram(
    { ...programOf(values, program, rest), options, traceFile: values.trace && absolute(values.trace) },
    { onProgress: line.show, signal: interruption() },
  ).finally(line.clear);
  await deliver(result, values);
  if (result.program.cut) process.stderr.write(`pagelens: ${result.warnings[0]}\n`);
  return statusOf(result.program.exit, RECORDED);
}

export async function record(args: string[]): Promise<number> {
  const { values: given, program, rest } = parseProgram(args, [...recordOptionNames, 'output']);
  const values = ofRank(given);
  recorderOf(values);
  if (!values.output) throw new UsageError('record needs -o RUN.pltrace');
  const line = progressLine(values);
  const result = await recordProgram(
    { ...programOf(values, program, rest), traceFile: absolute(values.output) },
    { onProgress: line.show, signal: interruption() },
  ).finally(line.clear);
  if (!values.quiet) {
    for (const warning of result.warnings) process.stderr.write(`pagelens: warning: ${warning}\n`);
    process.stderr.write(`pagelens: ${result.accesses.toLocaleString('en')} accesses recorded in ${values.output}\n`);
  }
  return statusOf(result.exit, RECORDED);
}

function programOf(values: Values, program: string, args: string[]) {
  return {
    program,
    arguments: args,
    workingDirectory: process.cwd(),
    cflags: values.cflags,
    recorder: recorderOf(values),
    countUnseen: values['count-unseen'],
    traceLimit: traceLimitOf(values),
    timeLimit: secondsOf(values, 'time-limit'),
    window: windowOf(values),
    sample: sampleOf(values),
    programOutput: values['program-output'] && absolute(values['program-output']),
  };
}

/** Bytes. */
function traceLimitOf({ 'trace-limit': text }: Values): number | undefined {
  if (text === undefined) return undefined;
  const size = parseCapacity(text);
  if (size && 'bytes' in size && size.bytes > 0) return size.bytes;
  throw new UsageError(`--trace-limit ${text}: must be a size such as 2GiB`);
}

function secondsOf(values: Values, name: 'time-limit' | 'start-after' | 'stop-after'): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (text.trim() !== '' && seconds > 0 && Number.isFinite(seconds)) return seconds;
  throw new UsageError(`--${name} ${text}: must be a number of seconds above 0`);
}

/** `ON/OFF` in accesses, with k, M or G for thousands, millions, thousands of millions. */
function sampleOf(values: Values): BurstOptions | undefined {
  const { sample: text } = values;
  if (text === undefined) return undefined;
  const [on, off, rest] = text.split('/').map(accessesOf);
  if (!on || !off || rest !== undefined || off < on)
    throw new UsageError(`--sample ${text}: must be ON/OFF, accesses in and between bursts, such as 1M/99M`);
  if (Object.keys(windowOf(values)).length > 0)
    throw new UsageError('--sample stands for the whole run: leave out --start-at, --stop-after and the like');
  return { on, off };
}

function accessesOf(text: string): number {
  const [, digits, unit] = /^(\d{1,12})([kMG]?)$/.exec(text) ?? [];
  return digits === undefined ? 0 : Number(digits) * { '': 1, k: 1e3, M: 1e6, G: 1e9 }[unit as '' | 'k' | 'M' | 'G'];
}

function windowOf(values: Values): WindowOptions {
  const { 'start-at': startAt, 'stop-at': stopAt, paused } = values;
  const startAfter = secondsOf(values, 'start-after');
  const stopAfter = secondsOf(values, 'stop-after');
  for (const [name, text] of Object.entries({ 'start-at': startAt, 'stop-at': stopAt }))
    if (text !== undefined && !/^\S(.*\S)?$/.test(text)) throw new UsageError(`--${name}: must be a function's name`);
  if (startAfter !== undefined && stopAfter !== undefined && stopAfter <= startAfter)
    throw new UsageError(`--stop-after ${stopAfter}: must be later than --start-after ${startAfter}`);
  return {
    ...(startAt !== undefined && { startAt }),
    ...(stopAt !== undefined && { stopAt }),
    ...(startAfter !== undefined && { startAfter }),
    ...(stopAfter !== undefined && { stopAfter }),
    ...(paused && { paused }),
  };
}

/** Each rank of a parallel program that records itself writes files of its own. */
function ofRank(values: Values): Values {
  const named = (['output', 'save', 'trace', 'json', 'program-output'] as const).flatMap(name => {
    const file = values[name];
    return file && file !== '-' ? [[name, fileOfRank(file, process.env)] as const] : [];
  });
  return { ...values, ...Object.fromEntries(named) };
}

function recorderOf({ recorder = 'auto' }: Values): RecorderChoice {
  if (recorder === 'auto' || Object.hasOwn(recorders, recorder)) return recorder as RecorderChoice;
  throw new UsageError(`--recorder ${recorder}: unknown; known: auto, ${Object.keys(recorders).join(', ')}`);
}

/** Ctrl-C ends the recorded program; what was recorded until then is still reported. A second one ends at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => controller.abort(new UsageError(`interrupted by ${name}`)));
  }
  return controller.signal;
}

/** What is said of a program that did not end well. */
const RECORDED = '; what it did until then was recorded';
