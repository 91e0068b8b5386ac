/**
 * Finds and runs the programs of other people that read debug information: llvm-symbolizer, addr2line, c++filt.
 *
 * They are started once for a whole batch, fed on standard input, and never allowed on the network: both families ask
 * a debuginfod server when the environment names one, and Pagelens goes nowhere (design, section 3.9).
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import path from 'node:path';

/** Longest answer that is read, in bytes: ten million frames. A tool that says more is stopped and not believed. */
const OUTPUT_LIMIT = 1 << 30;

/** A tool that is silent for longer than this, in ms, is taken to hang on a damaged file. */
const SILENCE_LIMIT = 120_000;

function pathFolders(): string[] {
  return (process.env.PATH ?? '').split(path.delimiter).filter(folder => path.isAbsolute(folder));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Absolute path of an executable on PATH, or null. */
export function findTool(name: string): string | null {
  for (const folder of pathFolders()) {
    const file = path.join(folder, name);
    if (isExecutable(file)) return file;
  }
  return null;
}

/** As `findTool`, but `name-NN` will do as well (distributions version LLVM's tools); the highest NN is taken. */
export function findVersionedTool(name: string): string | null {
  const plain = findTool(name);
  if (plain) return plain;
  let best: { version: number; file: string } | null = null;
  for (const folder of pathFolders()) {
    let entries: string[];
    try {
      entries = readdirSync(folder);
    } catch {
      continue;
    }
    for (const entry of entries) {
      if (!entry.startsWith(`${name}-`)) continue;
      const version = Number(entry.slice(name.length + 1));
      const file = path.join(folder, entry);
      if (Number.isInteger(version) && version > (best?.version ?? 0) && isExecutable(file)) best = { version, file };
    }
  }
  return best?.file ?? null;
}

/**
 * Runs a tool with `input` on its standard input and gives its standard output, or null when it could not be started,
 * failed, hung or said too much: a missing tool costs names, never the profile.
 * @throws the signal's reason when it is aborted.
 */
export function runTool(
  file: string,
  args: readonly string[],
  input: string,
  signal?: AbortSignal,
): Promise<string | null> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C', DEBUGINFOD_URLS: '' },
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    let believed = true;
    const stop = (): void => {
      believed = false;
      child.kill('SIGKILL');
    };
    let silence = setTimeout(stop, SILENCE_LIMIT);
    signal?.addEventListener('abort', stop, { once: true });

    const settle = (text: string | null): void => {
      clearTimeout(silence);
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted) reject(signal.reason);
      else resolve(text);
    };
    child.stdout.on('data', (chunk: Buffer) => {
      clearTimeout(silence);
      silence = setTimeout(stop, SILENCE_LIMIT);
      bytes += chunk.length;
      if (bytes > OUTPUT_LIMIT) stop();
      else chunks.push(chunk);
    });
    // A tool that refuses its file closes the pipe before it has read its input; its exit status tells.
    child.stdin.on('error', () => {});
    child.on('error', () => settle(null));
    child.on('close', status => settle(believed && status === 0 ? Buffer.concat(chunks).toString('utf8') : null));
    child.stdin.end(input);
  });
}
