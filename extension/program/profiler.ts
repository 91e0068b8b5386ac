/**
 * Profiling a program from the editor: one run at a time, with a notification that shows what happens and can stop it,
 * and terminals for its build and for the program. What was recorded before a stop is kept and shown.
 */
import { mkdir } from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { compact, whole } from '../../core/model/format.js';
import type { ProfileProgress, ProfileSummary } from '../../core/protocol.js';
import { folderOf, profileRequest } from '../config.js';
import { type Core, reasonOf } from '../core.js';
import { contexts } from '../ids.js';
import { Builders } from './build/builders.js';
import { firstError } from './build/compilerMessages.js';
import { titleOf } from './build/plan.js';
import { Problems } from './build/problems.js';
import { explainBuild, explainFailure, explainPart, failureOf } from './failures.js';
import { pickBuild, pickBuilt, pickProgram } from './picks.js';
import { openProgramTerminal } from './programTerminal.js';
import { keptTarget, type Target, targetOf } from './target.js';

const lastTargetKey = 'lastTarget';

/** A target whose program is there. */
type Ready = Target & { readonly program: string };

export class Profiler implements vscode.Disposable {
  readonly builders: Builders;
  readonly #problems = new Problems();
  readonly #ended = new vscode.EventEmitter<void>();
  /** A run is over, however it ended. */
  readonly onEnded = this.#ended.event;
  #cancel: vscode.CancellationTokenSource | null = null;
  #saving = false;

  constructor(readonly core: Core) {
    this.builders = new Builders(core);
  }

  get running(): boolean {
    return this.#cancel !== null;
  }

  /** Whether documents are being saved because a run begins. */
  get saving(): boolean {
    return this.#saving;
  }

  /** The program of the last run in this workspace, for "profile again". */
  get lastTarget(): Target | undefined {
    const last = this.core.context.workspaceState.get<ReturnType<typeof keptTarget>>(lastTargetKey);
    return last && targetOf(last);
  }

  cancel(): void {
    this.#cancel?.cancel();
  }

  dispose(): void {
    this.#problems.dispose();
    this.#ended.dispose();
  }

