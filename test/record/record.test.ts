/** One run of a program becomes a whole trace, however the program ends. Counts are those that the C sources say. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { build } from '../../core/record/build.js';
import { cacheFolder } from '../../core/record/cache.js';
import { onPath } from '../../core/record/compiler.js';
import { RecordError } from '../../core/record/errors.js';
import { type RecordOptions, type RecordProgress, record } from '../../core/record/record.js';
import { TraceFile } from '../../core/trace/reader.js';
import { environmentFor, scratchFolder } from '../helpers/records.js';

const folder = scratchFolder('record');
const env = environmentFor('gcc');
let numbered = 0;

function source(text: string, extension = '.c'): string {
  const file = path.join(folder, `program${numbered++}${extension}`);
  writeFileSync(file, text);
  return file;
}

interface Outcome {
  readonly output: string;
  readonly messages: string;
}

async function run(program: string, options: Partial<RecordOptions> = {}) {
  let output = '';
  let messages = '';
  const result = await record({
    program,
    arguments: [],
    env,
    traceFile: path.join(folder, 'run.pltrace'),
    streams: { kind: 'text', onText: text => (output += text) },
    onMessage: text => (messages += text),
    ...options,
  });
  return { ...result, output, messages } satisfies Outcome & typeof result;
}

async function failure(program: string, options: Partial<RecordOptions> = {}): Promise<RecordError> {
  return run(program, options).then(
    () => expect.unreachable('it was recorded'),
    error => {
      expect(error).toBeInstanceOf(RecordError);
      return error;
    },
  );
}

/** 1000 writes, then what `end` does. */
const writesThen = (end: string, headers = '') => `
  #include <signal.h>
  #include <stdio.h>
  #include <stdlib.h>
  #include <unistd.h>
  ${headers}
  volatile int array[1000];
  int main(int argc, char **argv) {
    for (int i = 0; i < 1000; i++) array[i] = i;
    ${end}
  }`;

