/**
 * From another tool's trace to a `.pltrace`: recognises the format, reads it, and resolves what code it names.
 *
 * Symbols and globals come from the executables that the user names (`--module`) or the file does, as they are on this
 * machine now: an imported file cannot be checked against a build id where it has none.
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { version } from '../assets.js';
import { UsageError } from '../errors.js';
import { Encoder } from '../machine/encoder.js';
import type { ProfileProgress } from '../protocol.js';
import { loadedImage } from '../symbols/image.js';
import { symbolsOf } from '../symbols/traceSymbols.js';
import type { SymbolsBlock } from '../trace/blocks.js';
import { TraceError } from '../trace/error.js';
import { START_BYTES } from '../trace/import/format.js';
import { type ImportFormatId, importFormats, recognise, recogniseName } from '../trace/import/formats.js';
import { contentStart, FileInput, FolderInput, type ImportInput } from '../trace/import/input.js';
import { type ImportedModule, ImportSink } from '../trace/import/sink.js';
import { seemsToBe } from '../trace/sniff.js';
import { TraceWriter } from '../trace/writer.js';

export interface ImportTask {
  readonly kind: 'import';
  /** The file to read, and how messages call it. */
  readonly file: string;
  readonly name: string;
  /** The trace to write. */
  readonly traceFile: string;
  readonly options: ImportTexts;
}

/** What the command line says of a file to import. */
export interface ImportTexts {
  /** Id of a format: no other is tried. */
  readonly from?: string;
  /** `PATH[@BASE][,...]`: executables and libraries whose code and data the trace speaks of. */
  readonly module?: string;
  readonly columns?: string;
}

export interface ImportHooks {
  readonly onProgress?: (progress: ProfileProgress) => void;
  readonly signal?: AbortSignal;
}

/** @throws TraceError, UsageError */
export async function importTrace({ file, name, traceFile, options }: ImportTask, hooks: ImportHooks): Promise<void> {
  const folder = (await stat(file).catch(() => null))?.isDirectory() === true;
  const input: ImportInput = folder ? await FolderInput.open(file, name) : new FileInput(file, name);
  const { start, whole } = await tellingStart(input);
  const from = options.from ?? (options.columns === undefined ? undefined : 'csv');
  const id = from === undefined ? (recognise(start, whole) ?? ofNames(input)) : formatId(from);
  if (!id) throw unknown(name, start);
  const format = importFormats[id];
  const writer = await TraceWriter.create(traceFile);
  try {
    const sink = new ImportSink(writer, new Encoder(), { tool: version(), format: id, file: name });
    const program = format.program?.(start) ?? {};
    sink.program(program);
    for (const module of await modulesOf(options.module, program.program ?? '')) sink.module(module);
    await format.read(withProgress(input, sink, hooks), sink, { columns: options.columns, image: loadedImage });
    await sink.streamsEnd();
    await writer.write(await symbols(sink));
    await writer.write(sink.end);
  } finally {
    await writer.close();
  }
}

/** The start of a file; of a folder's, the first that is of a known format. */
async function tellingStart(input: ImportInput): Promise<{ readonly start: Uint8Array; readonly whole: boolean }> {
  for (const part of input.parts ?? []) {
    const found = await contentStart(part, START_BYTES);
    if (recognise(found.start, found.whole)) return found;
  }
  return contentStart(input, START_BYTES);
}

/** The format that the names of the files tell: of a folder's the first. */
function ofNames(input: ImportInput): ImportFormatId | null {
  for (const { name } of input.parts ?? [input]) {
    const id = recogniseName(name);
    if (id) return id;
  }
  return null;
}

function formatId(id: string): ImportFormatId {
  if (Object.hasOwn(importFormats, id)) return id as ImportFormatId;
  throw new UsageError(`--from ${id}: unknown; known: ${Object.keys(importFormats).join(', ')}`);
}

function unknown(name: string, start: Uint8Array): TraceError {
  const known = ['.pltrace', ...Object.keys(importFormats)].join(', ');
  return new TraceError(
    `${name} is no trace: it seems to be ${seemsToBe(start)}; known are ${known} (pagelens list formats; --columns for tables)`,
  );
}

/** Tells of progress, and ends the reading when it is cancelled. */
function withProgress<T extends ImportInput>(input: T, sink: ImportSink, hooks: ImportHooks): T {
  const { onProgress, signal } = hooks;
  const chunks = input.chunks.bind(input);
  const startedAt = performance.now();
  for (const part of input.parts ?? []) withProgress(part, sink, hooks);
  input.chunks = async function* () {
    for await (const chunk of chunks()) {
      if (signal?.aborted) {
        sink.incomplete('the import was cancelled: what was read until then is shown');
        return;
      }
      yield chunk;
      const { accesses } = sink;
      onProgress?.({
        stage: 'replay',
        accesses,
        accessesPerSecond: (accesses * 1000) / Math.max(1, performance.now() - startedAt),
        pages: 0,
        fraction: null,
        message: `reading: ${accesses.toLocaleString('en')} accesses`,
      });
    }
  };
  return input;
}

/** Modules that the user names; without any, the program itself where its addresses are those of its file. */
async function modulesOf(texts: string | undefined, program: string): Promise<ImportedModule[]> {
  if (texts === undefined) {
    const image = program === '' ? null : await loadedImage(path.resolve(program));
    return image && !image.relocatable ? [{ ...image, base: 0n }] : [];
  }
  return Promise.all(
    texts.split(',').map(async text => {
      const [, file, base = '0'] = /^(.*?)(?:@((?:0x)?[0-9a-fA-F]{1,16}))?$/.exec(text.trim())!;
      const image = await loadedImage(path.resolve(file!));
      if (!image) throw new UsageError(`--module ${file}: is no ELF executable or library`);
      return { ...image, base: BigInt(base.startsWith('0x') ? base : `0x${base}`) };
    }),
  );
}

/** Names of sites: from the modules' files, and where these say nothing, from the trace. */
async function symbols(sink: ImportSink): Promise<SymbolsBlock> {
  const modules = sink.modules.map(({ path, buildId = '', globals = [], unplaced }, module) => ({
    module,
    // A file that is not looked into: its code is where nothing is known of.
    path: unplaced ? '' : path,
    buildId,
    globals,
  }));
  const block = await symbolsOf(modules, sink.sites);
  const named = sink.namesBySite();
  if (named.size === 0) return block;
  const frames = block.frames.map((chain, i) => {
    const frame = named.get(`${block.module[i]}:${block.offset[i]}`);
    return chain.length === 0 && frame ? [frame] : chain;
  });
  return { ...block, frames };
}
