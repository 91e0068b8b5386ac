/** An executable or library as it lies in memory: what imported traces need to know of the files that they speak of. */
import type { ModuleBlock } from '../trace/blocks.js';
import { ElfFile } from './elf.js';
import { buildIdOf, globalsOf } from './globals.js';

export interface LoadedImage {
  readonly path: string;
  readonly buildId: string;
  /** Bytes from the load base to its end. */
  readonly size: number;
  readonly segments: ModuleBlock['segments'];
  readonly globals: ModuleBlock['globals'];
  /** Position-independent: it may lie anywhere. */
  readonly relocatable: boolean;
}

/** Section flags (System V ABI, "Special sections"). */
const SHF_WRITE = 1;
const SHF_ALLOC = 2;
const SHF_TLS = 0x400;

/** Null when the file is no 64-bit ELF file, or cannot be read. */
export async function loadedImage(path: string): Promise<LoadedImage | null> {
  const elf = await ElfFile.open(path).catch(() => null);
  if (!elf) return null;
  const { sections, relocatable } = elf;
  await elf.close();
  const loaded = sections.filter(({ flags, size }) => flags & SHF_ALLOC && !(flags & SHF_TLS) && size > 0);
  if (loaded.length === 0) return null;
  return {
    path,
    buildId: await buildIdOf(path),
    size: Math.max(...loaded.map(({ address, size }) => address + size)),
    segments: loaded.map(({ address, size, flags }) => ({
      offset: address,
      size,
      writable: (flags & SHF_WRITE) !== 0,
    })),
    globals: await globalsOf(path),
    relocatable,
  };
}