describe('a source file', () => {
  test('is built and recorded; status, output and arguments are the program’s', async () => {
    const file = source(writesThen('printf("%d %s\\n", argc, argv[1]); fprintf(stderr, "err\\n"); return 7;'));
    const result = await run(file, { arguments: ['a b'] });
    expect(result.exit).toEqual({ status: 7 });
    expect(result.output.split('\n').sort()).toEqual(['', '2 a b', 'err']);
    expect(result.complete).toBe(true);
    // 1000 writes, the reads of argv[1] and of the variable stderr.
    expect(result.accesses).toBe(1002);
    expect(result.header).toMatchObject({ program: file, arguments: ['a b'], recorder: 'instrument', level: 'source' });
    // As the compiler prints it.
    const version = execFileSync('gcc', ['--version'], { encoding: 'utf8' }).split('\n')[0];
    expect(result.header.compiler).toBe(version);
    expect(result.header.flags).toMatch(/^-O2 .*-fsanitize=thread/);
  });

  test('the trace holds streams, resolved sites and the end', async () => {
    const file = source(writesThen('return 0;'));
    await run(file);
    const trace = await TraceFile.open(path.join(folder, 'run.pltrace'));
    try {
      expect(trace.damage).toBeNull();
      expect(trace.end).toMatchObject({ exit: { status: 0 }, complete: true });
      const line =
        readFileSync(file, 'utf8')
          .split('\n')
          .findIndex(text => text.includes('array[i] = i')) + 1;
      const frames = (await trace.symbols)!.frames.flat();
      expect(frames).toContainEqual(expect.objectContaining({ function: 'main', file, line }));
    } finally {
      await trace.close();
    }
  });

  test('nothing but the trace is left behind', async () => {
    const before = readdirSync(folder).sort();
    await run(source(writesThen('return 0;')));
    const after = readdirSync(folder).filter(name => !before.includes(name));
    expect(after).toEqual([expect.stringMatching(/^program\d+\.c$/)]);
  });

  test('what a killed recorder left beside the trace goes, what a running one has there stays', async () => {
    const left = (name: string, pid: number) => {
      mkdirSync(path.join(folder, name));
      writeFileSync(path.join(folder, name, 'owner'), String(pid));
    };
    const gone = spawnSync('true').pid;
    left('.pagelens-run-dead', gone);
    left('.pagelens-run-live', process.pid);
    await run(source(writesThen('return 0;')));
    expect(readdirSync(folder).filter(name => name.startsWith('.pagelens-run-'))).toEqual(['.pagelens-run-live']);
  });

  test('C++ is built by the C++ compiler', async () => {
    const file = source(
      '#include <cstdio>\n#include <string>\nint main() { std::puts(std::string("hi").c_str()); }',
      '.cc',
    );
    expect((await run(file)).output).toBe('hi\n');
  });

  test.skipIf(!onPath('gfortran'))('Fortran is built by the Fortran compiler', async () => {
    // 1000 writes of the loop, 1000 reads of the sum.
    const text =
      'program f\n real, allocatable :: a(:)\n integer :: i\n allocate(a(1000))\n do i = 1, 1000\n  a(i) = i\n end do\n print *, sum(a)\nend';
    const result = await run(source(text, '.f90'));
    expect(result.output.trim()).toBe('500500.000');
    expect(result.accesses).toBe(2000);
  });

  test('--cflags reach the compiler, and replace -O2', async () => {
    const file = source('#include <stdio.h>\nint main(void) { printf("%d %s\\n", __OPTIMIZE__, N); }');
    const result = await run(file, { cflags: `-O3 '-DN="two words"'` });
    expect(result.output).toBe('1 two words\n');
    expect(result.header.flags).toMatch(/-O3/);
    expect(result.header.flags).not.toMatch(/-O2/);
  });

  test('the program is not told of a thread sanitizer', async () => {
    const text =
      '#include <stdio.h>\nint main(void) {\n#ifdef __SANITIZE_THREAD__\n  puts("told");\n#endif\n  return 0; }';
    expect((await run(source(text))).output).toBe('');
  });

  test('a compiler error is passed on verbatim, with status 3', async () => {
    let messages = '';
    const file = source('int main(void) { return undeclared; }');
    const error = await failure(file, { onMessage: text => (messages += text) });
    expect(error.exitStatus).toBe(3);
    expect(error.message).toMatch(/was not built: gcc ended with status 1$/);
    expect(messages).toContain(`${file}:1:25: error: `);
    expect(messages).toContain('undeclared');
  });

  test('without a compiler the message says what to install', async () => {
    const error = await failure(source('int main(void) { return 0; }'), { env: { HOME: folder, PATH: folder } });
    expect(error.exitStatus).toBe(3);
    expect(error.message).toMatch(/^no C compiler found .*: install gcc \(apt-get install gcc\) or set CC$/);
  });

  test('CC decides, but not when it is pagelens itself', async () => {
    const file = source('int main(void) { return 0; }');
    const missing = await failure(file, { env: { ...env, PAGELENS_CC: '', CC: '/nonexistent/cc' } });
    expect(missing.message).toMatch(/^CC is "\/nonexistent\/cc", but .* was not found/);
    const own = await run(file, { env: { ...env, PAGELENS_CC: '', CC: 'node /opt/pagelens/dist/cli.cjs cc' } });
    expect(own.header.compiler).toMatch(/^gcc/);
    const tool = await failure(file, { env: { ...env, PAGELENS_CC: 'true' } });
    expect(tool.message).toMatch(/true --version failed|neither gcc nor clang/);
  });

  test('flags that cannot be recorded are wrong usage', async () => {
    const file = source('int main(void) { return 0; }');
    expect(await failure(file, { cflags: '-fsanitize=address' })).toMatchObject({ exitStatus: 2 });
    expect(await failure(file, { cflags: '-c' })).toMatchObject({ exitStatus: 2 });
  });
});

