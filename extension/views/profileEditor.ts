/** `*.pagelens` and `*.pltrace` as read-only editors: opening one makes it the current profile and shows the dashboard. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { replayOptions } from '../config.js';
import { type Core, reasonOf } from '../core.js';
import type { Dashboards } from './dashboard.js';

export class ProfileEditor implements vscode.CustomReadonlyEditorProvider {
  constructor(
    readonly core: Core,
    readonly dashboards: Dashboards,
  ) {}

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    // Core starts while the editor makes its tab.
    this.core.expect(uri.fsPath);
    return { uri, dispose: () => {} };
  }

  async resolveCustomEditor(document: vscode.CustomDocument, panel: vscode.WebviewPanel): Promise<void> {
    const file = document.uri.fsPath;
    panel.onDidDispose(this.dashboards.attach(panel.webview, () => panel.visible));
    panel.onDidChangeViewState(() => {
      // There is one current profile: that of the editor in front.
      if (panel.active && this.core.selection?.profile !== file) void openProfile(this.core, file);
    });
    await openProfile(this.core, file);
  }
}

/** Opens a profile or replays a trace, with progress; tells the user when that is not possible. */
export async function openProfile(core: Core, file: string): Promise<void> {
  const name = path.basename(file);
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: vscode.l10n.t('Opening {0}', name),
    cancellable: true,
  };
  try {
    await vscode.window.withProgress(options, async (progress, token) => {
      const listener = core.onProgress(now => now && progress.report({ message: now.message }));
      try {
        await core.request('pagelens/open', { file, options: replayOptions(vscode.Uri.file(file)) }, token);
      } finally {
        listener.dispose();
      }
    });
  } catch (error) {
    void vscode.window.showErrorMessage(vscode.l10n.t('{0} could not be opened: {1}', name, reasonOf(error)));
  } finally {
    core.progressEnded();
  }
}
