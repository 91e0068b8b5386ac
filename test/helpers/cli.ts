/** Runs the built `pagelens` command as a user would. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { Report } from '../../core/profile/report.js';

export const root = path.resolve(__dirname, '../..');
export const cli = path.join(root, 'dist/cli.cjs');

export interface Outcome {
  /** Exit status; null when a signal ended the command. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: Uint8Array;
}

export function pagelens(args: readonly string[], { cwd, env, input }: RunOptions = {}): Promise<Outcome> {
  return new Promise(resolve => {
    const child = execFile(
      process.execPath,
      [cli, ...args],
      { cwd, env: { ...process.env, ...env }, maxBuffer: 256 << 20 },
      (error, stdout, stderr) => {
        const status = error ? ((error as { code?: number | string }).code ?? null) : 0;
        resolve({ status: typeof status === 'number' ? status : null, stdout, stderr });
      },
    );
    child.stdin!.on('error', () => {});
    child.stdin!.end(input);
  });
}

/** Options of a test that is about counts: what is modelled beside them takes most of a small program's time. */
export const countsAlone = ['--tracker', 'exact', '--mode', 'native', '--policy', 'first-touch'] as const;

/** A report as JSON, from a command that ends with this status. */
export async function report(args: readonly string[], expected = 0, options: RunOptions = {}): Promise<Report> {
  const { status, stdout, stderr } = await pagelens(args, options);
  if (status !== expected) throw new Error(`pagelens ${args.join(' ')} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

export function scratch(): string {
  return mkdtempSync(path.join(tmpdir(), 'pagelens-test-'));
}

export const read = (file: string): string => readFileSync(file, 'utf8');
