/**
 * `npm test`: gets what is missing, then type check, lint, unit tests and end-to-end tests, and one line of totals.
 * Imports only `node:` modules, since it is what installs the others.
 *
 *   node test/run.mjs [check|unit|e2e]...        default: all of them
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { installDependencies, root } from './install.mjs';

const bin = name => path.join(root, 'node_modules/.bin', name);
const totals = { passed: 0, failed: 0, skipped: 0 };
const scratch = await mkdtemp(path.join(tmpdir(), 'pagelens-test-'));
process.exitCode = 1;
try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  totals.failed++;
} finally {
  await rm(scratch, { recursive: true, force: true });
}
const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
console.log(`${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exitCode = totals.failed > 0 ? 1 : 0;

async function main(stages) {
  const wants = stage => stages.length === 0 || stages.includes(stage);
  installDependencies();
  // The long wait of a first run goes on while the unit tests run; its failure is told where it matters.
  const vscode = wants('e2e') ? setUpVSCode() : null;
  vscode?.catch(() => {});

  heading('build');
  if (!(await step('build', process.execPath, ['esbuild.mjs']))) return;
  if (wants('check')) await check();
  if (wants('unit')) await unit();
  if (vscode) {
    heading('end to end');
    await vscode;
    await endToEnd();
  }
}

async function setUpVSCode() {
  const { installVSCode } = await import('./e2e/setup/vscode.mjs');
  await installVSCode();
}

async function check() {
  heading('type check and lint');
  for (const part of ['core', 'extension', 'webview', 'test'])
    await step(`types of ${part}/`, process.execPath, [bin('tsc'), '-p', part]);
  await step('lint and format', process.execPath, [bin('biome'), 'check', '.']);
}

async function unit() {
  heading('unit tests');
  const report = path.join(scratch, 'unit.json');
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`];
  const ok = await run(process.execPath, [bin('vitest'), 'run', ...reporters]);
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0 } = await json(report);
  add(numPassedTests, numFailedTests, numPendingTests, ok);
}

async function endToEnd() {
  const files = (await readdir(path.join(root, 'test/e2e'))).filter(name => name.endsWith('.e2e.mjs')).sort();
  if (files.length === 0) throw new Error('there are no end-to-end tests in test/e2e');
  // Making the package builds anew what the other windows load.
  const alone = files.filter(name => name.startsWith('package.'));
  await stories(alone, 1);
  await stories(
    files.filter(name => !alone.includes(name)),
    2,
  );
}

async function stories(files, windowsAtOnce) {
  const report = path.join(scratch, `e2e-${windowsAtOnce}.tap`);
  const ok = await run(process.execPath, [
    '--test',
    `--test-concurrency=${windowsAtOnce}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${report}`,
    ...files.map(name => path.join('test/e2e', name)),
  ]);
  const tap = await readFile(report, 'utf8').catch(() => '');
  const count = name => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(tap)?.[1] ?? 0);
  add(count('pass'), count('fail') + count('cancelled'), count('skipped') + count('todo'), ok);
}

/** A run that failed without a failed test (it crashed, a file did not load) is a failure too. */
function add(passed, failed, skipped, ok) {
  totals.passed += passed;
  totals.failed += failed === 0 && !ok ? 1 : failed;
  totals.skipped += skipped;
}

async function step(name, program, args) {
  const ok = await run(program, args);
  console.log(`${ok ? '✓' : '✗'} ${name}`);
  add(ok ? 1 : 0, ok ? 0 : 1, 0, ok);
  return ok;
}

function run(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('close', status => resolve(status === 0));
  });
}

async function json(file) {
  return JSON.parse(await readFile(file, 'utf8').catch(() => '{}'));
}

function heading(text) {
  console.log(`\n== ${text} ==`);
}
