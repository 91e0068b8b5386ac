/** Global variables of an executable or shared object: what bytes of its image belong to which name. */
import { isFortranFile } from '../model/languages.js';
import type { GlobalSymbol } from '../trace/blocks.js';
import { demangle } from './demangle.js';
import { DebugInfo } from './dwarf/debugInfo.js';
import { ElfFile, type ElfSymbol, STB_GLOBAL, STB_LOCAL, STT_COMMON, STT_OBJECT } from './elf.js';
import { fortranVariable } from './fortran.js';
import { rustName } from './rust.js';

/**
 * Data objects with a size, file-local and function-local statics included, ascending by offset. Thread-local
 * variables are left out: they have no address in the image. Declarations come from DWARF where there is any. An
 * unreadable or strange file has no globals.
 * @throws only the signal's reason.
 */
export async function globalsOf(file: string, signal?: AbortSignal): Promise<GlobalSymbol[]> {
  signal?.throwIfAborted();
  const elf = await ElfFile.open(file);
  if (!elf) return [];
  let symbols: ElfSymbol[];
  try {
    symbols = (await elf.symbols()).filter(
      symbol => (symbol.type === STT_OBJECT || symbol.type === STT_COMMON) && symbol.size > 0 && symbol.name !== '',
    );
  } catch {
    return [];
  } finally {
    await elf.close();
  }
  symbols.sort(
    (a, b) =>
      a.address - b.address ||
      b.size - a.size ||
      rank(a) - rank(b) ||
      a.name.length - b.name.length ||
      (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  // Aliases: one address and size is one object, under its most public and shortest name.
  const distinct = symbols.filter((symbol, i) => {
    const before = symbols[i - 1];
    return !before || before.address !== symbol.address || before.size !== symbol.size;
  });
  const names = await demangle(
    distinct.map(symbol => symbol.name.replace(/@.*$/, '')),
    signal,
  );
  const info = distinct.length > 0 ? await DebugInfo.read(file) : null;
  return distinct.map((symbol, i) => {
    const declared = info?.variableAt(symbol.address);
    // gcc numbers the statics of functions (`counter.0`); C has no mangling to tell them apart.
    const name = rustName(names[i]!).replace(/(?<=[^.])\.\d+$/, '');
    return {
      name: declared && isFortranFile(declared.file) ? fortranVariable(name) : name,
      offset: symbol.address,
      size: symbol.size,
      file: declared?.file ?? '',
      line: declared?.line ?? 0,
    };
  });
}

function rank(symbol: ElfSymbol): number {
  return symbol.binding === STB_GLOBAL ? 0 : symbol.binding === STB_LOCAL ? 2 : 1;
}

/** The GNU build id of a file as lower-case hex; '' when it has none or is no ELF file. */
export async function buildIdOf(file: string): Promise<string> {
  const elf = await ElfFile.open(file);
  if (!elf) return '';
  try {
    return await elf.buildId();
  } catch {
    return '';
  } finally {
    await elf.close();
  }
}
