/**
 * A trace from a pipe (`pagelens replay -`). Replay jumps between streams, so that the bytes are put in a temporary file
 * first; its name is removed as soon as it is open, so that nothing is left behind however the process ends.
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ioError, TraceError } from './error.js';
import { TraceFile } from './reader.js';

/** @throws TraceError as `TraceFile.open` does, or when the temporary folder is full. */
export async function readTraceFromStdin(input: Readable = process.stdin): Promise<TraceFile> {
  if ((input as { isTTY?: boolean }).isTTY)
    throw new TraceError('standard input is a terminal: pipe a trace into it, or name a file');
  const folder = await mkdtemp(path.join(tmpdir(), 'pagelens-')).catch(error => {
    throw ioError('write', tmpdir(), error);
  });
  const file = path.join(folder, 'standard input');
  try {
    await pipeline(input, createWriteStream(file)).catch(error => {
      throw ioError('write', file, error);
    });
    return await TraceFile.open(file).catch(error => {
      // Messages name what the user gave, not where it was put.
      throw error instanceof TraceError ? new TraceError(error.message.replaceAll(file, 'standard input')) : error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
