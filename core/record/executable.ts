/**
 * What an executable says about how it was built: whether it calls the recorder's hooks, by which compilers and with
 * which flags. Read from the ELF file itself (gabi 4+, sections 4 and 5), since what it was built with is not
 * necessarily what is installed now.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Family, Hooked } from './flags.js';

export interface BuildInfo {
  /** `elf`: a 64-bit little-endian executable; `script`: starts with `#!`; `other`: nothing that runs here. */
  readonly kind: 'elf' | 'elf32' | 'script' | 'other';
  /** e_machine of the ELF header; 0 for what has none. */
  readonly machine: number;
  /** It calls the access hooks: it was built by `pagelens cc` or by `profile`. */
  readonly hooks: boolean;
  /** Folder of the runtime that it was linked with, in the cache; null when it names none. */
  readonly runtimeFolder: string | null;
  /** Such as `gcc (Debian 12.2.0-14) 12.2.0`, one per compiler that took part; of crt files alone when there are no flags. */
  readonly compilers: readonly string[];
  readonly families: readonly Hooked[];
  /** The distinct sets of flags, -I, -D and file names left out. Empty for an executable without the section. */
  readonly flags: readonly string[];
}

/** Of a file that says nothing of its build. */
export const NOTHING: Omit<BuildInfo, 'kind'> = {
  machine: 0,
  hooks: false,
  runtimeFolder: null,
  compilers: [],
  families: [],
  flags: [],
};

/** Sections longer than this are not what they should be; they are passed over. */
const SECTION_LIMIT = 16 << 20;

/** Never throws for a strange file; an unreadable one throws the system's error. */
export function readBuildInfo(file: string): BuildInfo {
  const fd = openSync(file, 'r');
  try {
    return read(fd);
  } finally {
    closeSync(fd);
  }
}

function read(fd: number): BuildInfo {
  const size = fstatSync(fd).size;
  const head = bytes(fd, 0, Math.min(size, 64));
  if (head.length >= 2 && head.toString('latin1', 0, 2) === '#!') return { kind: 'script', ...NOTHING };
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46) return { kind: 'other', ...NOTHING };
  if (head[4] !== 2 || head[5] !== 1) return { kind: 'elf32', ...NOTHING };

  const machine = head.readUInt16LE(18);
  // 1. The section headers, and the table of their names.
  const offset = Number(head.readBigUInt64LE(40));
  const entrySize = head.readUInt16LE(58);
  const count = head.readUInt16LE(60);
  const names = head.readUInt16LE(62);
  if (entrySize < 64 || offset + count * entrySize > size) return { kind: 'elf', ...NOTHING, machine };
  const headers = bytes(fd, offset, count * entrySize);
  const section = (i: number): Buffer => {
    if (i < 0 || i >= count) return Buffer.alloc(0);
    const start = Number(headers.readBigUInt64LE(i * entrySize + 24));
    const length = Number(headers.readBigUInt64LE(i * entrySize + 32));
    return length > SECTION_LIMIT || start + length > size ? Buffer.alloc(0) : bytes(fd, start, length);
  };
  const nameTable = section(names);
  const named = (name: string): Buffer => {
    for (let i = 0; i < count; i++)
      if (stringAt(nameTable, headers.readUInt32LE(i * entrySize)) === name) return section(i);
    return Buffer.alloc(0);
  };

  // 2. Hooks are dynamic symbols: the runtime that defines them is a shared object or serves shared objects.
  const dynamic = strings(named('.dynstr'));
  const hooks = dynamic.some(text => text.startsWith('__tsan_'));
  const rust = dynamic.some(text => text.startsWith('__sanitizer_cov_'));
  const runtimeFolder =
    dynamic.flatMap(text => text.split(':')).find(text => /\/runtime-[0-9a-f]{20}$/.test(text)) ?? null;

  // 3. Who compiled it: -frecord-gcc-switches leaves the flags, every compiler its name in .comment.
  const lines = strings(named('.GCC.command.line'));
  const recorded = recordedFlags(lines);
  const recordedFamilies = [...new Set(recorded.map(({ family }) => family))].sort();
  const writers = strings(named('.comment')).filter(text => !text.startsWith('Linker: '));
  const comments = [...new Set(writers.map(compilerName))];
  const families = [...recordedFamilies, ...(rust ? rustFamilies(comments) : [])];
  if (families.includes('old-rustc')) comments.push('rustc of an unknown version');
  // The C start-up files are gcc's in a program that clang compiled.
  const compilers = comments.filter(comment => families.length === 0 || families.includes(familyOf(comment)));
  const flags = [...new Set(recorded.map(({ flags }) => flags))];
  return { kind: 'elf', machine, hooks, runtimeFolder, compilers, families, flags };
}

/** rustc leaves no flags. */
function rustFamilies(comments: readonly string[]): Hooked[] {
  return comments.some(comment => familyOf(comment) === 'rustc') ? ['rustc'] : ['rustc', 'old-rustc'];
}

function familyOf(compiler: string): Hooked {
  return /^rustc/.test(compiler) ? 'rustc' : /clang/i.test(compiler) ? 'clang' : 'gcc';
}

/** `GCC: (Debian 12.2.0-14) 12.2.0` -> as `gcc --version` prints it. */
function compilerName(comment: string): string {
  return comment.replace(/^GCC: /, 'gcc ');
}

/**
 * gcc 11 and later write one string per translation unit, `GNU C17 12.2.0 -mtune=generic -O2 ...`; clang its command
 * line; older gcc one string per flag.
 */
function recordedFlags(lines: readonly string[]): { family: Family; flags: string }[] {
  if (lines.length > 0 && lines.every(line => !/^GNU |clang/.test(line)))
    return [{ family: 'gcc', flags: tellingFlags(lines) }];
  // Link-time optimisation leaves a line of its own (GIMPLE) beside those of the units that it is made of.
  const units = lines.filter(line => !line.startsWith('GNU GIMPLE '));
  return units.map(line => {
    const family = /^GNU /.test(line) ? 'gcc' : 'clang';
    return { family, flags: tellingFlags(line.split(' ')) };
  });
}

/** The flags that bear on code generation, without paths; our own long list of -fno-builtin-... is shortened to one word. */
function tellingFlags(words: readonly string[]): string {
  const kept: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '-mllvm') kept.push(`-mllvm ${words[++i] ?? ''}`);
    else if (/^-frecord-|^-fno-builtin-(?!mem(cpy|set)$)|^-fintrinsic-modules-path|\//.test(word)) continue;
    else if (/^-([Ogfm]|std=)/.test(word)) kept.push(word);
  }
  // What the user chose first; ours is the same everywhere.
  const rank = (word: string) => (/^-(O|std=)/.test(word) ? 0 : /^-(march|mavx|msse|mcpu|g)/.test(word) ? 1 : 2);
  return [...new Set(kept)].sort((a, b) => rank(a) - rank(b)).join(' ');
}

function bytes(fd: number, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(fd, buffer, 0, length, offset));
}

function stringAt(table: Buffer, offset: number): string {
  if (offset >= table.length) return '';
  const end = table.indexOf(0, offset);
  return table.toString('latin1', offset, end < 0 ? table.length : end);
}

function strings(section: Buffer): string[] {
  return section
    .toString('utf8')
    .split('\0')
    .filter(text => text.length > 0);
}
