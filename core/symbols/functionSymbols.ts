/** Names of functions from the ELF symbol table, or WebAssembly's name section, for code without debug information. */
import { demangle } from './demangle.js';
import { ElfFile, STT_FUNC, STT_GNU_IFUNC } from './elf.js';
import { WasmFile } from './wasm/file.js';

/**
 * A look-up from virtual address to the function that holds it, '' where none does. Demangled. Of several names of one
 * address the shortest is taken, then the first in the alphabet, so that the answer does not hang on the table's order.
 */
export async function functionSymbols(file: string): Promise<(address: number) => string> {
  try {
    const functions = await functionsOf(file);
    functions.sort(
      (a, b) =>
        a.address - b.address || a.name.length - b.name.length || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
    );
    const names = await demangle(functions.map(symbol => symbol.name.replace(/@.*$/, '')));
    return address => {
      let low = 0;
      let high = functions.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (functions[middle]!.address <= address) low = middle + 1;
        else high = middle;
      }
      // The last symbol at or below; its namesakes at the same address come before it.
      let found = low - 1;
      while (found > 0 && functions[found - 1]!.address === functions[found]!.address) found--;
      const symbol = functions[found];
      return symbol && address < symbol.address + symbol.size ? names[found]! : '';
    };
  } catch {
    return () => '';
  }
}

async function functionsOf(file: string): Promise<{ name: string; address: number; size: number }[]> {
  const elf = await ElfFile.open(file);
  if (!elf) return (await WasmFile.open(file))?.functions ?? [];
  try {
    return (await elf.symbols()).filter(
      symbol => (symbol.type === STT_FUNC || symbol.type === STT_GNU_IFUNC) && symbol.name !== '' && symbol.size > 0,
    );
  } finally {
    await elf.close();
  }
}
