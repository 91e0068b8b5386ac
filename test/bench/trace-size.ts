/** Size of a trace: the accesses it holds and the bytes of its streams, before and after compression. */
import { stat } from 'node:fs/promises';
import { TraceFile } from '../../core/trace/reader.js';

export interface TraceSize {
  /** Bytes of all streams' records before compression. */
  readonly streamBytes: number;
  /** Bytes of the file: compressed streams, sites, symbols, headers. */
  readonly fileBytes: number;
}

export async function traceSize(file: string): Promise<TraceSize> {
  const trace = await TraceFile.open(file);
  try {
    const streamBytes = trace.threads.reduce((sum, { stream }) => sum + trace.streamBytes(stream), 0);
    return { streamBytes, fileBytes: (await stat(file)).size };
  } finally {
    await trace.close();
  }
}
