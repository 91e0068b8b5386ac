/** "Compare with...": another profile beside the one that is shown; and ending that. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { type Core, reasonOf } from './core.js';

/** @param uri from the explorer's menu; else the user picks a file */
export async function compare(core: Core, uri: vscode.Uri | undefined): Promise<void> {
  const file = uri ?? (await pick(core));
  if (file === undefined) return;
  if (file === 'none') {
    await core.request('pagelens/select', { baseline: null });
    return;
  }
  const name = path.basename(file.fsPath);
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: vscode.l10n.t('Comparing with {0}', name),
    cancellable: true,
  };
  await vscode.window.withProgress(options, async (progress, token) => {
    const listener = core.onProgress(now => now && progress.report({ message: now.message }));
    try {
      await core.request('pagelens/compare', { file: file.fsPath }, token);
    } catch (error) {
      throw new Error(vscode.l10n.t('{0} cannot be compared with: {1}', name, reasonOf(error)));
    } finally {
      listener.dispose();
      core.progressEnded();
    }
  });
}

/** While there is a comparison, ending it is offered first. */
async function pick(core: Core): Promise<vscode.Uri | 'none' | undefined> {
  const baseline = core.selection?.baseline ?? null;
  if (baseline !== null) {
    const end = { label: vscode.l10n.t('End the comparison'), icon: 'close' };
    const other = { label: vscode.l10n.t('Compare with another profile...'), icon: 'folder-opened' };
    const items = [end, other].map(({ label, icon }) => ({ label, iconPath: new vscode.ThemeIcon(icon) }));
    const chosen = await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t('Compared with {0}', path.basename(baseline)),
    });
    if (!chosen) return undefined;
    if (chosen.label === end.label) return 'none';
  }
  const [file] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Compare the shown profile with'),
      openLabel: vscode.l10n.t('Compare'),
      filters: { [vscode.l10n.t('Profiles and traces')]: ['pagelens', 'pltrace'] },
      defaultUri: vscode.workspace.workspaceFolders?.[0]?.uri,
    })) ?? [];
  return file;
}
