/** The formats that `pagelens replay` reads besides its own: one file and one line each. Recognised in this order. */
import { csv } from './csv.js';
import { damon } from './damon.js';
import { drmemtrace } from './drmemtrace.js';
import type { ImportFormat } from './format.js';
import { gem5 } from './gem5.js';
import { lackey } from './lackey.js';
import { libcachesim } from './libcachesim.js';
import { perf } from './perf.js';
import { pinatrace } from './pinatrace.js';

export const importFormats = {
  lackey,
  pinatrace,
  drmemtrace,
  damon,
  perf,
  gem5,
  csv,
  libcachesim,
} as const satisfies Record<string, ImportFormat>;

export type ImportFormatId = keyof typeof importFormats;

/** The format whose files have such a name; null: none. */
export function recogniseName(name: string): ImportFormatId | null {
  const formats: Readonly<Record<string, ImportFormat>> = importFormats;
  const ids = Object.keys(importFormats) as ImportFormatId[];
  return ids.find(id => formats[id]!.named?.(name)) ?? null;
}

/** The format that a file's start is of; null: none. */
export function recognise(start: Uint8Array, whole: boolean): ImportFormatId | null {
  const ids = Object.keys(importFormats) as ImportFormatId[];
  return ids.find(id => importFormats[id].recognise(start, whole)) ?? null;
}
