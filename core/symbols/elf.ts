/**
 * A small reader of ELF files: sections, symbols, build id. 64-bit little-endian only, which is every Linux machine
 * that Pagelens records on.
 *
 * Written for hostile files: nothing is allocated before its size was compared with the file's, and whatever points
 * outside the file is treated as absent. Layouts: System V ABI, generic ELF (gABI) chapters 4 and 5.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';

const inflateAsync = promisify(inflate);

const SHT_SYMTAB = 2;
const SHT_NOTE = 7;
const SHT_NOBITS = 8;
const SHT_DYNSYM = 11;
const SHF_COMPRESSED = 0x800;
const ELFCOMPRESS_ZLIB = 1;
const ET_DYN = 3;
const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;

/** Largest section that is read, in bytes: the debug information of a very large program. */
const SECTION_LIMIT = 1 << 30;
const SYMBOL_LIMIT = 4_000_000;

export interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

/** Types of symbols (`ElfSymbol.type`). */
export const STT_OBJECT = 1;
export const STT_FUNC = 2;
export const STT_COMMON = 5;
export const STT_GNU_IFUNC = 10;
/** Bindings. */
export const STB_LOCAL = 0;
export const STB_GLOBAL = 1;

export interface ElfSymbol {
  readonly name: string;
  /** Virtual address in the file: the offset from the load base. */
  readonly address: number;
  readonly size: number;
  readonly type: number;
  readonly binding: number;
}

export class ElfFile {
  private constructor(
    private readonly handle: FileHandle,
    private readonly fileSize: number,
    readonly sections: readonly ElfSection[],
    private readonly noteSegments: readonly { offset: number; size: number }[],
    /** A shared object or position-independent executable: its addresses are offsets from where it is loaded. */
    readonly relocatable: boolean,
  ) {}

  /** Opens a file; null when it is not there, not readable or not such an ELF file. The caller closes it. */
  static async open(path: string): Promise<ElfFile | null> {
    let handle: FileHandle;
    try {
      handle = await open(path, 'r');
    } catch {
      return null;
    }
    try {
      const stat = await handle.stat();
      const elf = stat.isFile() ? await ElfFile.readHeaders(handle, stat.size) : null;
      if (!elf) await handle.close();
      return elf;
    } catch {
      await handle.close();
      return null;
    }
  }

