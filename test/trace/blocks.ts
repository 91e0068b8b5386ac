/** Blocks for tests: small ones of every type, and what it takes to write and read them back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import type { Block, HeaderBlock, SitesBlock } from '../../core/trace/blocks.js';
import { TraceWriter } from '../../core/trace/writer.js';

export const NONE = 0xffffffff;

/** A folder that is removed after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'pagelens-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const header: HeaderBlock = {
  type: 'header',
  version: 1,
  tool: '0.1.0',
  program: '/home/ada/größe',
  arguments: ['--depth', '3'],
  workingDirectory: '/home/ada',
  recorder: 'instrument',
  level: 'source',
  compiler: 'gcc 12.2.0',
  flags: '-O2 -g',
};

export const sites: SitesBlock = {
  type: 'sites',
  process: 0,
  first: 0,
  pc: BigUint64Array.of(0x5555_5555_5010n, 0xffff_ffff_ffff_fff0n, 0x10n),
  kind: Uint16Array.of(3 << 3, 1 | (6 << 3) | 64, 6),
  module: Uint32Array.of(0, 0, NONE),
  offset: Float64Array.of(0x1010, 2 ** 40, 0),
};

/** One block of each type; two stream blocks. */
export const everyBlock: readonly Block[] = [
  header,
  { type: 'process', process: 0, pid: 4711, parent: null, path: '/home/ada/größe', insideLibc: true, rank: 3 },
  {
    type: 'module',
    process: 0,
    module: 0,
    path: '/home/ada/größe',
    buildId: '00ff10',
    base: '18446744073709486080',
    segments: [{ offset: 0, size: 8192, writable: true }],
    globals: [{ name: 'table', offset: 4096, size: 1024, file: '/home/ada/a.c', line: 7 }],
  },
  { type: 'thread', process: 0, stream: 0, tid: 4711, signal: false },
  sites,
  { type: 'fileName', process: 0, index: 0, path: '/etc/passwd' },
  { type: 'stream', stream: 0, data: Uint8Array.from({ length: 1000 }, (_, i) => i % 7) },
  { type: 'process', process: 1, pid: 4712, parent: { process: 0, seq: 99 } },
  { type: 'thread', process: 1, stream: 1, tid: 4712, signal: true },
  { type: 'markName', process: 0, index: 0, name: 'sölve' },
  { type: 'stream', stream: 1, data: Uint8Array.of(1, 2, 3) },
  { type: 'stream', stream: 0, data: Uint8Array.of(9) },
  {
    type: 'symbols',
    module: [0, 0],
    offset: [0x1010, 2 ** 40],
    frames: [
      [
        { function: 'inner', file: '/home/ada/a.c', line: 3, column: 5, startLine: 1 },
        { function: 'outer', file: '/home/ada/a.c', line: 30, column: 0, startLine: 20 },
      ],
      [],
    ],
    sources: [
      { path: '/home/ada/a.c', sha256: 'a'.repeat(64) },
      {
        path: '/home/ada/b.f90',
        sha256: 'b'.repeat(64),
        allocates: [{ firstLine: 3, lastLine: 4, names: 'grid,row' }],
      },
    ],
  },
  {
    type: 'end',
    exit: { signal: 'SIGSEGV' },
    complete: true,
    warnings: ['a table was not seen'],
    accesses: [1001, 3],
  },
];

export async function writeTrace(file: string, blocks: readonly Block[]): Promise<string> {
  const writer = await TraceWriter.create(file);
  for (const block of blocks) await writer.write(block);
  await writer.close();
  return file;
}
