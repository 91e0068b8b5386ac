/** A trace from a pipe (`pagelens replay -`): replay jumps between streams, so that the bytes are put in a file first. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ioError, TraceError } from './error.js';

export interface SpooledTrace {
  readonly file: string;
  remove(): Promise<void>;
}

/** @throws TraceError when standard input is a terminal, or the temporary folder is full or cannot be written */
export async function spoolTrace(input: Readable = process.stdin): Promise<SpooledTrace> {
  if ((input as { isTTY?: boolean }).isTTY)
    throw new TraceError('standard input is a terminal: pipe a trace into it, or name a file');
  const folder = await mkdtemp(path.join(tmpdir(), 'pagelens-')).catch(error => {
    throw ioError('write', tmpdir(), error);
  });
  const file = path.join(folder, 'standard-input.pltrace');
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await pipeline(input, createWriteStream(file));
    return { file, remove };
  } catch (error) {
    await remove();
    throw ioError('write', file, error);
  }
}
