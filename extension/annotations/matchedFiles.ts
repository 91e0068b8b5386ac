/** How many of the profile's source files are here with the content that was built; asked of core when it may change. */
import * as vscode from 'vscode';
import type { FilesReport } from '../../core/protocol.js';
import { section } from '../config.js';
import type { Core } from '../core.js';
import { commands, contexts } from '../ids.js';

/** Saving all files sends a change for each. */
const settleMs = 500;
/** Thousands of files take core a second, in which a new profile's marks would wait. */
const afterMarksMs = 1500;

export class MatchedFiles implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onChange = this.#changed.event;
  readonly #subscriptions: vscode.Disposable[];
  #report: FilesReport | null = null;
  /** The profile that is shown, and the one that was asked about last. */
  #shown: string | null = null;
  #profile: string | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly core: Core) {
    this.#subscriptions = [
      this.#changed,
      core.onSelection(({ profile }) => {
        if (profile === this.#shown) return;
        this.#shown = profile;
        this.#later(profile === null ? 0 : afterMarksMs);
      }),
      core.onAnnotations(({ uris }) => {
        // The same file name may hold another run now.
        if (uris === null && this.#profile === this.#shown) this.#later();
      }),
      vscode.workspace.onDidSaveTextDocument(() => this.#later()),
      vscode.workspace.onDidChangeConfiguration(change => {
        if (change.affectsConfiguration(`${section}.pathMapping`)) this.#later();
      }),
    ];
  }

  /** null: no profile, or not known yet. */
  get report(): FilesReport | null {
    return this.#report;
  }

  #later(ms = settleMs): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(this.#shown), ms);
  }

  async #ask(profile: string | null): Promise<void> {
    const isNew = profile !== this.#profile;
    this.#profile = profile;
    const report = profile ? await this.core.request('pagelens/files', {}).catch(() => null) : null;
    if (profile !== this.#profile) return;
    this.#report = report;
    void vscode.commands.executeCommand('setContext', contexts.filesMissing, (report?.missing ?? 0) > 0);
    this.#changed.fire();
    if (isNew && report && report.missing * 2 > report.total) void offerMapping(report);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}

/** `12 of 14 source files matched: 1 changed since the build, 1 not here`; '' without files. */
export function matchedText(report: FilesReport): string {
  const { total, matched, differing, missing } = report;
  if (total === 0) return '';
  const reasons = [
    differing > 0 ? vscode.l10n.t('{0} changed since the build', differing) : '',
    missing > 0 ? vscode.l10n.t('{0} not here', missing) : '',
  ].filter(Boolean);
  const text = vscode.l10n.t('{0} of {1} source files matched', matched, total);
  return reasons.length > 0 ? `${text}: ${reasons.join(', ')}` : text;
}

/** Most files are not here: their marks cannot show until the user says where they are. */
async function offerMapping(report: FilesReport): Promise<void> {
  const map = vscode.l10n.t('Map paths...');
  const message = vscode.l10n.t(
    '{0} of the {1} source files of this profile are not here, such as {2}: the program was built elsewhere. Choose the folder that holds them, and their marks will show.',
    report.missing,
    report.total,
    report.missingFiles[0] ?? '',
  );
  if ((await vscode.window.showWarningMessage(message, map)) === map) {
    await vscode.commands.executeCommand(commands.mapPaths);
  }
}
