/** Recordings that arrive through a pipe and are encoded here, by the sink that imports write through. */
import { Encoder } from '../machine/encoder.js';
import { symbolsOf } from '../symbols/traceSymbols.js';
import type { Block, EndBlock } from '../trace/blocks.js';
import { ImportSink } from '../trace/import/sink.js';
import type { ExitReason } from './launch.js';

export interface BlockWriter {
  write(block: Block): Promise<void>;
}

/**
 * Reads what a program, or the tool that runs it as process `pid`, writes to its pipe, until the pipe ends, and tells the
 * sink; calls `onProgress` with the accesses so far.
 */
export type ReadPipe = (
  chunks: AsyncIterable<Uint8Array>,
  sink: ImportSink,
  pid: number,
  onProgress: (accesses: number) => void,
) => Promise<void>;

export interface PipeResult {
  readonly exit: ExitReason;
  readonly complete: boolean;
  readonly accesses: number;
  readonly warnings: readonly string[];
  readonly cut?: EndBlock['cut'];
}

/** A sink that writes all but the header, which is the recorder's; `name` is what messages call the source. */
export function recordingSink(writer: BlockWriter, name: string): ImportSink {
  const ownHeader = { write: async (block: Block) => (block.type === 'header' ? undefined : writer.write(block)) };
  return new ImportSink(ownHeader, new Encoder(), { tool: '', format: '', file: name });
}

/**
 * Ends the streams, names the sites, and writes the end of the trace.
 * @param warnings before those of the sink
 * @throws TraceError when there was no access
 */
export async function finishRecording(
  sink: ImportSink,
  writer: BlockWriter,
  exit: ExitReason,
  warnings: readonly string[],
  cut?: EndBlock['cut'],
): Promise<PipeResult> {
  await sink.streamsEnd();
  const modules = sink.modules.map(({ path, buildId = '', globals = [] }, module) => ({
    module,
    path,
    buildId,
    globals,
  }));
  await writer.write(await symbolsOf(modules, sink.sites));
  const all = [...warnings, ...sink.warnings];
  const { complete, ...end } = sink.end;
  await writer.write({ ...end, exit, complete: complete && !cut, warnings: all, ...(cut && { cut }) });
  return { exit, complete: complete && !cut, accesses: sink.accesses, warnings: all, ...(cut && { cut }) };
}
