/**
 * `npm run bench [-- --quick] [--only NAME[,NAME]] [--rounds N] [--json FILE]`: how fast recording and replay are.
 *
 * Timings on a shared machine drift by tens of per cent, so nothing is compared across time: each round runs the native
 * program twice (the lesser counts) and the recorded one once, and a slowdown is a ratio within its round; the median
 * over the rounds is shown. The program's own time is taken by an object linked into both builds (timer.c), so that
 * starting and ending the recorder is not in the slowdown but stands beside it (`record`: the whole command).
 *
 *   slowdown   recorded program over native -O2 program
 *   machine    the same for the native executable under `--recorder valgrind`, at machine level
 *   B/acc      bytes of the encoded streams, and of the compressed trace file, per access
 *   replay     accesses per second of the `replay` command's wall time, and per second of its processor time (a core)
 *   memory     peak resident memory (VmHWM) of the `profile` command, without the program's own
 *   to report  wall time of the `profile` command on the instrumented executable: record, replay, symbols, report
 *   to lens    wall time from an editor's profile request to the document's lenses, through the language server
 *
 * `--only editor` measures the editor with a large profile instead of a program (editor.mjs), `--only heatmap` the frames
 * of the heatmap of a million pages by a thousand epochs (heatmap.ts), `--only trackers` what all trackers cost a replay
 * (trackers.mjs).
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import esbuild from 'esbuild';
import { build } from '../../esbuild.mjs';
import { measureEditor, showEditor } from './editor.mjs';
import { firstLens } from './first-lens.mjs';
import { cache, goals, programs, root, timerSource } from './programs.mjs';
import { measureTrackers, showTrackers, trackedPrograms } from './trackers.mjs';

/** What is measured: a copy of the build, so that a build in between (a test, an editor) does not change it. */
const distribution = path.join(cache, 'dist');
const cli = path.join(distribution, 'cli.cjs');
/** A command that takes longer has failed: ten times what the worst program takes. */
const LIMIT_SECONDS = 900;
const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3));
const sections = [...programs.map(program => program.name), 'editor', 'heatmap', 'trackers'];
const chosen = options.only ? options.only.split(',') : sections;
const unknown = chosen.find(name => !sections.includes(name));
if (unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) {
  const known = sections.join(', ');
  console.error(unknown === undefined ? '--rounds must be 1 or more' : `--only ${unknown}: unknown; known: ${known}`);
  process.exit(2);
}

mkdirSync(cache, { recursive: true });
await build({ production: true });
refresh(path.join(root, 'dist'), distribution);
const { traceSize } = await bundled('trace-size');

console.log(machine());
console.log(
  options.quick
    ? 'Quick: small inputs, one round; only good to see that everything runs.\n'
    : `Median of ${rounds} rounds.\n`,
);

