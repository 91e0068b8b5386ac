/**
 * Profiling a program from the editor: one run at a time, with a notification that shows what happens and can stop it,
 * and a terminal for the program. What was recorded before a stop is kept and shown.
 */
import { mkdir } from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { compact, whole } from '../../core/model/format.js';
import type { ProfileProgress, ProfileRequest, ProfileSummary } from '../../core/protocol.js';
import { profileRequest } from '../config.js';
import { type Core, reasonOf } from '../core.js';
import { commands, contexts } from '../ids.js';
import { openProgramTerminal } from './programTerminal.js';
import type { Target } from './target.js';

const lastTargetKey = 'lastTarget';

export class Profiler {
  #cancel: vscode.CancellationTokenSource | null = null;

  constructor(readonly core: Core) {}

  get running(): boolean {
    return this.#cancel !== null;
  }

  /** The program of the last run in this workspace, for "profile again". */
  get lastTarget(): Target | undefined {
    const last = this.core.context.workspaceState.get<{ program: string; scope: string }>(lastTargetKey);
    return last && { program: last.program, scope: vscode.Uri.parse(last.scope) };
  }

  cancel(): void {
    this.#cancel?.cancel();
  }

  /** Returns when the profile is shown, or the user was told why there is none. */
  async run(target: Target): Promise<void> {
    if (!vscode.workspace.isTrusted) return explainTrust();
    if (this.#cancel) return this.#explainRunning();
    this.#cancel = new vscode.CancellationTokenSource();
    await this.#setRunning(true);
    try {
      // What is profiled must be what is on screen.
      await vscode.workspace.saveAll(false);
      const request = profileRequest(target.program, target.scope);
      await this.core.context.workspaceState.update(lastTargetKey, {
        program: target.program,
        scope: target.scope.toString(),
      });
      const summary = await this.#withProgress(request, this.#cancel);
      explainSummary(summary);
    } catch (error) {
      explainFailure(path.basename(target.program), reasonOf(error));
    } finally {
      this.#cancel.dispose();
      this.#cancel = null;
      this.core.progressEnded();
      await this.#setRunning(false);
    }
  }

  async #withProgress(request: ProfileRequest, cancel: vscode.CancellationTokenSource): Promise<ProfileSummary> {
    const name = path.basename(request.program);
    const saveTo = await this.#keepAt();
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Profiling {0}', name),
      cancellable: true,
    };
    return vscode.window.withProgress(options, async (progress, token) => {
      token.onCancellationRequested(() => cancel.cancel());
      const terminal = await openProgramTerminal(
        this.core.context.extensionPath,
        vscode.l10n.t('Profile {0}', name),
        request.workingDirectory,
        () => cancel.cancel(),
      );
      let reported = 0;
      const listener = this.core.onProgress(now => {
        if (!now) return;
        const done = (now.fraction ?? 0) * 100;
        const message = cancel.token.isCancellationRequested
          ? vscode.l10n.t('stopping; what was recorded is kept')
          : progressText(now);
        progress.report({ message, increment: Math.max(0, done - reported) });
        reported = Math.max(reported, done);
      });
      try {
        const asked = { ...request, saveTo, ...(terminal ? { terminal: terminal.device } : {}) };
        const summary = await this.core.request('pagelens/profile', asked, cancel.token);
        // A terminal calls every other status an error; stopping a run is none.
        const fine = summary.exit === 'exit status 0' || cancel.token.isCancellationRequested;
        terminal?.end({ text: summary.exit, status: fine ? 0 : 1 });
        return summary;
      } catch (error) {
        terminal?.end({ text: reasonOf(error), status: 1 });
        throw error;
      } finally {
        listener.dispose();
      }
    });
  }

  /** The latest profile of a workspace is kept with the workspace, so that it is there again after a reload. */
  async #keepAt(): Promise<string> {
    const { storageUri, globalStorageUri } = this.core.context;
    const folder = (storageUri ?? globalStorageUri).fsPath;
    await mkdir(folder, { recursive: true });
    return path.join(folder, 'last.pagelens');
  }

  async #setRunning(running: boolean): Promise<void> {
    await vscode.commands.executeCommand('setContext', contexts.running, running);
  }

  async #explainRunning(): Promise<void> {
    const cancel = vscode.l10n.t('Cancel it');
    const message = vscode.l10n.t('A program is being profiled already; only one can be at a time.');
    if ((await vscode.window.showInformationMessage(message, cancel)) === cancel) this.cancel();
  }
}

const stageTexts: Readonly<Record<ProfileProgress['stage'], string>> = {
  build: vscode.l10n.t('building'),
  run: vscode.l10n.t('recording'),
  replay: vscode.l10n.t('replaying'),
  symbols: vscode.l10n.t('finding source lines'),
  report: vscode.l10n.t('preparing the report'),
};

/** `recording · 1.2 G accesses · 140 M/s · 2,104 pages` */
export function progressText(progress: ProfileProgress): string {
  const { stage, accesses, accessesPerSecond, pages } = progress;
  const parts = [stageTexts[stage]];
  if (accesses > 0) parts.push(vscode.l10n.t('{0} accesses', compact(accesses)));
  if (accessesPerSecond > 0) parts.push(`${compact(accessesPerSecond)}/s`);
  if (pages > 0) parts.push(vscode.l10n.t('{0} pages', whole(pages)));
  return parts.join(' · ');
}

/** A complete run speaks through its marks; anything else is said. */
function explainSummary(summary: ProfileSummary): void {
  const name = path.basename(summary.program);
  if (summary.complete && summary.exit === 'exit status 0') return;
  const message = vscode.l10n.t('{0}: {1}. What was recorded until then is shown.', name, summary.exit);
  void vscode.window.showWarningMessage(message, vscode.l10n.t('Show log')).then(choice => {
    if (choice) void vscode.commands.executeCommand(commands.showLog);
  });
}

function explainFailure(name: string, reason: string): void {
  const showLog = vscode.l10n.t('Show log');
  void vscode.window
    .showErrorMessage(vscode.l10n.t('{0} could not be profiled: {1}', name, reason), showLog)
    .then(choice => {
      if (choice) void vscode.commands.executeCommand(commands.showLog);
    });
}

/** Profiling builds and runs the program, so it waits for trust; viewing does not. */
export async function explainTrust(): Promise<void> {
  const manage = vscode.l10n.t('Manage Workspace Trust');
  const message = vscode.l10n.t(
    'Profiling is disabled in Restricted Mode, because it builds and runs the program. Saved profiles can be opened.',
  );
  if ((await vscode.window.showWarningMessage(message, manage)) === manage) {
    await vscode.commands.executeCommand('workbench.trust.manage');
  }
}
