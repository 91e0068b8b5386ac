/**
 * The fallback where our own Valgrind tool cannot be built, for want of a compiler or of valgrind's development files:
 * valgrind's lackey prints each access as a line of text, which is read through a pipe while the program runs. Hundreds of
 * times slower, and without allocations, system calls, call stacks and threads.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { Encoder } from '../machine/encoder.js';
import * as l10n from '../model/l10n.js';
import { loadedImage } from '../symbols/image.js';
import { symbolsOf } from '../symbols/traceSymbols.js';
import type { Block } from '../trace/blocks.js';
import { importFormats } from '../trace/import/formats.js';
import { ImportSink } from '../trace/import/sink.js';
import type { ExitReason, Launched } from './launch.js';

/** The file descriptor that lackey writes to: the first behind the standard streams. */
const PIPE = 3;

/** What stands before the program and its arguments. */
export const LACKEY_ARGUMENTS = [
  ...['--tool=lackey', '--trace-mem=yes', `--log-fd=${PIPE}`, '--vgdb=no'],
  ...['--run-libc-freeres=no', '--run-cxx-freeres=no'],
] as const;

export interface LackeyResult {
  readonly exit: ExitReason;
  readonly complete: boolean;
  readonly accesses: number;
  readonly warnings: readonly string[];
}

interface BlockWriter {
  write(block: Block): Promise<void>;
}

/**
 * Reads until the program ends; writes all blocks of the trace but its header.
 * @param why why our own tool is not there, a clause of a warning
 * @throws TraceError when there was no access
 */
export async function recordByLackey(
  program: Launched,
  pipe: Readable,
  writer: BlockWriter,
  why: string,
  onProgress: (accesses: number) => void,
): Promise<LackeyResult> {
  const ownHeader = { write: async (block: Block) => (block.type === 'header' ? undefined : writer.write(block)) };
  const sink = new ImportSink(ownHeader, new Encoder(), { tool: '', format: 'lackey', file: 'what lackey printed' });
  const modules = new Modules(program.pid, sink);
  const input = {
    name: 'what lackey printed',
    cut: false,
    beside: async () => null,
    async *chunks() {
      for await (const chunk of pipe) {
        // What the text speaks of was mapped when it was written.
        await modules.look();
        yield chunk as Uint8Array;
        onProgress(sink.accesses);
      }
    },
  };
  await importFormats.lackey.read(input, sink, { image: loadedImage });
  await sink.streamsEnd();
  const placed = sink.modules.map(({ path, buildId = '', globals = [] }, module) => ({
    module,
    path,
    buildId,
    globals,
  }));
  await writer.write(await symbolsOf(placed, sink.sites));
  const exit = await program.exited;
  const warnings = [
    l10n.kept(
      'recorded by valgrind’s lackey, slowly and without allocations, system calls, call stacks and threads, because {0}',
      why,
    ),
    ...sink.warnings,
  ];
  const end = { ...sink.end, exit, warnings };
  await writer.write(end);
  return { exit, complete: end.complete, accesses: sink.accesses, warnings };
}

/** The files with code that a process has mapped, told to the sink as they appear. */
class Modules {
  private readonly known = new Set<string>();

  constructor(
    private readonly pid: number,
    private readonly sink: ImportSink,
  ) {}

  async look(): Promise<void> {
    const maps = await readFile(`/proc/${this.pid}/maps`, 'utf8').catch(() => '');
    // `00108000-00109000 r--p 00000000 fe:00 1234   /bin/true`: each file from where it begins.
    for (const [, start, file] of maps.matchAll(/^([0-9a-f]+)-\S+ \S+ 0+ \S+ \d+ +(\/.*)$/gm)) {
      const key = `${start} ${file}`;
      // Valgrind's own code is none of the program's.
      if (this.known.has(key) || /^lackey-\w+-linux$/.test(path.basename(file!))) continue;
      this.known.add(key);
      const image = await loadedImage(file!);
      if (image) this.sink.module({ ...image, base: image.relocatable ? BigInt(`0x${start}`) : 0n });
    }
  }
}
