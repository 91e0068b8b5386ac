/** WebAssembly programs: recorded, replayed and reported, beside answers derived by hand. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { afterAll, describe, expect, test } from 'vitest';
import type { Report } from '../../core/profile/report.js';
import { RecordError } from '../../core/record/errors.js';
import { prepareWasm } from '../../core/record/wasm/prepare.js';
import { cli, countsAlone, pagelens, report, scratch } from '../helpers/cli.js';
import { expectObjects } from '../helpers/knownObjects.js';
import { assemble, clangForWasm } from '../helpers/wasm.js';
import { known, markersOf, sourceOf } from '../programs/known/expected.js';

const folder = scratch();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const built = (source: string) => clangForWasm(source, folder);

/** A program of text. */
function written(name: string, text: string): string {
  const program = path.join(folder, `${name}.wasm`);
  writeFileSync(program, assemble(text));
  return program;
}

function profiled(args: readonly string[], expected = 0): Promise<Report> {
  return report(['profile', '--quiet', '--check', '--json', '-', ...countsAlone, ...args], expected);
}

describe('C programs have the counts that were derived by hand for their source', () => {
  const programs = ['shared-page.c', 'straddle.c', 'globals.c'];
  test.each(known.filter(({ source }) => programs.includes(source)))('$source: $shows', async program => {
    const found = await profiled([built(sourceOf(program))]);
    expect(found.program).toMatchObject({ recorder: 'wasm', level: 'machine', exit: program.exit, complete: true });
    expect(found.program.compiler).toMatch(/clang/);
    expectObjects(found, program);
    for (const [marker, { reads, writes }] of Object.entries(program.lines)) {
      const line = markersOf(program).get(marker);
      const rows = found.lines.filter(row => row.file === sourceOf(program) && row.line === line);
      const sum = (of: 'reads' | 'writes') => rows.reduce((total, row) => total + row[of], 0);
      expect([sum('reads'), sum('writes')], marker).toEqual([reads, writes]);
    }
  });
});

/** Four functions with names and no debug information; 1,000 stores, 300 loads, a copy of ten lines, one page more. */
const counted = `(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (memory (export "memory") 2)
  (global $__stack_pointer (mut i32) (i32.const 8192))
  (data (i32.const 16384) "some bytes of data")
  (func $fill (param $from i32) (param $count i32) (local $i i32)
    (loop $again
      (i32.store (i32.add (local.get $from) (i32.mul (local.get $i) (i32.const 4))) (local.get $i))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (local.get $count)))))
  (func $sum (param $from i32) (param $count i32) (result i32) (local $i i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum)
        (i32.load (i32.add (local.get $from) (i32.mul (local.get $i) (i32.const 4))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (local.get $count))))
    (local.get $sum))
  (func $malloc (param $size i32) (result i32) (i32.const 65536))
  (func $work (result i32)
    (call $fill (call $malloc (i32.const 4000)) (i32.const 1000))
    (memory.copy (i32.const 32768) (i32.const 65536) (i32.const 640))
    (drop (memory.grow (i32.const 1)))
    (drop (call $random_get (i32.const 131072) (i32.const 5000)))
    (call $sum (i32.const 32768) (i32.const 160)))
  (func $main (export "_start") (local $sum i32)
    (local.set $sum (i32.add (call $work) (call $sum (i32.const 65536) (i32.const 140))))
    (call $proc_exit (i32.const 3))))`;

