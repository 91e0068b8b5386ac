/** A command without a terminal, for questions whose answer is wanted and whose output only when it fails. */
import { spawn } from 'node:child_process';
import type { BuildStep } from './buildTerminal.js';
import { firstError } from './compilerMessages.js';

/** A configuration that tries many compilers' features takes minutes, not more. */
const timeLimitMs = 300_000;

/** Rejects with the first error of the output when the command fails, cannot be started, or is aborted. */
export function runQuietly({ command, folder, environment }: BuildStep, signal: AbortSignal): Promise<void> {
  const [program, ...args] = typeof command === 'string' ? [command] : command;
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, {
      cwd: folder,
      env: environment,
      shell: typeof command === 'string',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeLimitMs,
      signal,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    child.once('error', reject);
    child.once('close', status => {
      if (status === 0) resolve();
      else reject(new Error(firstError(output, folder) ?? `${program} ended with status ${status}`));
    });
  });
}