describe('a program that ends badly leaves a whole trace', () => {
  test.each([
    ['abort()', 'abort();', { signal: 'SIGABRT' }],
    ['a null pointer', '*(volatile int *)0 = 1; return 0;', { signal: 'SIGSEGV' }],
    ['SIGKILL', 'kill(getpid(), SIGKILL); return 0;', { signal: 'SIGKILL' }],
    ['_exit', '_exit(3);', { status: 3 }],
  ])('%s', async (name, end, exit) => {
    const result = await run(source(writesThen(end)));
    expect(result.exit).toEqual(exit);
    // The write through the null pointer is recorded before it happens.
    expect(result.accesses).toBe(name === 'a null pointer' ? 1001 : 1000);
    const trace = await TraceFile.open(result.traceFile);
    expect(trace.end).toMatchObject({ exit });
    await trace.close();
  });
});

describe('several processes', () => {
  test('a forked child is recorded with its parent', async () => {
    const child = 'if (fork() == 0) { for (int i = 0; i < 500; i++) array[i] = 0; _exit(0); } wait(NULL); return 0;';
    const result = await run(source(writesThen(child, '#include <sys/wait.h>')));
    expect(result).toMatchObject({ processes: 2, complete: true, accesses: 1500 });
  });

  test('a child that outlives the program is recorded to its end', async () => {
    const child =
      'if (fork() == 0) { usleep(300000); for (int i = 0; i < 500; i++) array[i] = 0; _exit(0); } return 0;';
    const result = await run(source(writesThen(child)));
    expect(result).toMatchObject({ processes: 2, complete: true, accesses: 1500 });
  });

  test('a script is recorded for the programs that it starts', async () => {
    const executable = await build({ source: source(writesThen('return 0;')), folder, cflags: '', env });
    const script = path.join(folder, 'twice.sh');
    writeFileSync(script, `#!/bin/sh\n${executable}\n${executable}\nexit 5\n`);
    chmodSync(script, 0o755);
    expect(await run(script)).toMatchObject({ exit: { status: 5 }, processes: 2, accesses: 2000 });
  });
});

describe('an executable', () => {
  let executable: string;
  beforeAll(async () => {
    executable = await build({ source: source(writesThen('return 0;')), folder, cflags: '', env });
  });

  test('built with hooks runs as it is', async () => {
    expect(await run(executable)).toMatchObject({ accesses: 1000, header: { program: executable } });
  });

  test('runs without being recorded where nobody records', () => {
    expect(spawnSync(executable).status).toBe(0);
  });

  test('is recorded although the runtime that it was linked with is gone', async () => {
    // A cache of another machine or version: the executable names a folder that is not there.
    const cache = path.join(folder, 'cache');
    cpSync(cacheFolder(env), path.join(cache, 'pagelens'), { recursive: true });
    const other = { ...env, XDG_CACHE_HOME: cache };
    const built = await build({ source: source(writesThen('return 0;')), folder, cflags: '', env: other });
    renameSync(cache, path.join(folder, 'moved'));
    expect(spawnSync(built).status).toBe(127);
    expect(await run(built)).toMatchObject({ accesses: 1000 });
  });

  test('without hooks is refused with what to do', async () => {
    const error = await failure('/bin/true', { recorder: 'instrument' });
    expect(error.exitStatus).toBe(3);
    expect(error.message).toMatch(/^true was not built for recording: build it with CC="pagelens cc"/);
  });

  test.each([
    ['missing', './missing', /there is no such program or source file/],
    ['a missing source', 'missing.c', /there is no such program or source file/],
    ['a folder', '.', /is a directory/],
    ['a text', 'note.txt', /neither an executable nor a source file/],
  ])('%s is refused with what it is', async (_name, program, message) => {
    writeFileSync(path.join(folder, 'note.txt'), 'hello');
    const error = await failure(program, { workingDirectory: folder });
    expect(error.exitStatus).toBe(3);
    expect(error.message).toMatch(message);
  });

  test('a script that starts nothing recordable is told so', async () => {
    const script = path.join(folder, 'idle.sh');
    writeFileSync(script, '#!/bin/sh\nexit 0\n');
    chmodSync(script, 0o755);
    expect((await failure(script)).message).toMatch(/^nothing was recorded: idle.sh ended with status 0/);
  });

  test('an executable without the right to run is refused', async () => {
    const copy = path.join(folder, 'forbidden');
    writeFileSync(copy, readFileSync(executable), { mode: 0o644 });
    expect((await failure(copy)).message).toMatch(/could not be started: permission denied; nobody may execute it/);
  });
});