test('a program without debug information has the counts of its instructions, by functions, objects and pages', async () => {
  const found = await profiled(['--page-rows', written('counted', counted)], 4);
  expect(found.program).toMatchObject({ exit: { status: 3 }, complete: true, processes: 1, threads: 1 });
  // The copy: ten lines read, ten written.
  expect(found.accesses).toEqual({ reads: 300 + 10, writes: 1000 + 10 });
  const functions = Object.fromEntries(
    found.functions.map(({ function: name, reads, writes }) => [name, [reads, writes]]),
  );
  expect(functions).toEqual({ fill: [0, 1000], sum: [300, 0], work: [10, 10] });
  const objects = found.objects.map(({ kind, reads, writes }) => [kind, reads, writes]);
  expect(objects).toEqual([
    // The block: filled, copied, summed; what lies at 32768 belongs to no allocation.
    ['heap', 10 + 140, 1000],
    ['anonymous', 160, 10],
    ['unattributed', 0, 0],
  ]);
  const [heap] = found.objects;
  expect(heap).toMatchObject({ bytes: 4000, blocks: 1, pages: 1 });
  expect(heap!.stack.map(frame => frame.replace(/ .*/, ''))).toEqual(['work', 'main']);
  // 32 and 33 were touched by what random_get wrote.
  const pages = found.pageRows!.map(({ page, reads, writes }) => [page, reads, writes]);
  expect(pages.toSorted((a, b) => a[0]! - b[0]!)).toEqual([
    [8, 160, 10],
    [16, 10 + 140, 1000],
    [32, 0, 0],
    [33, 0, 0],
  ]);
  expect(found.unattributed).toMatchObject({ reads: 310, writes: 1010 });
});

test('arguments, environment, files below the working directory and output are the program’s', async () => {
  const source = path.join(folder, 'world.c');
  writeFileSync(
    source,
    `#include <stdio.h>
     #include <stdlib.h>
     int main(int argc, char **argv) {
       FILE *file = fopen("world.txt", "r");
       char text[20] = "";
       if (file) fgets(text, sizeof text, file);
       printf("%s %s %s %s", argv[1], getenv("PAGELENS_TEST_WORD"), text, fopen("/etc/passwd", "r") ? "all" : "own");
       return 0;
     }`,
  );
  writeFileSync(path.join(folder, 'world.txt'), 'of files');
  const { status, stdout, stderr } = await pagelens(
    ['record', '--quiet', '-o', path.join(folder, 'world.pltrace'), built(source), 'hello'],
    { cwd: folder, env: { PAGELENS_TEST_WORD: 'world' } },
  );
  expect([status, stdout, stderr]).toEqual([0, '', 'hello world of files own']);
});

test('a trap ends the run, and what was done until then is shown', async () => {
  const program = written(
    'trap',
    `(module (memory (export "memory") 1)
      (func (export "_start")
        (i32.store (i32.const 8) (i32.const 1))
        (drop (i32.load (i32.const 8)))
        (i32.store (i32.const 0x20000) (i32.const 1))))`,
  );
  const { status, stdout, stderr } = await pagelens(['profile', '--quiet', '--json', '-', ...countsAlone, program]);
  expect(status).toBe(4);
  expect(stderr).toMatch(/^trap\.wasm: trap: memory access out of bounds\n/);
  const found: Report = JSON.parse(stdout);
  expect(found.program).toMatchObject({ exit: { status: 134 }, complete: true });
  // The store that traps is told before it happens, as under Valgrind.
  expect(found.accesses).toEqual({ reads: 1, writes: 2 });
});

/** The process that another one started, by the system's table. */
function childOf(parent: number): number {
  const processes = readdirSync('/proc').filter(name => /^\d+$/.test(name));
  // `pid (command) state parent ...`; one may end meanwhile.
  const parentOf = (pid: string) => {
    try {
      return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))![1]);
    } catch {
      return 0;
    }
  };
  return Number(processes.find(pid => parentOf(pid) === parent)!);
}