  /** The summary when the profile is shown; null when the user was told why there is none. */
  async run(target: Target): Promise<ProfileSummary | null> {
    if (!vscode.workspace.isTrusted) {
      void explainTrust();
      return null;
    }
    if (this.#cancel) {
      void this.#explainRunning();
      return null;
    }
    const cancel = new vscode.CancellationTokenSource();
    this.#cancel = cancel;
    await this.#setRunning(true);
    const name = nameOf(target);
    try {
      await this.#saveAll();
      this.#problems.clear();
      await this.core.context.workspaceState.update(lastTargetKey, keptTarget(target));
      const summary = await this.#withProgress(name, cancel, async report => {
        const ready = await this.#build(target, report, cancel.token);
        return ready && this.#profile(ready, report, cancel);
      });
      // A complete run speaks through its marks; anything else is said.
      if (summary && !(summary.complete && summary.exit === 'exit status 0'))
        void explainPart(path.basename(summary.program), summary, this.core.context.extensionUri);
      return summary;
    } catch (error) {
      // Who cancels before the program runs knows why there is no profile.
      if (!cancel.token.isCancellationRequested) this.#explain(name, target, error);
      return null;
    } finally {
      cancel.dispose();
      this.#cancel = null;
      this.core.progressEnded();
      await this.#setRunning(false);
      this.#ended.fire();
    }
  }

  /** For who shows a run elsewhere: it counts as the one run there may be, and "Cancel profiling" cancels it. */
  async exclusively(cancel: vscode.CancellationTokenSource, work: () => Promise<void>): Promise<void> {
    if (this.#cancel) return this.#explainRunning();
    this.#cancel = cancel;
    await this.#setRunning(true);
    try {
      await this.#saveAll();
      await work();
    } finally {
      this.#cancel = null;
      this.core.progressEnded();
      await this.#setRunning(false);
      this.#ended.fire();
    }
  }

  /** What is profiled must be what is on screen. */
  async #saveAll(): Promise<void> {
    this.#saving = true;
    try {
      await vscode.workspace.saveAll(false);
    } finally {
      this.#saving = false;
    }
  }

  #withProgress<T>(
    name: string,
    cancel: vscode.CancellationTokenSource,
    work: (report: (message: string, percent: number) => void) => Promise<T>,
  ): Thenable<T> {
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Profiling {0}', name),
      cancellable: true,
    };
    return vscode.window.withProgress(options, (progress, token) => {
      token.onCancellationRequested(() => cancel.cancel());
      let reported = 0;
      return work((message, percent) => {
        progress.report({ message, increment: Math.max(0, percent - reported) });
        reported = Math.max(reported, percent);
      });
    });
  }

  /** null: the build failed or was cancelled, and the user knows. */
  async #build(
    target: Target,
    report: (message: string, percent: number) => void,
    token: vscode.CancellationToken,
  ): Promise<Ready | null> {
    const { build, program } = target;
    if (!build) return program === null ? null : { ...target, program };
    const title = titleOf(build);
    report(vscode.l10n.t('building with {0}', title), 0);
    const { status, output, folder, source, outputs, program: built } = await this.builders.build(build, token);
    const problem = this.#problems.show(output, folder, source);
    if (token.isCancellationRequested) return null;
    if (status !== 0) {
      void explainBuild(title, firstError(output, folder), problem);
      return null;
    }
    const made = program ?? built ?? (await pickBuilt(this.core, outputs));
    return made === null ? null : { ...target, program: made };
  }

  async #profile(
    target: Ready,
    report: (message: string, percent: number) => void,
    cancel: vscode.CancellationTokenSource,
  ): Promise<ProfileSummary> {
    const request = profileRequest(target);
    const saveTo = await this.keepAt();
    const terminal = await openProgramTerminal(
      this.core.context.extensionPath,
      vscode.l10n.t('Profile {0}', path.basename(request.program)),
      request.workingDirectory,
      () => cancel.cancel(),
    );
    const listener = this.core.onProgress(now => {
      if (!now) return;
      const stopping = cancel.token.isCancellationRequested;
      const message = stopping ? vscode.l10n.t('stopping; what was recorded is kept') : progressText(now);
      report(message, (now.fraction ?? 0) * 100);
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
  }

  #explain(name: string, target: Target, error: unknown): void {
    const failure = failureOf(error);
    const folder = path.dirname(target.program ?? target.scope.fsPath);
    const problem = failure.output ? this.#problems.show(failure.output, folder) : null;
    this.core.log.error(error instanceof Error ? error : String(error));
    void explainFailure(name, error, {
      target,
      failure,
      problem,
      extensionUri: this.core.context.extensionUri,
      run: next => this.run(next),
      choose: async () => {
        const next = await pickProgram(this.builders, []);
        if (next) await this.run(next);
      },
      rebuild: async failed => {
        const next = await pickBuild(this.builders, failed);
        if (next) await this.run(next);
      },
    });
  }

  /** The latest profile of a workspace is kept with the workspace, so that it is there again after a reload. */
  async keepAt(): Promise<string> {
    await mkdir(this.core.storage, { recursive: true });
    return path.join(this.core.storage, 'last.pagelens');
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
  const { stage, accesses, accessesPerSecond, pages, cut, paused } = progress;
  const goesOn = vscode.l10n.t('recording stopped, the program goes on');
  const rests = vscode.l10n.t('recording rests, the program goes on');
  const parts = [stage !== 'run' ? stageTexts[stage] : cut ? goesOn : paused ? rests : stageTexts.run];
  if (accesses > 0) parts.push(vscode.l10n.t('{0} accesses', compact(accesses)));
  if (accessesPerSecond > 0) parts.push(`${compact(accessesPerSecond)}/s`);
  if (pages > 0) parts.push(vscode.l10n.t('{0} pages', whole(pages)));
  return parts.join(' · ');
}

function nameOf({ program, build, scope }: Target): string {
  if (program) return path.basename(program);
  return build ? titleOf(build) : path.basename(folderOf(scope) ?? scope.fsPath);
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