describe('limits', () => {
  test.each([
    ['trace-limit', { traceLimit: 64 << 10 }],
    ['time-limit', { timeLimit: 0.2 }],
  ] as const)('%s: recording ends, the program goes on to its own end', async (cut, limit) => {
    const seen = path.join(folder, `${cut}.seen`);
    // Random addresses, until it is told that recording has ended; then as many that are not recorded.
    const program = source(
      writesThen(`
        long rounds = 0, more = -1;
        for (unsigned x = 1; more != 0; rounds++) {
          if (more < 0 && rounds % 4096 == 0 && access("${seen}", F_OK) == 0) more = 1 << 20;
          else if (more > 0) more--;
          x = x * 1103515245 + 12345;
          array[(x >> 16) % 1000] = 1;
        }
        printf("%ld\\n", rounds);
        return 7;`),
    );
    const result = await run(program, {
      ...limit,
      onProgress: progress => {
        if (progress.cut) writeFileSync(seen, '');
      },
    });
    expect(result).toMatchObject({ cut, complete: false, exit: { status: 7 } });
    expect(result.accesses).toBeGreaterThan(1000);
    expect(result.accesses).toBeLessThan(Number(result.output));
    expect(result.warnings[0]).toMatch(/^recording stopped before the program ended because /);
    const trace = await TraceFile.open(result.traceFile);
    expect(trace.end?.cut).toBe(cut);
    await trace.close();
  });
});

describe('progress and cancellation', () => {
  const endless = () => source(writesThen('for (unsigned i = 0;; i++) array[i % 1000] = 1;'));

  test('progress counts up while the program runs; cancelling keeps what was recorded', async () => {
    const controller = new AbortController();
    const seen: RecordProgress[] = [];
    const result = await run(endless(), {
      signal: controller.signal,
      onProgress: progress => {
        seen.push(progress);
        if (progress.accesses > 1_000_000) controller.abort();
      },
    });
    expect(result).toMatchObject({ cancelled: true, complete: false, exit: { signal: 'SIGTERM' } });
    expect(result.accesses).toBeGreaterThan(1_000_000);
    expect(result.warnings[0]).toMatch(/^the recording was cancelled/);
    expect(seen[0]!.stage).toBe('build');
    expect(seen.at(-1)!.stage).toBe('symbols');
    const counts = seen.map(progress => progress.accesses);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    const trace = await TraceFile.open(result.traceFile);
    expect(trace.end).toMatchObject({ complete: false });
    await trace.close();
  });

  test('a program that does not heed SIGTERM is killed', async () => {
    const controller = new AbortController();
    const file = source(writesThen('signal(SIGTERM, SIG_IGN); for (unsigned i = 0;; i++) array[i % 1000] = 1;'));
    const result = await run(file, {
      signal: controller.signal,
      onProgress: progress => progress.accesses > 10_000 && controller.abort(),
    });
    expect(result).toMatchObject({ cancelled: true, exit: { signal: 'SIGKILL' } });
  });

  test('cancelled before the program runs, nothing is written', async () => {
    const traceFile = path.join(folder, 'never.pltrace');
    await expect(run(endless(), { traceFile, signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    expect(existsSync(traceFile)).toBe(false);
  });
});

test('the program’s output can go to a file, both streams in order', async () => {
  const output = path.join(folder, 'out.txt');
  const file = source(writesThen('puts("one"); fflush(stdout); fputs("two\\n", stderr); puts("three"); return 0;'));
  await run(file, { streams: { kind: 'file', path: output } });
  expect(readFileSync(output, 'utf8')).toBe('one\ntwo\nthree\n');
});

test('output that cannot be written is wrong usage', async () => {
  const streams = { kind: 'file', path: path.join(folder, 'no/such/folder') } as const;
  const error = await failure(source(writesThen('return 0;')), { streams });
  expect(error).toMatchObject({ exitStatus: 2 });
});
