/** `pagelens replay` and `pagelens report`. */
import process from 'node:process';
import { UsageError } from '../errors.js';
import { replayOptions } from '../options.js';
import { load } from '../profile/file.js';
import { replayTrace } from '../session.js';
import { importOptionNames, parseFile, replayOptionNames } from './arguments.js';
import { absolute, deliver, formatOf, progressLine } from './output.js';

export async function replay(args: string[]): Promise<number> {
  const { values, file } = parseFile(args, [...replayOptionNames, ...importOptionNames], 'TRACE');
  formatOf(values.format);
  const options = replayOptions(values);
  const line = progressLine(values);
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort(new UsageError('interrupted by SIGINT')));
  const { from, module, columns, trace } = values;
  const profile = await replayTrace(
    file === '-' ? '-' : absolute(file),
    options,
    { onProgress: line.show, signal: controller.signal },
    { from, module, columns, traceFile: trace && absolute(trace) },
  ).finally(line.clear);
  await deliver(profile, values);
  return 0;
}

export async function report(args: string[]): Promise<number> {
  const { values, file } = parseFile(
    args,
    ['format', 'json', 'page-rows', 'check', 'quiet', 'verbose'],
    'PROFILE.pagelens',
  );
  formatOf(values.format);
  await deliver(await load(absolute(file)), values);
  return 0;
}
