/**
 * The fallback where our own Valgrind tool cannot be built, for want of a compiler or of valgrind's development files:
 * valgrind's lackey prints each access as a line of text, which is read through a pipe while the program runs. Hundreds of
 * times slower, and without allocations, system calls, call stacks and threads.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as l10n from '../model/l10n.js';
import { loadedImage } from '../symbols/image.js';
import { importFormats } from '../trace/import/formats.js';
import type { ImportSink } from '../trace/import/sink.js';

/** The file descriptor that lackey writes to: the first behind the standard streams. */
const PIPE = 3;

/** What stands before the program and its arguments. */
export const LACKEY_ARGUMENTS = [
  ...['--tool=lackey', '--trace-mem=yes', `--log-fd=${PIPE}`, '--vgdb=no'],
  ...['--run-libc-freeres=no', '--run-cxx-freeres=no'],
] as const;

/** Reads until the program ends. A `ReadPipe`. */
export async function readLackey(
  pipe: AsyncIterable<Uint8Array>,
  sink: ImportSink,
  pid: number,
  onProgress: (accesses: number) => void,
): Promise<void> {
  const modules = new Modules(pid, sink);
  const input = {
    name: 'what lackey printed',
    cut: false,
    beside: async () => null,
    async *chunks() {
      for await (const chunk of pipe) {
        // What the text speaks of was mapped when it was written.
        await modules.look();
        yield chunk;
        onProgress(sink.accesses);
      }
    },
  };
  await importFormats.lackey.read(input, sink, { image: loadedImage });
}

/** @param why why our own tool is not there */
export function lackeyWarning(why: string): string {
  return l10n.kept(
    'recorded by valgrind’s lackey, slowly and without allocations, system calls, call stacks and threads, because {0}',
    why,
  );
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
