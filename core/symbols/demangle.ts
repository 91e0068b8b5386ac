/** C++ and Rust names as people write them, by c++filt (binutils) or llvm-cxxfilt, all names in one run. */
import { findTool, findVersionedTool, runTool } from './tools.js';

/** C++, Rust's older mangling (`_ZN`), and its newer. */
export function isMangled(name: string): boolean {
  return name.startsWith('_Z') || name.startsWith('_R');
}

/** Demangles what is mangled; names stay as they are when no tool is there. The answer has the order of the input. */
export async function demangle(names: readonly string[], signal?: AbortSignal): Promise<string[]> {
  const mangled = [...new Set(names.filter(name => isMangled(name) && !/\s/.test(name)))];
  const tool = mangled.length > 0 ? (findTool('c++filt') ?? findVersionedTool('llvm-cxxfilt')) : null;
  const output = tool ? await runTool(tool, [], `${mangled.join('\n')}\n`, signal) : null;
  const lines = output?.split('\n') ?? [];
  const plain = new Map(mangled.map((name, i) => [name, lines[i] || name]));
  return names.map(name => plain.get(name) ?? name);
}

/**
 * A function's name without what the optimiser added to it: clones (`f.constprop.0`, `f(int) [clone .isra.0]`,
 * `f.cold`) are the one function that the programmer wrote.
 */
export function withoutCloneSuffix(name: string): string {
  return name
    .replace(/( \[clone [^\]]*\])+$/, '')
    .replace(/(\.(constprop|isra|part|cold|lto_priv|llvm|localalias|specialized)(\.\d+)*)+$/, '');
}
