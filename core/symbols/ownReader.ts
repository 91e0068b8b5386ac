/** Symbols by our own DWARF reader, for machines without a tool, and to complete addr2line. */
import type { SymbolFrame } from '../trace/blocks.js';
import { demangle } from './demangle.js';
import { DebugInfo } from './dwarf/debugInfo.js';

/** A `SymbolBackend`; null when the file has no debug information that the reader knows. */
export async function ownReader(
  file: string,
  addresses: readonly number[],
  signal?: AbortSignal,
): Promise<SymbolFrame[][] | null> {
  const info = await DebugInfo.read(file);
  if (!info) return null;
  const chains = addresses.map(address => info.chain(address));
  const mangled = [...new Set(chains.flatMap(chain => chain.map(frame => frame.function)))];
  const names = await demangle(mangled, signal);
  const nameOf = new Map(mangled.map((name, i) => [name, names[i]!]));
  return chains.map(chain => chain.map(frame => ({ ...frame, function: nameOf.get(frame.function)! })));
}
