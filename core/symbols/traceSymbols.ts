/**
 * The symbols block of a trace: every site resolved, every source hashed. Made at the end of a recording, and again at
 * replay for a trace that was cut before it, as far as the recorded binaries are still there.
 */
import type { GlobalSymbol, SymbolFrame, SymbolsBlock } from '../trace/blocks.js';
import { buildIdOf } from './globals.js';
import { readSources } from './sources.js';
import { symbolize } from './symbolize.js';

/** What is needed of a `ModuleBlock`. */
export interface SymbolModule {
  readonly module: number;
  readonly path: string;
  readonly buildId: string;
  readonly globals: readonly GlobalSymbol[];
}

/** Columns of sites; the same place may occur more than once. Module NONE is passed over. */
export interface SymbolSites {
  readonly count: number;
  readonly module: Uint32Array;
  readonly offset: Float64Array;
}

export interface SymbolsOptions {
  /**
   * Resolve only modules whose file still has the recorded build id, and do not take a file without one for the
   * recorded one: at replay the program may have been rebuilt since.
   */
  readonly sameBuildOnly?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Resolves the sites (return addresses all, as the recorder notes them) of all modules; rows ascend by module, then
 * offset.
 * @throws only the signal's reason.
 */
export async function symbolsOf(
  modules: readonly SymbolModule[],
  sites: SymbolSites,
  options: SymbolsOptions = {},
): Promise<SymbolsBlock> {
  const byNumber = new Map<number, SymbolModule>();
  for (const module of modules) if (!byNumber.has(module.module)) byNumber.set(module.module, module);
  const offsets = new Map<number, Set<number>>();
  for (let site = 0; site < sites.count; site++) {
    const module = sites.module[site]!;
    if (!byNumber.has(module)) continue;
    const known = offsets.get(module);
    if (known) known.add(sites.offset[site]!);
    else offsets.set(module, new Set([sites.offset[site]!]));
  }

  const module: number[] = [];
  const offset: number[] = [];
  const frames: SymbolFrame[][] = [];
  for (const number of [...offsets.keys()].sort((a, b) => a - b)) {
    const { path, buildId } = byNumber.get(number)!;
    if (options.sameBuildOnly && (buildId === '' || (await buildIdOf(path)) !== buildId)) continue;
    const ascending = [...offsets.get(number)!].sort((a, b) => a - b);
    const [chains] = await symbolize([{ path, offsets: ascending, returnAddress: true }], options.signal);
    for (const [i, place] of ascending.entries()) {
      module.push(number);
      offset.push(place);
      frames.push(chains![i]!);
    }
  }

  const files = new Set<string>();
  for (const chain of frames) for (const frame of chain) files.add(frame.file);
  for (const { globals } of byNumber.values()) for (const global of globals) files.add(global.file);
  files.delete('');
  return { type: 'symbols', module, offset, frames, sources: await readSources(files) };
}
