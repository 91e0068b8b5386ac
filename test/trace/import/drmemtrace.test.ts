/** drmemtrace's post-processed traces, written here from trace_entry.h: threads in zip files and gzip, with their logs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { pagelens, report } from '../../helpers/cli.js';
import { scratchFolder } from '../../helpers/records.js';
import { pagesOf, profileOf, profileOfFile, recognised, refusal, survivesDamage } from './importing.js';

type Entry = readonly [type: number, size: number, value: bigint | number];

const [READ, WRITE, INSTR, BUNDLE, THREAD, EXIT, PID, HEADER, FOOTER, MARKER] = [0, 1, 10, 17, 22, 23, 24, 25, 26, 28];
const [TIMESTAMP, FUNC_ID, RETADDR, ARG, RETVAL, FILETYPE, VERSION, WINDOW, SYSCALL_START, SYSCALL_END] = [
  2, 4, 5, 6, 7, 9, 12, 14, 27, 28,
];

function entries(list: readonly Entry[]): Buffer {
  const bytes = Buffer.alloc(12 * list.length);
  for (const [i, [type, size, value]] of list.entries()) {
    bytes.writeUInt16LE(type, 12 * i);
    bytes.writeUInt16LE(size, 12 * i + 2);
    bytes.writeBigUInt64LE(BigInt(value), 12 * i + 4);
  }
  return bytes;
}

/** Microseconds since 1601, as the tool takes them: beyond 2^53. */
const NOW = 13_300_000_000_000_000n;

function thread(tid: number, time: bigint, list: readonly Entry[], fileType = 0x40): Buffer {
  return entries([
    [HEADER, 0, 4],
    [MARKER, VERSION, 4],
    [MARKER, FILETYPE, fileType],
    [THREAD, 4, tid],
    [PID, 4, 100],
    [MARKER, TIMESTAMP, NOW + time],
    ...list,
    [EXIT, 4, tid],
    [FOOTER, 0, 0],
  ]);
}

/** A zip file of these entries, deflated (APPNOTE, section 4.3). */
function zip(files: readonly (readonly [name: string, content: Uint8Array])[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of files) {
    const stored = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(stored.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const offset = Buffer.alloc(4);
    offset.writeUInt32LE(at);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), stored]);
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, Buffer.alloc(10), offset, Buffer.from(name)]),
    );
    locals.push(local);
    at += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(list.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...locals, list, Buffer.from('PK\x05\x06'), end]);
}

const one = thread(7, 0n, [
  [INSTR, 3, 0x401000],
  [READ, 8, 0x7f0000001000],
  [INSTR, 4, 0x401003],
  // Two more instructions, of 2 and 5 bytes; the last writes.
  [BUNDLE, 2, 0x0502],
  [WRITE, 16, 0x7f0000002ff8],
  [MARKER, SYSCALL_START, 1],
  [INSTR, 4, 0xffff800000001000n],
  [WRITE, 8, 0xffff800000002000n],
  [MARKER, SYSCALL_END, 1],
]);

test('loads and stores by page, with the instruction that made them; the kernel’s do not count', async () => {
  const profile = await profileOf(one);
  expect(pagesOf(profile)).toEqual(['7f0000001: 1/0', '7f0000002: 0/1', '7f0000003: 0/0']);
  expect(profile.program).toMatchObject({ imported: 'drmemtrace', complete: true, threads: 1 });
  // Sites are named by what follows the first byte of the instruction.
  expect(profile.functions.name.toSorted()).toEqual(['[outside modules]+0x401001', '[outside modules]+0x40100a']);
  expect(profile.warnings.join('\n')).toContain('1 accesses of the kernel');
});

test('chunks of a zip file follow each other by name, and cut entries in two as they please', async () => {
  const bytes = zip([
    ['chunk.0001', one.subarray(100)],
    ['chunk.0000', one.subarray(0, 100)],
  ]);
  expect(pagesOf(await profileOf(bytes))).toEqual(pagesOf(await profileOf(one)));
  expect(pagesOf(await profileOf(gzipSync(one)))).toEqual(pagesOf(await profileOf(one)));
});