const results = [];
for (const program of programs.filter(({ name }) => chosen.includes(name))) {
  const scratch = mkdtempSync(path.join(cache, `${program.name}-`));
  try {
    results.push(await measure(program, scratch));
  } catch (error) {
    results.push({ name: program.name, failure: error.message });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  show(results.at(-1));
}
// The fixed costs of a run are most of a small input's time: beside the goals it would only mislead.
if (!options.quick) summary(results);
if (chosen.includes('editor')) {
  const { writeLargeProfile } = await bundled('large-profile');
  const editor = await measureEditor(cache, path.join(distribution, 'server.cjs'), writeLargeProfile);
  showEditor(editor);
  results.push({ name: 'editor', ...editor });
}
if (chosen.includes('heatmap')) {
  const { measureHeatmap, showHeatmap } = await bundled('heatmap');
  const frames = await measureHeatmap(root);
  showHeatmap(frames);
  results.push({ name: 'heatmap', frames });
}
if (chosen.includes('trackers')) for (const tracked of trackedPrograms) results.push(await trackerCost(tracked));
if (options.json) writeFileSync(options.json, `${JSON.stringify({ machine: machine(), results }, null, 2)}\n`);
process.exitCode = results.some(result => result.failure) ? 1 : 0;

/** All figures of one program. Files go to `scratch`, which lies on the same disk as the builds. */
async function measure(program, scratch) {
  const args = options.quick ? program.quick : program.full;
  const { native, instrumented } = builds(program);
  const trace = path.join(scratch, 'run.pltrace');
  const output = path.join(scratch, 'output');

  const slowdowns = [];
  const machineSlowdowns = [];
  const natives = [];
  let recording;
  for (let round = 0; round < rounds; round++) {
    const own = Math.min(timed(native, args, scratch), timed(native, args, scratch));
    rmSync(trace, { force: true });
    recording = await watched(
      ['record', '--quiet', '--program-output', output, '-o', trace, instrumented, ...args],
      scratch,
    );
    slowdowns.push(programTime(scratch) / own);
    const unmodified = ['--recorder', 'valgrind', '--program-output', output, '-o', `${trace}.machine`];
    await watched(['record', '--quiet', ...unmodified, native, ...args], scratch);
    machineSlowdowns.push(programTime(scratch) / own);
    rmSync(`${trace}.machine`);
    natives.push(own);
  }
  // What the program printed natively and recorded must be the same, or something else was measured.
  const expected = spawnSync(native, args, { encoding: 'utf8', maxBuffer: 1 << 26 }).stdout;
  if (readFileSync(output, 'utf8') !== expected) throw new Error('the recorded program printed something else');

  const report = path.join(scratch, 'report.json');
  const replay = await watched(['replay', '--quiet', '--json', report, trace], scratch);
  const { accesses, pages, warnings } = JSON.parse(readFileSync(report, 'utf8'));
  const count = accesses.reads + accesses.writes;
  const size = await traceSize(trace);
  const whole = await watched(
    ['profile', '--quiet', '--program-output', output, '--json', report, instrumented, ...args],
    scratch,
  );
  const lens = await firstLens(path.join(distribution, 'server.cjs'), {
    program: instrumented,
    args,
    cwd: scratch,
    env: { BENCH_TIME: path.join(scratch, 'time') },
    // Where the work is: a library's code rather than the driver's.
    document: program.fetch?.().sources[0] ?? program.sources[0],
  });
  if (lens.lenses === 0) throw new Error('no lens');
  return {
    name: program.name,
    arguments: args,
    memoryOnly: program.memoryOnly ?? false,
    bytesGoal: program.bytesPerAccess,
    accesses: count,
    touchedMiB: (pages.touched * 4096) / 2 ** 20,
    nativeSeconds: median(natives),
    slowdown: median(slowdowns),
    machineSlowdown: median(machineSlowdowns),
    recordSeconds: recording.seconds,
    streamBytesPerAccess: size.streamBytes / count,
    fileBytesPerAccess: size.fileBytes / count,
    replaySeconds: replay.seconds,
    replayRate: count / replay.seconds / 1e6,
    replayRatePerCore: count / replay.processorSeconds / 1e6,
    replayMiB: replay.peakMiB,
    profileMiB: whole.peakMiB,
    endToEndSeconds: whole.seconds,
    firstLensSeconds: lens.seconds,
    warnings,
  };
}

/** What all trackers cost the replay of a program. */
async function trackerCost(tracked) {
  const { name } = tracked;
  const args = options.quick ? tracked.quick : tracked.full;
  const scratch = mkdtempSync(path.join(cache, `trackers-${name}-`));
  try {
    const { instrumented } = builds(programs.find(program => program.name === name));
    const output = path.join(scratch, 'output');
    const cost = await measureTrackers({
      rounds,
      scratch,
      record: trace =>
        watched(['record', '--quiet', '--program-output', output, '-o', trace, instrumented, ...args], scratch),
      replay: more => watched(['replay', '--quiet', ...more], scratch),
      median,
    });
    showTrackers(name, args, cost);
    return { name: `trackers ${name}`, arguments: args, ...cost };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Copies the build, keeping the time of an unchanged command line, which instrumented executables are as old as. */
function refresh(from, to) {
  const kept = existsSync(cli) ? { text: readFileSync(cli), time: statSync(cli).mtime } : null;
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true });
  if (kept?.text.equals(readFileSync(cli))) utimesSync(cli, kept.time, kept.time);
}

/** Native and instrumented executables with the same compiler and flags; kept until a source or the recorder changes. */
function builds(program) {
  const { sources: more = [], flags = [] } = program.fetch?.() ?? {};
  const sources = [...program.sources, ...more];
  const timer = path.join(cache, 'timer.o');
  const native = path.join(cache, `${program.name}.native`);
  const instrumented = path.join(cache, `${program.name}.recorded`);
  const common = ['-O2', '-g', ...flags, ...sources, timer, '-lm'];
  make(timer, [timerSource], 'gcc', ['-O2', '-c', timerSource, '-o', timer]);
  make(native, [...sources, timer], 'gcc', [...common, '-o', native]);
  make(instrumented, [...sources, timer, cli], process.execPath, [cli, 'cc', ...common, '-o', instrumented]);
  return { native, instrumented };
}

function make(target, sources, command, args) {
  const changed = Math.max(...sources.map(file => statSync(file).mtimeMs));
  if (existsSync(target) && statSync(target).mtimeMs > changed) return;
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', cwd: cache });
  if (error || status !== 0)
    throw new Error(`${path.basename(target)} was not built: ${error?.message ?? `status ${status}`}`);
}

function environment(scratch) {
  return { ...process.env, BENCH_TIME: path.join(scratch, 'time') };
}

/** Seconds that the program measured of itself in its last run. */
function programTime(scratch) {
  return Number(readFileSync(path.join(scratch, 'time'), 'utf8'));
}

function timed(executable, args, scratch) {
  const { status, error } = spawnSync(executable, args, { stdio: 'ignore', env: environment(scratch) });
  if (error || status !== 0) throw new Error(`${path.basename(executable)}: ${error?.message ?? `status ${status}`}`);
  return programTime(scratch);
}

/**
 * Runs `pagelens` and looks at its process from outside, every 20 ms: its peak memory, and the processor time of all
 * its threads. Children (the recorded program, symbolisers) are not included.
 */
async function watched(args, scratch) {
  const begin = performance.now();
  const child = spawn(process.execPath, [cli, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: scratch,
    env: environment(scratch),
  });
  let peakMiB = 0;
  let ticks = 0;
  const look = () => {
    try {
      const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
      if (peak) peakMiB = Math.max(peakMiB, Number(peak[1]) / 1024);
      // Fields 14 and 15 of stat, behind the name in parentheses: user and system time.
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      ticks = Math.max(ticks, Number(stat[11]) + Number(stat[12]));
    } catch {
      // The process has ended between two looks.
    }
  };
  const timer = setInterval(look, 20);
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_SECONDS * 1000);
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal ?? code));
  }).finally(() => {
    clearInterval(timer);
    clearTimeout(limit);
  });
  const seconds = (performance.now() - begin) / 1000;
  if (seconds >= LIMIT_SECONDS) throw new Error(`pagelens ${args[0]} took more than ${LIMIT_SECONDS} s`);
  if (status !== 0) throw new Error(`pagelens ${args[0]} ended with ${status}`);
  return { seconds, peakMiB, processorSeconds: ticks / ticksPerSecond };
}

