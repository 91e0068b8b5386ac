/** Global variables of an executable or shared object: what bytes of its image belong to which name. */
import path from 'node:path';
import { isFortranFile } from '../model/languages.js';
import type { GlobalSymbol } from '../trace/blocks.js';
import { demangle } from './demangle.js';
import { DebugInfo } from './dwarf/debugInfo.js';
import { ElfFile, type ElfSymbol, STB_GLOBAL, STB_LOCAL, STT_COMMON, STT_OBJECT } from './elf.js';
import { fortranVariable } from './fortran.js';
import { rustName } from './rust.js';
import { WasmFile } from './wasm/file.js';
import { PAGE_BYTES } from './wasm/module.js';

/**
 * Data objects with a size, file-local and function-local statics included, ascending by offset. Thread-local
 * variables are left out: they have no address in the image. Declarations come from DWARF where there is any. An
 * unreadable or strange file has no globals.
 * @throws only the signal's reason.
 */
export async function globalsOf(file: string, signal?: AbortSignal): Promise<GlobalSymbol[]> {
  signal?.throwIfAborted();
  const elf = await ElfFile.open(file);
  if (!elf) return declaredGlobals(file, signal);
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

/** Those of a WebAssembly module, which has no symbols: from its DWARF alone. */
async function declaredGlobals(file: string, signal?: AbortSignal): Promise<GlobalSymbol[]> {
  const pages = (await WasmFile.open(file))?.module.memoryPages ?? 0;
  const info = pages > 0 ? await DebugInfo.read(file) : null;
  // What the linker left out has an address that lies nowhere.
  const found = [...(info?.variables() ?? [])].filter(
    ({ name, address, size }) => name !== '' && size > 0 && address + size <= pages * PAGE_BYTES,
  );
  found.sort((a, b) => a.address - b.address || b.size - a.size || (a.name < b.name ? -1 : 1));
  const names = await demangle(
    found.map(({ name }) => name),
    signal,
  );
  return found.map(({ address, size }, i) => {
    const declared = info!.variableAt(address);
    // A relative path (built with a mapped prefix) leads nowhere.
    const known = declared && path.isAbsolute(declared.file) ? declared : { file: '', line: 0 };
    return { name: rustName(names[i]!), offset: address, size, ...known };
  });
}

function rank(symbol: ElfSymbol): number {
  return symbol.binding === STB_GLOBAL ? 0 : symbol.binding === STB_LOCAL ? 2 : 1;
}

/** The GNU build id of a file as lower-case hex, or what identifies a WebAssembly module; '' when there is none. */
export async function buildIdOf(file: string): Promise<string> {
  const elf = (await ElfFile.open(file)) ?? (await WasmFile.open(file));
  if (!elf) return '';
  try {
    return await elf.buildId();
  } catch {
    return '';
  } finally {
    await elf.close();
  }
}