describe('a folder of threads', () => {
  const folder = scratchFolder('drmemtrace');
  mkdirSync(path.join(folder, 'trace'));
  mkdirSync(path.join(folder, 'raw'));
  const write = (name: string, content: string | Uint8Array) => writeFileSync(path.join(folder, name), content);
  const block = 0x7f0000010000n;
  const allocate: Entry[] = [
    [MARKER, FUNC_ID, 3],
    [MARKER, RETADDR, 0x401050],
    [MARKER, ARG, 8192],
    // The operator calls malloc, which is recorded too.
    [MARKER, FUNC_ID, 1],
    [MARKER, RETADDR, 0x7f11],
    [MARKER, ARG, 8192],
    [MARKER, FUNC_ID, 1],
    [MARKER, RETVAL, block],
    [MARKER, FUNC_ID, 3],
    [MARKER, RETVAL, block],
  ];
  // The second thread reads what the first, whose file comes later, wrote before; then the first frees it.
  write(
    'trace/drmemtrace.app.1.zip',
    zip([
      [
        'chunk.0000',
        thread(11, 50n, [
          [INSTR, 4, 0x401100],
          [READ, 8, block],
        ]),
      ],
    ]),
  );
  write(
    'trace/drmemtrace.app.2.gz',
    gzipSync(
      thread(10, 0n, [
        ...allocate,
        [INSTR, 4, 0x401060],
        [WRITE, 8, block],
        [MARKER, TIMESTAMP, NOW + 90n],
        [MARKER, FUNC_ID, 2],
        [MARKER, RETADDR, 0x401070],
        [MARKER, ARG, block],
        [MARKER, FUNC_ID, 2],
        [MARKER, RETVAL, 0],
        [INSTR, 4, 0x401080],
        [WRITE, 8, block],
      ]),
    ),
  );
  write('trace/cpu_schedule.bin', Buffer.alloc(64));
  write(
    'raw/funclist.log',
    '1,1,0x7f00,libc.so.6!malloc\n2,1,0x7f01,libc.so.6!free\n3,1,0x7f02,libstdc++.so.6!_Znwm\n',
  );
  write(
    'raw/modules.log',
    `Module Table: version 5, count 2
Columns: id, containing_id, start, end, entry, offset, preferred_base, path
  0,   0, 0x0000000000400000, 0x0000000000402000, 0x0000000000400678, 0000000000000000, 0x0000000000400000, /no/such/app
  1,   0, 0x0000000000403000, 0x0000000000404000, 0x0000000000400678, 0000000000001000, 0x0000000000400000, /no/such/app
`,
  );

  test('threads run in the order of their time stamps, allocations are objects until they are freed', async () => {
    const profile = await profileOfFile(folder);
    expect(profile.program).toMatchObject({ threads: 2, complete: true });
    const heap = profile.objects.kind.indexOf('heap');
    // Had the second thread run first, its read would be of no allocation; the last write is.
    expect([profile.objects.reads[heap], profile.objects.writes[heap]]).toEqual([1, 1]);
    expect(profile.objects.blocks[heap]).toBe(1);
    expect(profile.objects.bytes[heap]).toBe(8192);
    const rest = profile.objects.kind.indexOf('unattributed');
    expect(profile.objects.writes[rest]).toBe(1);
  });

  test('code is named after the modules of the log', async () => {
    const { functions, unattributed } = await profileOfFile(folder);
    expect(functions.name).toContain('app+0x1101');
    expect(unattributed.why.join()).toContain('app: no line information');
  });

  test('the same through the command line, also of the folder with the files', async () => {
    const [outer, inner] = [
      await report(['replay', '--quiet', '--json', '-', folder]),
      await report(['replay', '--quiet', '--json', '-', path.join(folder, 'trace')]),
    ];
    expect(outer.accesses).toEqual({ reads: 1, writes: 2 });
    expect(inner).toEqual(outer);
  });

  test('a folder that holds no trace is refused', async () => {
    const { status, stderr } = await pagelens(['replay', path.join(folder, 'raw')]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/is no trace: it seems to be/);
  });
});

test('windows of a run lie in folders of their own, and follow each other', async () => {
  const folder = scratchFolder('windows');
  const window = (number: number, time: bigint, address: number) => {
    const place = path.join(folder, 'trace', `window.000${number}`);
    mkdirSync(place, { recursive: true });
    const list: Entry[] = [
      [MARKER, WINDOW, number],
      [INSTR, 3, 0x401000],
      [READ, 8, address],
    ];
    writeFileSync(path.join(place, 'drmemtrace.app.1.gz'), gzipSync(thread(7, time, list)));
  };
  window(1, 100n, 0x5000);
  window(0, 0n, 0x4000);
  const profile = await profileOfFile(folder);
  expect(pagesOf(profile)).toEqual(['4: 1/0', '5: 1/0']);
  expect(profile.program).toMatchObject({ threads: 1, complete: true });
  expect(profile.warnings.join()).toMatch(/windows of the run/);
});

test('time that goes back keeps the order of the thread; files of modules.log where none can lie are passed over', async () => {
  const folder = scratchFolder('damaged');
  const list: Entry[] = [
    [INSTR, 3, 0x401000],
    [READ, 8, 0x2000],
    [MARKER, TIMESTAMP, NOW - 50n],
    [WRITE, 8, 0x3000],
  ];
  writeFileSync(path.join(folder, 'drmemtrace.app.1'), thread(7, 100n, list));
  const modules = ['0x5000, 0x4000', '0x0, 0xffffffffffffffff', '0x400000, 0x402000'];
  writeFileSync(path.join(folder, 'modules.log'), modules.map((at, i) => `${i}, ${i}, ${at}, /no/m${i}\n`).join(''));
  const profile = await profileOfFile(folder);
  expect(pagesOf(profile)).toEqual(['2: 1/0', '3: 0/1']);
  expect(profile.program.complete).toBe(true);
  expect(profile.warnings.join()).toContain('2 files of modules.log lie where none can');
});