/** A module of this folder in TypeScript, bundled so that plain Node can load it. */
async function bundled(name) {
  const outfile = path.join(cache, `${name}.mjs`);
  await esbuild.build({
    entryPoints: [path.join(root, 'test/bench', `${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
  });
  return import(pathToFileURL(outfile).href);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

function show(result) {
  if (result.failure) {
    console.log(`${result.name}: failed: ${result.failure}\n`);
    return;
  }
  const goal = result.bytesGoal ? ` (goal ${goals.bytesPerAccess[result.bytesGoal].join(', ')})` : '';
  const rows = [
    ['accesses', `${(result.accesses / 1e6).toFixed(1)} M; ${result.touchedMiB.toFixed(1)} MiB touched`],
    ['native', `${result.nativeSeconds.toFixed(3)} s`],
    ['slowdown', `${result.slowdown.toFixed(2)}; record command ${result.recordSeconds.toFixed(2)} s`],
    ['machine', `${result.machineSlowdown.toFixed(2)} under valgrind`],
    [
      'B/acc',
      `${result.streamBytesPerAccess.toFixed(4)} encoded${goal}, ${result.fileBytesPerAccess.toFixed(4)} in the file`,
    ],
    [
      'replay',
      `${result.replayRate.toFixed(1)} M/s of wall time, ${result.replayRatePerCore.toFixed(1)} M/s a core; ` +
        `${result.replaySeconds.toFixed(2)} s, ${result.replayMiB.toFixed(0)} MiB`,
    ],
    ['to report', `${result.endToEndSeconds.toFixed(2)} s, ${result.profileMiB.toFixed(0)} MiB`],
    ['to lens', `${result.firstLensSeconds.toFixed(2)} s`],
  ];
  console.log(`${result.name} ${result.arguments.join(' ')}`);
  for (const [label, text] of rows) console.log(`  ${label.padEnd(10)}${text}`);
  console.log('');
}

/** Means and worst cases beside the goals. */
function summary(all) {
  const measured = all.filter(result => !result.failure);
  const timedPrograms = measured.filter(result => !result.memoryOnly);
  if (timedPrograms.length === 0) return;
  const slowdowns = timedPrograms.map(result => result.slowdown);
  const machineSlowdowns = timedPrograms.map(result => result.machineSlowdown);
  const accesses = timedPrograms.reduce((sum, result) => sum + result.accesses, 0);
  const replaySeconds = timedPrograms.reduce((sum, result) => sum + result.replaySeconds, 0);
  const rows = [
    ['recording slowdown, geometric mean', geometricMean(slowdowns).toFixed(2), goals.slowdownMean],
    ['recording slowdown, worst', Math.max(...slowdowns).toFixed(2), goals.slowdownWorst],
    ['machine level, geometric mean', geometricMean(machineSlowdowns).toFixed(2), goals.machineMean],
    ['machine level, worst', Math.max(...machineSlowdowns).toFixed(2), goals.machineWorst],
    ['replay, all programs, M accesses/s', (accesses / replaySeconds / 1e6).toFixed(1), goals.replayRate],
    ['core memory, worst, MiB', Math.max(...measured.map(result => result.profileMiB)).toFixed(0), goals.memory],
  ];
  const sample = measured.find(result => result.name === 'sample');
  if (sample) {
    const perBillion = `${sample.firstLensSeconds.toFixed(2)} for ${(sample.accesses / 1e9).toFixed(2)}e9`;
    rows.push(['sample, command to first lens, s', perBillion, goals.endToEnd]);
  }
  console.log(`${''.padEnd(38)}${'measured'.padEnd(20)}${'achievable'.padEnd(12)}ambitious`);
  for (const [label, value, [achievable, ambitious]] of rows) {
    console.log(`${label.padEnd(38)}${value.padEnd(20)}${String(achievable).padEnd(12)}${ambitious}`);
  }
}

/** The machine, so that figures are not compared across machines unawares. */
function machine() {
  const [cpu] = os.cpus();
  const gcc = spawnSync('gcc', ['--version'], { encoding: 'utf8' }).stdout?.split('\n')[0] ?? 'no gcc';
  return `${cpu?.model.trim()}, ${os.cpus().length} cores, ${(os.totalmem() / 2 ** 30).toFixed(0)} GiB; ${os.type()} ${os.release()}; Node ${process.version}; ${gcc}`;
}
