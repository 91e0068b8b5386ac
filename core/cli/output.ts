/** What the subcommands that end in a profile share: checking it, saving it, printing it; and the progress line. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { checkConservation } from '../attribution/conservation.js';
import { UsageError } from '../errors.js';
import type { Profile } from '../model/profile.js';
import { save } from '../profile/file.js';
import { binaryFormats, type ReportFormat, renderReport, reportFormats } from '../profile/formats.js';
import type { ProfileProgress } from '../protocol.js';
import { ioError } from '../trace/error.js';
import type { Values } from './arguments.js';

/**
 * Writes what the options ask for. `--json -` and a text report would both claim standard output: the JSON wins.
 * @throws UsageError when `--check` finds totals that do not add up
 */
export async function deliver(profile: Profile, values: Values): Promise<void> {
  if (values.save) await save(profile, values.save);
  if (values.json) {
    const text = renderReport(profile, 'json', { pageRows: values['page-rows'] ?? false });
    if (values.json === '-') await print(text);
    else
      await writeFile(values.json, text).catch(error => {
        throw ioError('write', values.json!, error);
      });
  }
  const format = formatOf(values.format);
  if (values.json !== '-' && (!values.quiet || values.format)) {
    if (binaryFormats.includes(format) && process.stdout.isTTY)
      throw new UsageError(`--format ${format} is no text: send it to a file (> FILE)`);
    await print(renderReport(profile, format, { pageRows: values['page-rows'] ?? false }));
  }
  if (values.check) {
    const wrong = checkConservation(profile);
    if (wrong.length > 0) throw new UsageError(`--check: totals are not conserved: ${wrong.join('; ')}`);
    if (!values.quiet) process.stderr.write('pagelens: totals are conserved over lines, objects, pages and epochs\n');
  }
}

export function formatOf(text = 'text'): ReportFormat {
  if (Object.hasOwn(reportFormats, text)) return text as ReportFormat;
  throw new UsageError(`--format ${text}: unknown; known: ${Object.keys(reportFormats).join(', ')}`);
}

/** Waits until a pipe has taken it all: process.exitCode does not cut what is still buffered, but a reader may be slow. */
export function print(text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => process.stdout.write(text, error => (error ? reject(error) : resolve())));
}

/** A line on the terminal that is rewritten; silent when standard error is no terminal, or with --quiet. */
export function progressLine(values: Values): { show(progress: ProfileProgress): void; clear(): void } {
  const visible = process.stderr.isTTY && !values.quiet;
  let last = 0;
  return {
    show(progress) {
      if (!visible || performance.now() - last < 100) return;
      last = performance.now();
      process.stderr.write(`\r\x1b[K${progress.message}`);
    },
    clear() {
      if (visible) process.stderr.write('\r\x1b[K');
    },
  };
}

/** Absolute, from where the user stands. */
export function absolute(file: string): string {
  return path.resolve(process.cwd(), file);
}

/**
 * Says how the program ended when that was not well, and gives the exit status.
 * @param rest what else is to be said of it
 */
export function statusOf(exit: { readonly status: number } | { readonly signal: string } | null, rest: string): number {
  if (exit === null || ('status' in exit && exit.status === 0)) return 0;
  const how = 'signal' in exit ? `was ended by ${exit.signal}` : `ended with status ${exit.status}`;
  process.stderr.write(`pagelens: the program ${how}${rest}\n`);
  return 4;
}
