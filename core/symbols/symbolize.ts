/**
 * Site -> source: file, line, column, function and inline chain, from DWARF 4 and 5.
 *
 * A maintained tool does it, one run for all the sites of a module: llvm-symbolizer where it is installed (its JSON has
 * columns and start lines), else binutils' addr2line (it comes with gcc), whose answer our own DWARF reader completes
 * with the columns and start lines that it lacks. Without either the DWARF reader answers alone; without debug
 * information the function names come from the ELF symbols. For WebAssembly our DWARF reader answers, then the name section. What nothing is known about has an empty chain, and no
 * file, however strange, makes this throw: names are worth less than the profile.
 */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { isFortranFile } from '../model/languages.js';
import type { SymbolFrame } from '../trace/blocks.js';
import { addr2line } from './addr2line.js';
import { demangle, isMangled, withoutCloneSuffix } from './demangle.js';
import { DebugInfo } from './dwarf/debugInfo.js';
import { fortranFunction } from './fortran.js';
import { functionSymbols } from './functionSymbols.js';
import { llvmSymbolizer } from './llvmSymbolizer.js';
import { ownReader } from './ownReader.js';
import { rustName } from './rust.js';
import { CODE_BASE, isWasmFile } from './wasm/file.js';

export interface SymbolRequest {
  /** Executable or shared object, absolute. */
  readonly path: string;
  /** Virtual-address offsets from the load base. */
  readonly offsets: readonly number[];
  /**
   * The offsets are return addresses, as recorded for accesses and calls alike: the instruction meant is the one
   * before, so each is looked up one byte lower.
   */
  readonly returnAddress?: boolean;
}

/** Chains of a module's addresses, in their order; null: the tool cannot say. */
export type SymbolBackend = (
  file: string,
  addresses: readonly number[],
  signal?: AbortSignal,
) => Promise<SymbolFrame[][] | null>;

/** Which tools may answer, best first. Named so that tests can compare them. */
export const backends = {
  'llvm-symbolizer': llvmSymbolizer,
  addr2line,
  dwarf: ownReader,
} as const satisfies Record<string, SymbolBackend>;

export type BackendId = keyof typeof backends;

/**
 * Resolves every offset of every request; `result[request][offset]` is the chain, innermost frame first, empty where
 * nothing is known.
 * @throws only the signal's reason.
 */
export async function symbolize(
  requests: readonly SymbolRequest[],
  signal?: AbortSignal,
  order: readonly BackendId[] = ['llvm-symbolizer', 'addr2line', 'dwarf'],
): Promise<SymbolFrame[][][]> {
  const results: SymbolFrame[][][] = [];
  for (const request of requests) {
    signal?.throwIfAborted();
    results.push(await symbolizeModule(request, order, signal));
  }
  return results;
}

async function symbolizeModule(
  request: SymbolRequest,
  order: readonly BackendId[],
  signal?: AbortSignal,
): Promise<SymbolFrame[][]> {
  const back = request.returnAddress ? 1 : 0;
  const wanted = request.offsets.map(offset => offset - back);
  // Ascending and once each: the tools read the line table forwards.
  const addresses = [...new Set(wanted)].filter(address => Number.isSafeInteger(address) && address >= 0);
  addresses.sort((a, b) => a - b);
  if (addresses.length === 0 || !(await isFile(request.path))) return wanted.map(() => []);
  // The tools number WebAssembly's code in several ways; our reader needs no tool, on any system.
  const wasm = await isWasmFile(request.path);
  const inFile = wasm ? addresses.map(address => address - CODE_BASE) : addresses;

  let chains: SymbolFrame[][] | null = null;
  for (const id of wasm ? (['dwarf'] as const) : order) {
    chains = await backends[id](request.path, inFile, signal);
    if (chains) break;
  }
  chains ??= addresses.map(() => []);
  await demangleRest(chains, signal);
  await nameBySymbols(request.path, inFile, chains);
  await fillLineZero(request.path, inFile, chains);

  const folder = path.dirname(request.path);
  const known = new Map<string, boolean>();
  const exists = (file: string): boolean => {
    const found = known.get(file) ?? existsSync(file);
    known.set(file, found);
    return found;
  };
  const tidied = chains.map(chain => chain.map(frame => tidy(frame, folder, exists)));
  const byAddress = new Map(addresses.map((address, i) => [address, tidied[i]!]));
  return wanted.map(address => byAddress.get(address) ?? []);
}

/**
 * Absolute, normalised, and without the optimiser's additions to the name. A file that the debug information names
 * relatively (built with a mapped prefix, such as a distribution's libraries, or known by the ELF symbols alone) is one
 * beside the module or below its folder, or it leads nowhere and its lines mean nothing to a reader.
 */
function tidy(frame: SymbolFrame, folder: string, exists: (file: string) => boolean): SymbolFrame {
  const plain = rustName(withoutCloneSuffix(frame.function));
  const name = isFortranFile(frame.file) ? fortranFunction(plain) : plain;
  const file = frame.file === '' ? '' : path.resolve(folder, frame.file);
  if (file === '' || (!path.isAbsolute(frame.file) && (frame.line === 0 || !exists(file))))
    return { function: name, file: '', line: 0, column: 0, startLine: 0 };
  return { function: name, file, line: frame.line, column: frame.column, startLine: frame.startLine };
}

/** Names that the tool's own demangler gave up on: llvm-symbolizer 14 does not know all that gcc writes. */
async function demangleRest(chains: SymbolFrame[][], signal?: AbortSignal): Promise<void> {
  const mangled = chains.flatMap(chain => chain.map(frame => frame.function).filter(isMangled));
  if (mangled.length === 0) return;
  const distinct = [...new Set(mangled)];
  const names = await demangle(distinct, signal);
  const nameOf = new Map(distinct.map((name, i) => [name, names[i]!]));
  for (const chain of chains)
    for (const [i, frame] of chain.entries())
      chain[i] = { ...frame, function: nameOf.get(frame.function) ?? frame.function };
}

/** Code without debug information still has names: those of the file's symbols, without file and line. */
async function nameBySymbols(file: string, addresses: readonly number[], chains: SymbolFrame[][]): Promise<void> {
  if (chains.every(chain => chain.length > 0 && chain.every(frame => frame.function !== ''))) return;
  const nameAt = await functionSymbols(file);
  for (const [i, chain] of chains.entries()) {
    const outermost = chain.at(-1);
    if (outermost && outermost.function !== '') continue;
    const name = nameAt(addresses[i]!);
    if (name === '') continue;
    if (outermost) chain[chain.length - 1] = { ...outermost, function: name };
    else chains[i] = [{ function: name, file: '', line: 0, column: 0, startLine: 0 }];
  }
}

/**
 * Compilers give line 0 to instructions that they merged from several places. The access belongs to some line of the
 * function all the same, and is charged to the nearest one before it in the line table.
 */
async function fillLineZero(file: string, addresses: readonly number[], chains: SymbolFrame[][]): Promise<void> {
  const isZero = (chain: SymbolFrame[]): boolean => chain.length > 0 && chain[0]!.line === 0 && chain[0]!.file !== '';
  if (!chains.some(isZero)) return;
  const info = await DebugInfo.read(file);
  if (!info) return;
  for (const [i, chain] of chains.entries()) {
    if (!isZero(chain)) continue;
    const near = info.nearestLine(addresses[i]!);
    if (near) chain[0] = { ...chain[0]!, file: near.file, line: near.line, column: near.column };
  }
}

async function isFile(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
