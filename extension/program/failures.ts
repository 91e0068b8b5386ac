/**
 * Every way in which profiling fails, as what happened, why, and a button for the next step. Core says by a stable code
 * which it is; the table here has one entry a code.
 */
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Failure, FailureCode } from '../../core/model/failure.js';
import type { ProfileSummary } from '../../core/protocol.js';
import { reasonOf } from '../core.js';
import { commands, profileEditor } from '../ids.js';
import { installCommand } from './installCommand.js';
import type { Target } from './target.js';

/** The code that core gave an error; `other` for what comes from elsewhere. */
export function failureOf(error: unknown): Failure {
  const data = (error as { data?: Failure } | null)?.data;
  return data && typeof data.code === 'string' ? data : { code: 'other' };
}

/** What the next steps may do. */
export interface Remedies {
  readonly target: Target;
  readonly failure: Failure;
  /** The first error of a build, when it has a place. */
  readonly problem: vscode.Location | null;
  readonly extensionUri: vscode.Uri;
  run(target: Target): unknown;
  /** Lets the user choose how the program is built with hooks. */
  rebuild(target: Target): unknown;
  choose(): unknown;
}

interface Remedy {
  readonly title: string;
  readonly run: () => unknown;
}

/** At most two beside "Show log": a notification with more is not read. */
const remedies: Readonly<Record<FailureCode, (context: Remedies) => Remedy[]>> = {
  'no-compiler': ({ failure, extensionUri }) => [
    copyInstallCommand(failure.package ?? 'gcc'),
    recordedSample(extensionUri),
  ],
  'not-compiled': ({ problem }) => (problem ? [showProblem(problem)] : []),
  'undefined-symbols': ({ target, failure, run, rebuild }) => [
    failure.siblings?.length
      ? {
          title: vscode.l10n.t('Build with {0}', failure.siblings.map(file => path.basename(file)).join(', ')),
          run: () => run({ ...target, withSources: failure.siblings! }),
        }
      : openSetting('pagelens.cflags'),
    { title: vscode.l10n.t('Choose a Build...'), run: () => rebuild(target) },
  ],
  'no-main': ({ choose }) => [{ title: vscode.l10n.t('Choose a Program...'), run: choose }],
  'not-instrumented': ({ target, run, rebuild }) => [
    { title: vscode.l10n.t('Build with Pagelens'), run: () => rebuild(target) },
    { title: vscode.l10n.t('Record As It Is'), run: () => run({ ...target, recorder: 'valgrind' }) },
  ],
  'no-recorder': ({ failure }) => [copyInstallCommand(failure.package ?? 'valgrind')],
  'not-a-program': ({ choose }) => [{ title: vscode.l10n.t('Choose a Program...'), run: choose }],
  'no-such-program': ({ choose }) => [
    { title: vscode.l10n.t('Choose a Program...'), run: choose },
    openSetting('pagelens.program'),
  ],
  'not-permitted': ({ target }) => [copyPermission(target)],
  'mounted-noexec': ({ extensionUri }) => [documentation(extensionUri)],
  'disk-full': ({ extensionUri }) => [documentation(extensionUri)],
  'nothing-recorded': () => [showTerminal()],
  other: () => [],
};

/** Says it, and does what the user chooses. */
export async function explainFailure(name: string, error: unknown, context: Remedies): Promise<void> {
  const message = vscode.l10n.t('{0} could not be profiled: {1}.', name, reasonOf(error));
  await offer(message, [...remedies[context.failure.code](context), showLog()]);
}

/** The program did not end well, or recording stopped before it did: what there is is shown. */
export async function explainPart(name: string, summary: ProfileSummary, extensionUri: vscode.Uri): Promise<void> {
  const message = summary.cut
    ? vscode.l10n.t(
        '{0}: {1}. What was recorded until then is shown. Free some space, or start the editor with TMPDIR set to a folder on another disk.',
        name,
        summary.exit,
      )
    : vscode.l10n.t('{0}: {1}. What was recorded until then is shown.', name, summary.exit);
  const next = [showDashboard(), ...(summary.cut ? [documentation(extensionUri)] : []), showLog()];
  await offer(message, next, vscode.window.showWarningMessage);
}

/** A build of several files ended badly; its terminal has the whole story. */
export async function explainBuild(
  title: string,
  error: string | null,
  problem: vscode.Location | null,
): Promise<void> {
  const message = error
    ? vscode.l10n.t('"{0}" failed: {1}', title, error)
    : vscode.l10n.t('"{0}" failed; its terminal has the messages.', title);
  await offer(message, [...(problem ? [showProblem(problem)] : []), showTerminal()]);
}

async function offer(
  message: string,
  choices: readonly Remedy[],
  show: (text: string, ...titles: string[]) => Thenable<string | undefined> = vscode.window.showErrorMessage,
): Promise<void> {
  const chosen = await show(message, ...choices.map(({ title }) => title));
  await choices.find(({ title }) => title === chosen)?.run();
}

function showProblem(problem: vscode.Location): Remedy {
  return {
    title: vscode.l10n.t('Show Problem'),
    async run() {
      await vscode.window.showTextDocument(problem.uri, { selection: problem.range });
      await vscode.commands.executeCommand('workbench.actions.view.problems');
    },
  };
}

function showTerminal(): Remedy {
  return {
    title: vscode.l10n.t('Show Terminal'),
    run: () => vscode.commands.executeCommand('workbench.action.terminal.focus'),
  };
}

function showLog(): Remedy {
  return { title: vscode.l10n.t('Show Log'), run: () => vscode.commands.executeCommand(commands.showLog) };
}

function showDashboard(): Remedy {
  return {
    title: vscode.l10n.t('Show Dashboard'),
    run: () => vscode.commands.executeCommand(commands.openDashboard),
  };
}

function openSetting(id: string): Remedy {
  return {
    title: vscode.l10n.t('Open Settings'),
    run: () => vscode.commands.executeCommand('workbench.action.openSettings', id),
  };
}

function documentation(extensionUri: vscode.Uri): Remedy {
  const page = vscode.Uri.joinPath(extensionUri, 'docs', 'troubleshooting.md');
  return {
    title: vscode.l10n.t('Open Documentation'),
    run: () => vscode.commands.executeCommand('markdown.showPreview', page),
  };
}

/** What there is to see does not need a compiler: a trace of a smaller frame comes with the extension. */
function recordedSample(extensionUri: vscode.Uri): Remedy {
  const trace = vscode.Uri.joinPath(extensionUri, 'dist/sample/raytracer.pltrace');
  return {
    title: vscode.l10n.t('Show a Recorded Sample'),
    run: () => vscode.commands.executeCommand('vscode.openWith', trace, profileEditor),
  };
}

function copyInstallCommand(packageName: string): Remedy {
  return copy(vscode.l10n.t('Copy Install Command'), installCommand(packageName, systemRelease()));
}

function copyPermission(target: Target): Remedy {
  const file = target.program ?? '';
  return copy(vscode.l10n.t('Copy chmod Command'), `chmod u+rx '${file.replaceAll("'", `'\\''`)}'`);
}

function copy(title: string, text: string): Remedy {
  return {
    title,
    async run() {
      await vscode.env.clipboard.writeText(text);
      vscode.window.setStatusBarMessage(vscode.l10n.t('Copied: {0}', text), 5000);
    },
  };
}

function systemRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    // A system without it has no package manager that we know by it either.
    return '';
  }
}