describe('what a trace lacks', () => {
  test.each([
    [0x1, /filtered by a simulated cache/],
    [0x100, /filtered by a simulated data cache/],
  ])('file type %i is told of', async (type, message) => {
    const { warnings } = await profileOf(
      thread(
        7,
        0n,
        [
          [INSTR, 3, 0x1000],
          [READ, 8, 0x2000],
        ],
        0x40 | type,
      ),
    );
    expect(warnings.join('\n')).toMatch(message);
  });
});

describe('what is refused', () => {
  const raw = Buffer.from('0300000000000 8c0923f000000000040923f000000000060'.replaceAll(' ', ''), 'hex');
  // As the tool leaves them: compressed by lz4 mostly, whose frames begin with this number; with windows, in folders.
  const lz4 = Buffer.from('04224d186470b9', 'hex');
  test.each([
    ['raw/drmemtrace.app.1.raw.lz4', lz4],
    ['raw/window.0000/drmemtrace.app.1.raw.lz4', lz4],
    ['raw/drmemtrace.app.1.raw', raw],
    ['raw/drmemtrace.app.1.raw.gz', gzipSync(raw)],
    ['raw/drmemtrace.app.1.raw.zlib', deflateSync(raw)],
    ['drmemtrace.app.1.raw.sz', Buffer.from('ff060000734e61507059', 'hex')],
  ])('a folder of raw traces, %s, with the command that makes it one that is read', async (name, content) => {
    const folder = scratchFolder('raw');
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, path.dirname(name), 'modules.log'), 'Module Table: version 5, count 0\n');
    writeFileSync(path.join(folder, name), content);
    for (const named of [folder, path.dirname(path.join(folder, name))])
      await expect(profileOfFile(named)).rejects.toThrow(/is a raw trace of drmemtrace: .*drraw2trace -indir FOLDER/);
  });

  test('one file of a raw trace, by its name', async () => {
    const file = path.join(scratchFolder('raw'), 'drmemtrace.app.1.raw.lz4');
    writeFileSync(file, lz4);
    const { status, stderr } = await pagelens(['replay', file]);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/is a raw trace of drmemtrace/)]);
  });

  test.each([
    ['a raw trace', raw, /raw trace of drmemtrace: post-process it first/],
    ['nothing', '', /holds no trace of drmemtrace/],
    ['text', 'a line of text, which is long enough', /holds no trace of drmemtrace/],
    [
      'a type that is none',
      Buffer.concat([one.subarray(0, 72), entries([[99, 0, 0]])]),
      /is damaged: there is no entry of type 99/,
    ],
    [
      'a zip file that is cut',
      zip([['chunk.0000', one]]).subarray(0, 60),
      /zip file that is cut: its directory is missing/,
    ],
  ])('%s', async (_, bytes, message) => {
    expect(await refusal(bytes, { from: 'drmemtrace' })).toMatch(message);
  });
});

test('a cut trace shows what precedes the cut', async () => {
  const { program, totals } = await profileOf(one.subarray(0, 12 * 8 + 5));
  expect(program.complete).toBe(false);
  expect(totals.reads).toBe(1);
});

test('it is told by its content', () => expect(recognised(one)).toBe('drmemtrace'));

test.each([
  ['entries', one],
  ['zip', zip([['chunk.0000', one]])],
])('damage of any kind is survived: %s', (_, bytes) => survivesDamage(bytes, 'drmemtrace'));

test('traces of 32-bit programs have shorter entries', async () => {
  const list: Entry[] = [
    [HEADER, 0, 4],
    [MARKER, VERSION, 4],
    [THREAD, 4, 7],
    [INSTR, 3, 0x8048000],
    [READ, 4, 0xbfff1000],
    [WRITE, 4, 0xbfff2000],
    [FOOTER, 0, 0],
  ];
  const bytes = Buffer.alloc(8 * list.length);
  for (const [i, [type, size, value]] of list.entries()) {
    bytes.writeUInt16LE(type, 8 * i);
    bytes.writeUInt16LE(size, 8 * i + 2);
    bytes.writeUInt32LE(Number(value), 8 * i + 4);
  }
  expect(recognised(bytes)).toBe('drmemtrace');
  expect(pagesOf(await profileOf(bytes))).toEqual(['bfff1: 1/0', 'bfff2: 0/1']);
});
