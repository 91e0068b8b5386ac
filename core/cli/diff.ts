/** `pagelens diff`: what changed between two runs, and whether that is within a budget. */
import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { UsageError } from '../errors.js';
import type { Profile } from '../model/profile.js';
import { replayOptions } from '../options.js';
import { judge, parseBudget } from '../profile/budget.js';
import { diffProfiles } from '../profile/diff.js';
import { brokenLines, describeDiff } from '../profile/diffText.js';
import { documentText } from '../profile/text.js';
import { openProfile } from '../session.js';
import { ioError } from '../trace/error.js';
import { type OptionName, parseFiles, replayOptionNames, type Values } from './arguments.js';
import { absolute, print } from './output.js';

/** Exit status when a limit of the budget is broken. */
const BROKEN = 1;

/** How a trace is replayed, and where the result goes. A comparison is no profile: it is neither saved nor checked. */
const optionNames: readonly OptionName[] = [
  ...replayOptionNames.filter(name => !['save', 'page-rows', 'format', 'check'].includes(name)),
  'budget',
];

export async function diff(args: string[]): Promise<number> {
  const { values, files } = parseFiles(args, optionNames, ['OLD', 'NEW']);
  const limits = values.budget === undefined ? null : parseBudget(await budgetText(values.budget), values.budget);
  const options = replayOptions(values);
  const [before, now] = [await open(files[0]!, options), await open(files[1]!, options)];
  const verdict = limits && judge(limits, before, now);
  // Sources on disk play no part: the same two files compare alike everywhere.
  const compared = diffProfiles(before, now);
  await deliver(values, () => documentText(describeDiff(compared, verdict, process.cwd())), {
    ...compared,
    ...(verdict ? { budget: verdict } : {}),
  });
  const broken = verdict ? brokenLines(verdict) : [];
  // Where no text is printed, the reason for the status still is.
  if (values.quiet || values.json === '-') for (const line of broken) process.stderr.write(`pagelens: ${line}\n`);
  return broken.length > 0 ? BROKEN : 0;
}

async function open(file: string, options: ReturnType<typeof replayOptions>): Promise<Profile> {
  if (file === '-') throw new UsageError('diff compares two files; - is not one');
  return openProfile(absolute(file), options);
}

async function budgetText(file: string): Promise<string> {
  return readFile(absolute(file), 'utf8').catch(error => {
    throw ioError('read', file, error);
  });
}

async function deliver(values: Values, text: () => string, json: unknown): Promise<void> {
  const jsonText = `${JSON.stringify(json, null, 2)}\n`;
  if (values.json === '-') return print(jsonText);
  if (values.json) {
    await writeFile(absolute(values.json), jsonText).catch(error => {
      throw ioError('write', values.json!, error);
    });
  }
  if (!values.quiet) await print(text());
}
