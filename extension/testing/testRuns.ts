/**
 * Runs of CTest's tests under Pagelens, as the Testing view asks for them. Tests in our own build are built first, as a
 * developer would; for others that have no access hooks the user is offered our own build.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { whole } from '../../core/model/format.js';
import type { ProfileSummary } from '../../core/protocol.js';
import { replayOptions } from '../config.js';
import { type Core, reasonOf } from '../core.js';
import { failureOf } from '../program/failures.js';
import type { Profiler } from '../program/profiler.js';
import { type CTest, judge, type Verdict } from './ctest.js';
import { listTests, type TestFolder } from './discover.js';

export interface Found {
  readonly in: TestFolder;
  readonly test: CTest;
}

/** A test whose program has no hooks, or is not there: our own build has it. */
class NeedsBuild extends Error {}

/** Profiles one test after the other; the last one's profile stays open. */
export async function runTests(
  core: Core,
  profiler: Profiler,
  run: vscode.TestRun,
  items: readonly vscode.TestItem[],
  found: (item: vscode.TestItem) => Found | undefined,
): Promise<void> {
  for (const item of items) run.enqueued(item);
  const builds = new Map<vscode.WorkspaceFolder, Promise<TestFolder | null>>();
  /** Our own build of a test's folder with everything up to date; made once a run. */
  const built = (tests: TestFolder) => {
    let build = builds.get(tests.folder);
    if (!build) builds.set(tests.folder, (build = buildTests(profiler, run, tests)));
    return build;
  };
  for (const item of items) {
    const known = found(item);
    if (!known || run.token.isCancellationRequested) {
      run.skipped(item);
      continue;
    }
    run.started(item);
    const begin = Date.now();
    try {
      const { verdict, exit } = await runTest(core, profiler, run, item, known, built);
      const duration = Date.now() - begin;
      if (verdict.kind === 'passed') run.passed(item, duration);
      else if (verdict.kind === 'skipped') run.skipped(item);
      else run.failed(item, new vscode.TestMessage(reasonText(verdict, exit, known.test)), duration);
    } catch (error) {
      run.errored(item, new vscode.TestMessage(error instanceof NeedsBuild ? howToBuild(item.label) : reasonOf(error)));
    }
  }
}

async function runTest(
  core: Core,
  profiler: Profiler,
  run: vscode.TestRun,
  item: vscode.TestItem,
  known: Found,
  built: (tests: TestFolder) => Promise<TestFolder | null>,
): Promise<{ verdict: Verdict; exit: string }> {
  if (!known.in.own) {
    try {
      return await profileTest(core, profiler, run, item, known.test, known.in);
    } catch (error) {
      if (!(error instanceof NeedsBuild)) throw error;
    }
  }
  const own = await built(known.in);
  const test = own?.tests.find(({ name }) => name === known.test.name);
  if (!own || !test) throw new NeedsBuild();
  return profileTest(core, profiler, run, item, test, own);
}

async function profileTest(
  core: Core,
  profiler: Profiler,
  run: vscode.TestRun,
  item: vscode.TestItem,
  test: CTest,
  { folder }: TestFolder,
): Promise<{ verdict: Verdict; exit: string }> {
  const [program, ...args] = test.command;
  if (!program) throw new NeedsBuild();
  const scratch = await mkdtemp(path.join(tmpdir(), 'pagelens-test-'));
  const programOutput = path.join(scratch, 'output');
  try {
    const request = {
      ...{ program, arguments: args, workingDirectory: test.workingDirectory, environment: test.environment },
      ...{ options: replayOptions(folder.uri), programOutput, saveTo: await profiler.keepAt() },
    };
    const summary = await core.request('pagelens/profile', request, run.token);
    const output = await readFile(programOutput, 'utf8').catch(() => '');
    run.appendOutput(terminalText(output), undefined, item);
    run.appendOutput(terminalText(`${summaryText(summary)}\n`), undefined, item);
    return { verdict: judge(test.rules, summary.exit, output), exit: summary.exit };
  } catch (error) {
    const { code } = failureOf(error);
    throw code === 'not-instrumented' || code === 'no-such-program' ? new NeedsBuild() : error;
  } finally {
    core.progressEnded();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Builds all of the project with hooks, once the user agreed if that was not done before; null: not wanted, or failed. */
async function buildTests(profiler: Profiler, run: vscode.TestRun, tests: TestFolder): Promise<TestFolder | null> {
  if (!tests.own && !(await agreed(tests.folder))) return null;
  const plan = { kind: 'cmake', folder: tests.folder.uri.fsPath, target: 'all' } as const;
  const { status, output, outputs } = await profiler.builders.build(plan, run.token);
  if (status !== 0) {
    run.appendOutput(terminalText(output));
    throw new Error(vscode.l10n.t('The build with access hooks failed; its terminal has the messages.'));
  }
  return { ...tests, own: true, build: outputs, tests: await listTests(tests.project, outputs) };
}

async function agreed(folder: vscode.WorkspaceFolder): Promise<boolean> {
  const build = vscode.l10n.t('Build with Pagelens');
  const message = vscode.l10n.t(
    'The tests of {0} were built without access hooks, so their accesses cannot be seen. Pagelens can build the project again in a folder of its own; yours stays as it is.',
    folder.name,
  );
  return (await vscode.window.showInformationMessage(message, build)) === build;
}

function howToBuild(name: string): vscode.MarkdownString {
  return new vscode.MarkdownString(
    vscode.l10n.t(
      '{0} has no access hooks, so its accesses cannot be seen. Run it again and choose **Build with Pagelens**, or configure a build directory with the compiler wrappers in a terminal of the editor: {1}',
      name,
      '`CC="pagelens cc" CXX="pagelens c++" cmake -S . -B build-pagelens && cmake --build build-pagelens`',
    ),
  );
}

function reasonText({ because, expressions }: Verdict, exit: string, { rules }: CTest): string {
  const list = expressions.join(', ');
  const reason =
    because === 'exit'
      ? exit
      : because === 'matches'
        ? vscode.l10n.t('The output matches {0}.', list)
        : vscode.l10n.t('The output matches none of {0}.', list);
  return rules.willFail ? vscode.l10n.t('{0} The test is meant to fail.', reason) : reason;
}

function summaryText({ exit, reads, writes, pages }: ProfileSummary): string {
  return vscode.l10n.t(
    '{0} · {1} accesses at source level, {2} reads, {3} writes · {4} pages touched',
    ...[exit, whole(reads + writes), whole(reads), whole(writes), whole(pages)],
  );
}

/** Test output is shown as a terminal does. */
function terminalText(text: string): string {
  return text.replaceAll(/\r?\n/g, '\r\n');
}