  private static async readHeaders(handle: FileHandle, fileSize: number): Promise<ElfFile | null> {
    const header = await readAt(handle, 0, 64, fileSize);
    const isElf64Little = header?.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1;
    if (!header || !isElf64Little) return null;

    const segments: { offset: number; size: number }[] = [];
    const segmentSize = header.readUInt16LE(54);
    const segmentCount = header.readUInt16LE(56);
    const segmentTable = await readAt(handle, toNumber(header, 32), segmentSize * segmentCount, fileSize);
    if (segmentTable && segmentSize >= 56) {
      for (let at = 0; at + 56 <= segmentTable.length; at += segmentSize) {
        if (segmentTable.readUInt32LE(at) !== PT_NOTE) continue;
        segments.push({ offset: toNumber(segmentTable, at + 8), size: toNumber(segmentTable, at + 32) });
      }
    }

    const sections: ElfSection[] = [];
    const sectionSize = header.readUInt16LE(58);
    const sectionCount = header.readUInt16LE(60);
    const sectionTable = await readAt(handle, toNumber(header, 40), sectionSize * sectionCount, fileSize);
    if (sectionTable && sectionSize >= 64) {
      const raw: (ElfSection & { nameOffset: number })[] = [];
      for (let at = 0; at + 64 <= sectionTable.length; at += sectionSize) {
        raw.push({
          name: '',
          nameOffset: sectionTable.readUInt32LE(at),
          type: sectionTable.readUInt32LE(at + 4),
          flags: toNumber(sectionTable, at + 8),
          address: toNumber(sectionTable, at + 16),
          offset: toNumber(sectionTable, at + 24),
          size: toNumber(sectionTable, at + 32),
          link: sectionTable.readUInt32LE(at + 40),
        });
      }
      const nameSection = raw[header.readUInt16LE(62)];
      const names = nameSection ? await readAt(handle, nameSection.offset, nameSection.size, fileSize) : null;
      for (const { nameOffset, ...section } of raw) {
        sections.push({ ...section, name: names ? cString(names, nameOffset) : '' });
      }
    }
    return new ElfFile(handle, fileSize, sections, segments, header.readUInt16LE(16) === ET_DYN);
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  /** Content of a section, inflated when it is stored compressed; null when absent, empty or unreadable. */
  async content(name: string): Promise<Buffer | null> {
    const section = this.sections.find(candidate => candidate.name === name);
    return section ? this.sectionContent(section) : null;
  }

  /** Size of a section as stored, in bytes; 0 when there is none. */
  sizeOf(name: string): number {
    return this.sections.find(section => section.name === name)?.size ?? 0;
  }

  private async sectionContent(section: ElfSection): Promise<Buffer | null> {
    if (section.type === SHT_NOBITS) return null;
    const stored = await readAt(this.handle, section.offset, section.size, this.fileSize);
    if (!stored || (section.flags & SHF_COMPRESSED) === 0) return stored;
    if (stored.length < 24 || stored.readUInt32LE(0) !== ELFCOMPRESS_ZLIB) return null;
    const size = toNumber(stored, 8);
    if (size > SECTION_LIMIT) return null;
    try {
      const inflated = await inflateAsync(stored.subarray(24), { maxOutputLength: size });
      return inflated.length === size ? inflated : null;
    } catch {
      return null;
    }
  }

  /** Symbols of `.symtab`, and those of `.dynsym` that a stripped file is left with. Undefined ones are left out. */
  async symbols(): Promise<ElfSymbol[]> {
    const symbols: ElfSymbol[] = [];
    for (const type of [SHT_SYMTAB, SHT_DYNSYM]) {
      const section = this.sections.find(candidate => candidate.type === type);
      const names = section ? this.sections[section.link] : undefined;
      if (!section || !names) continue;
      const table = await this.sectionContent(section);
      const strings = await this.sectionContent(names);
      if (!table || !strings) continue;
      for (let at = 0; at + 24 <= table.length && symbols.length < SYMBOL_LIMIT; at += 24) {
        if (table.readUInt16LE(at + 6) === 0) continue;
        const info = table[at + 4]!;
        symbols.push({
          name: cString(strings, table.readUInt32LE(at)),
          address: toNumber(table, at + 8),
          size: toNumber(table, at + 16),
          type: info & 15,
          binding: info >> 4,
        });
      }
      // .dynsym repeats what .symtab has.
      if (symbols.length > 0) break;
    }
    return symbols;
  }

  /** The GNU build id as lower-case hex; '' when there is none. */
  async buildId(): Promise<string> {
    const notes = [...this.noteSegments, ...this.sections.filter(section => section.type === SHT_NOTE)];
    for (const { offset, size } of notes) {
      const note = await readAt(this.handle, offset, size, this.fileSize);
      const id = note ? buildIdInNotes(note) : '';
      if (id) return id;
    }
    return '';
  }
}

/** Notes: name size, content size, type, then name and content, each padded to 4 bytes (gABI, "Note Section"). */
function buildIdInNotes(note: Buffer): string {
  let at = 0;
  while (at + 12 <= note.length) {
    const nameSize = note.readUInt32LE(at);
    const contentSize = note.readUInt32LE(at + 4);
    const type = note.readUInt32LE(at + 8);
    const nameAt = at + 12;
    const contentAt = nameAt + Math.ceil(nameSize / 4) * 4;
    if (contentAt + contentSize > note.length) return '';
    if (type === NT_GNU_BUILD_ID && note.toString('latin1', nameAt, nameAt + 4) === 'GNU\0')
      return note.toString('hex', contentAt, contentAt + contentSize);
    at = contentAt + Math.ceil(contentSize / 4) * 4;
  }
  return '';
}

async function readAt(handle: FileHandle, offset: number, size: number, fileSize: number): Promise<Buffer | null> {
  if (size === 0 || size > SECTION_LIMIT || offset + size > fileSize) return null;
  const buffer = Buffer.allocUnsafe(size);
  let done = 0;
  while (done < size) {
    const { bytesRead } = await handle.read(buffer, done, size - done, offset + done);
    if (bytesRead === 0) return null;
    done += bytesRead;
  }
  return buffer;
}

/** An unsigned 64-bit field as a number; beyond 2^53 only the magnitude is kept, which every bounds check refuses. */
function toNumber(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at) + buffer.readUInt32LE(at + 4) * 0x1_0000_0000;
}

/** A zero-terminated string; '' when it starts outside the table. */
export function cString(buffer: Buffer, at: number): string {
  if (at >= buffer.length) return '';
  const end = buffer.indexOf(0, at);
  return buffer.toString('utf8', at, end < 0 ? buffer.length : end);
}