test.each([
  ['cancelled', /was cancelled/, (recorder: number) => process.kill(recorder, 'SIGINT')],
  ['killed', /up to 8,192 accesses, is missing/, (recorder: number) => process.kill(childOf(recorder), 'SIGKILL')],
])('a run that is %s keeps all but the block being written', async (_how, told, end) => {
  const stores = 100_000;
  const program = written(
    'endless',
    `(module
      (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00") (data (i32.const 16) "ready\\n")
      (func (export "_start") (local $i i32)
        (loop $again
          (i32.store (i32.const 1024) (local.get $i))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $i) (i32.const ${stores}))))
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (loop $ever (br $ever))))`,
  );
  const trace = path.join(folder, 'endless.pltrace');
  const child = spawn(process.execPath, [cli, 'record', '--quiet', '-o', trace, program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let heard = '';
  child.stderr.setEncoding('utf8').on('data', text => {
    if (!heard.includes('ready') && (heard += text).includes('ready')) end(child.pid!);
  });
  await new Promise(resolve => child.once('close', resolve));
  const found = await report(['replay', '--quiet', '--json', '-', ...countsAlone, trace]);
  expect(found.program).toMatchObject({ exit: { signal: 'SIGKILL' }, complete: false });
  // A block has 64 KiB, a store 8 bytes.
  expect(found.accesses.writes).toBeGreaterThan(stores - 8192);
  expect(found.accesses.writes).toBeLessThanOrEqual(stores);
  expect(found.warnings.join()).toMatch(told);
});

test('a trace that reached its size ends there, and the program goes on', async () => {
  const source = path.join(folder, 'long.c');
  writeFileSync(
    source,
    `#include <stdio.h>
     #include <stdlib.h>
     int main(void) {
       volatile char *block = malloc(1 << 20);
       for (unsigned i = 0, at = 1; i < 1000000; i++) block[(at = at * 1664525 + 1013904223) >> 12] = 1;
       puts("done");
       return 0;
     }`,
  );
  const found = await pagelens([
    'profile',
    '--quiet',
    '--json',
    '-',
    ...countsAlone,
    '--trace-limit',
    '100KiB',
    built(source),
  ]);
  expect([found.status, found.stderr.includes('done\n')]).toEqual([0, true]);
  const { program, accesses, warnings } = JSON.parse(found.stdout) as Report;
  expect(program).toMatchObject({ exit: { status: 0 }, complete: false });
  expect(accesses.writes).toBeLessThan(1_000_000);
  expect(warnings[0]).toMatch(/recording stopped before the program ended because the trace reached the size/);
});

describe('what cannot be recorded is refused in one line', () => {
  const start = '(func (export "_start"))';
  const memory = '(memory (export "memory") 1)';
  test.each<[string, string | Uint8Array, RegExp]>([
    ['damage', Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 10, 200]), /is damaged|is cut/],
    ['a cut file', assemble(`(module ${memory} ${start})`).subarray(0, 30), /is damaged|is cut/],
    ['foreign imports', `(module (import "env" "draw" (func)) ${memory} ${start})`, /imports env\.draw: .*WASI/],
    ['a library', `(module ${memory})`, /exports no _start/],
    ['a program without memory', `(module ${start})`, /exports no memory/],
  ])('%s', async (name, content, why) => {
    const program = path.join(folder, `${name.replaceAll(' ', '-')}.wasm`);
    writeFileSync(program, typeof content === 'string' ? assemble(content) : content);
    const refusal = await prepareWasm(program, folder, folder, {}).catch(error => error);
    expect(refusal).toBeInstanceOf(RecordError);
    expect(refusal.message).toMatch(why);
    expect(refusal.message).not.toContain('\n');
    expect(refusal.exitStatus).toBe(2);
  });

  test('by another recorder, and other programs by this one', async () => {
    const program = written('plain', `(module ${memory} ${start})`);
    const other = await pagelens(['record', '--recorder', 'valgrind', '-o', path.join(folder, 'none'), program]);
    expect([other.status, other.stderr]).toEqual([2, expect.stringMatching(/--recorder wasm records it/)]);
    const damage = path.join(folder, 'damage.wasm');
    const damaged = await pagelens(['record', '-o', path.join(folder, 'none'), damage]);
    expect([damaged.status, damaged.stderr]).toEqual([
      2,
      expect.stringMatching(/^pagelens: damage\.wasm cannot be recorded: .*\n$/),
    ]);
    const elf = await pagelens(['record', '--recorder', 'wasm', '-o', path.join(folder, 'none'), process.execPath]);
    expect([elf.status, elf.stderr]).toEqual([2, expect.stringMatching(/is no WebAssembly/)]);
  });
});
