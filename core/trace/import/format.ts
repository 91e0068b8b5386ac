/**
 * What an imported format is: how it is told by content, and how it is read. One file a format beside this one, one
 * line in formats.ts.
 *
 * A reader turns what it finds into calls of an `ImportSink`, which makes a `.pltrace` of them. So an import is replayed
 * by the very pipeline that recordings go through (order of threads, damage, workers), and can be kept and moved. The
 * price is one encoding and decoding of each access, some tens of nanoseconds, less than parsing takes for text.
 */
import type { ImportInput } from './input.js';
import type { ImportedModule, ImportedProgram, ImportSink } from './sink.js';

export interface ImportFormat {
  readonly label: string;
  /** What writes it, and what is known of each access. */
  readonly summary: string;
  /**
   * Whether a file is of this format. `start`: its first bytes, decompressed, at most START_BYTES; `whole`: nothing
   * comes behind them. Must not be true for files of other formats.
   */
  recognise(start: Uint8Array, whole: boolean): boolean;
  /** Whether files of that name are of this format, where nothing can be told of their content. */
  named?(name: string): boolean;
  /** What the file's start says of the program. */
  program?(start: Uint8Array): ImportedProgram;
  /** @throws TraceError for what cannot be used; what came before a cut is kept by the sink. */
  read(input: ImportInput, sink: ImportSink, options: ImportOptions): Promise<void>;
}

/** How the user says what a file does not. */
export interface ImportOptions {
  /** Columns of a table: `address=2,size=len`. */
  readonly columns?: string;
  /** What an executable or library of this machine holds; null when it is none. */
  readonly image?: (path: string) => Promise<(Omit<ImportedModule, 'base'> & { readonly relocatable: boolean }) | null>;
}

/** As much as is looked at to tell a format. */
export const START_BYTES = 65536;
