/** Text of valgrind's lackey: by hand, and what the tool itself writes. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { pagelens, report } from '../../helpers/cli.js';
import { scratchFolder } from '../../helpers/records.js';
import { pagesOf, profileOf, recognised, refusal, survivesDamage } from './importing.js';

const text = `==7== Lackey, an example Valgrind tool
==7== Command: ./prog --depth 3
==7== 
I  04001000,3
 L 1fff000010,8
I  04001003,4
 S 04222ff8,16
 M 04222ff8,4
I  04001007,4
==7== 
==7== Exit code:       0
`;

describe('by hand', () => {
  test('loads, stores and both, by page', async () => {
    const profile = await profileOf(text);
    // The store of 16 bytes lies on two pages and counts on its first; the second is touched.
    expect(pagesOf(profile)).toEqual(['4222: 1/2', '4223: 0/0', '1fff000: 1/0']);
    expect(profile.totals).toMatchObject({ reads: 2, writes: 2, pagesTouched: 3 });
  });

  test('the program is what the file says, and what it does not say is unknown', async () => {
    const { program } = await profileOf(text);
    expect(program).toMatchObject({
      path: './prog',
      arguments: ['--depth', '3'],
      workingDirectory: '',
      recorder: 'import',
      imported: 'lackey',
      level: 'machine',
      compiler: '',
      exit: null,
      complete: true,
      processes: 1,
      threads: 1,
    });
    expect(program.sampling).toBeUndefined();
  });

  test('an odd size counts once, and touches no page that it does not reach', async () => {
    const profile = await profileOf('I  1000,3\n L 2ffc,3\n L 3ff6,10\n L 4ff8,10\n');
    expect(pagesOf(profile)).toEqual(['2: 1/0', '3: 1/0', '4: 1/0', '5: 0/0']);
  });

  test('more than 64 bytes are an access a started line', async () => {
    const profile = await profileOf('I  1000,3\n S 2020,512\n');
    expect(profile.totals.writes).toBe(9);
  });

  test('output of the program in between is passed over and told of', async () => {
    const profile = await profileOf(text.replace(' M ', 'hello, world\n M '));
    expect(profile.totals).toMatchObject({ reads: 2, writes: 2 });
    expect(profile.warnings.join()).toContain('1 line was passed over');
  });

  test('a file that is cut shows what precedes the cut, and says so', async () => {
    const profile = await profileOf(text.slice(0, text.indexOf(' M ') + 8));
    expect(profile.program).toMatchObject({ complete: false });
    expect(profile.totals).toMatchObject({ reads: 1, writes: 1 });
    expect(profile.warnings.join()).toContain('in the middle of a line');
  });
});

describe('what is no trace', () => {
  test.each([
    ['nothing', '', /an empty file/],
    ['text', 'just text\n', /a text file; known are \.pltrace, lackey/],
    ['zeros', Buffer.alloc(5000), /a file of zeros/],
    ['an image', Buffer.from('89504e470d0a1a0a0000', 'hex'), /an image/],
  ])('%s is refused with what is known', async (_, content, message) => {
    expect(await refusal(content)).toMatch(message);
  });

  test('a file without accesses has nothing to show', async () => {
    expect(await refusal('==7== Lackey\nI  1000,3\n')).toMatch(/FILE holds no access/);
  });

  test('binary data', async () => {
    expect(await refusal(Buffer.from([0, 1, 2, 255, 254, 10, 3]), { from: 'lackey' })).toBe('FILE holds no access');
  });

  test('an access before its instruction counts all the same', async () => {
    expect(pagesOf(await profileOf(' L 5000,8\nI  1000,3\n'))).toEqual(['5: 1/0']);
  });

  test('an endless line is no text trace', async () => {
    expect(await refusal('a'.repeat(70_000), { from: 'lackey' })).toMatch(/line 1 is longer than 64 KiB/);
  });

  test('damage of any kind is survived', () => survivesDamage(Buffer.from(text.repeat(20)), 'lackey'));
});

describe('the real tool', () => {
  const folder = scratchFolder('lackey');
  const source = path.join(folder, 'walk.c');
  const program = path.join(folder, 'walk');
  const log = path.join(folder, 'walk.lackey');
  writeFileSync(
    source,
    `static volatile int table[8192];
int main(void) {
  for (int i = 0; i < 8192; i++) table[i] = i;
  return 5;
}
`,
  );
  execFileSync('gcc', ['-O1', '-g', '-no-pie', '-o', program, source]);
  try {
    execFileSync('valgrind', ['--tool=lackey', '--trace-mem=yes', `--log-file=${log}`, program]);
  } catch (error) {
    expect((error as { status: number }).status).toBe(5);
  }
  const lines = readFileSync(log, 'latin1').split('\n');
  const count = (kind: string) => lines.filter(line => line.startsWith(` ${kind} `)).length;

  test('counts are those of its lines, and lines, globals and pages of an executable that is not relocated are named', async () => {
    const found = await report(['replay', '--check', '--quiet', '--json', '-', log], 0, { cwd: folder });
    // A modify is a load and a store; accesses of more than 64 bytes (saved registers) are one a started line.
    const large = lines.filter(line => /^ [LSM] \w+,\d+$/.test(line) && Number(line.split(',')[1]) > 64);
    const extra = (kinds: string) =>
      large
        .filter(line => kinds.includes(line[1]!))
        .map(line => line.slice(3).split(',') as [string, string])
        .map(([at, size]) => ((Number.parseInt(at, 16) + Number(size) - 1) >> 6) - (Number.parseInt(at, 16) >> 6))
        .reduce((a, b) => a + b, 0);
    expect(found.accesses).toEqual({
      reads: count('L') + count('M') + extra('LM'),
      writes: count('S') + count('M') + extra('SM'),
    });
    expect(found.program).toMatchObject({ path: program, exit: null, complete: true });
    const line = found.lines.find(({ file, line }) => file === source && line === 3);
    expect(line?.writes).toBe(8192);
    expect(found.objects.find(({ name }) => name === 'table')).toMatchObject({ writes: 8192, bytes: 32768 });
  });

  test('the same from a pipe and compressed, byte for byte', async () => {
    const run = (args: string[], input?: Uint8Array) =>
      pagelens(['replay', '--mode', 'native', '--tracker', 'exact', '--quiet', '--json', '-', ...args], {
        cwd: folder,
        input,
      });
    const [file, pipe, compressed] = await Promise.all([
      run([log]),
      run(['-'], readFileSync(log)),
      run(['-'], gzipSync(readFileSync(log))),
    ]);
    expect(file.status).toBe(0);
    expect(pipe.stdout).toBe(file.stdout);
    expect(compressed.stdout).toBe(file.stdout);
  });

  test('the trace that is made of it can be kept, and gives the same report without the log', async () => {
    const trace = path.join(folder, 'kept.pltrace');
    const first = await report(['replay', '--quiet', '--json', '-', '--trace', trace, log], 0, { cwd: folder });
    expect(await report(['replay', '--quiet', '--json', '-', trace])).toEqual(first);
  });

  test('it is told by its content', () => {
    expect(recognised(readFileSync(log))).toBe('lackey');
  });
});
