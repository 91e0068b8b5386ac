/** "Map paths...": the folder that holds the missing files is asked for, and the setting is written. */
import * as vscode from 'vscode';
import { section } from '../config.js';
import type { Core } from '../core.js';
import { commands } from '../ids.js';

/** As settings are written. */
const folderVariable = `\${workspaceFolder}`;

export async function mapPaths(core: Core): Promise<void> {
  const report = await core.request('pagelens/files', {});
  if (!report || report.missing === 0) {
    void vscode.window.showInformationMessage(
      report
        ? vscode.l10n.t('All source files of the profile are here; there is nothing to map.')
        : vscode.l10n.t('No profile is open, so there are no files to map.'),
    );
    return;
  }
  const workspace = vscode.workspace.workspaceFolders?.[0]?.uri;
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Folder that holds {0}', report.missingFiles[0] ?? ''),
      openLabel: vscode.l10n.t('Map to this folder'),
      canSelectFiles: false,
      canSelectFolders: true,
      ...(workspace ? { defaultUri: workspace } : {}),
    })) ?? [];
  if (!chosen) return;
  const proposal = await core.request('pagelens/proposeMapping', { folder: chosen.fsPath });
  if (!proposal) return explainNone(chosen.fsPath);
  const config = vscode.workspace.getConfiguration(section);
  const local =
    workspace && isWithin(proposal.local, workspace.fsPath)
      ? relative(proposal.local, workspace.fsPath)
      : proposal.local;
  await config.update(
    'pathMapping',
    { ...config.get<Record<string, string>>('pathMapping', {}), [proposal.built]: local },
    workspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global,
  );
  void vscode.window.showInformationMessage(
    vscode.l10n.t('{0} is now looked for in {1}. Files found: {2}.', proposal.built, local, proposal.files),
  );
}

async function explainNone(folder: string): Promise<void> {
  const again = vscode.l10n.t('Choose another folder...');
  const message = vscode.l10n.t(
    'None of the missing files is in {0}, at any depth of their paths. Choose the folder that corresponds to the one in which the program was built.',
    folder,
  );
  if ((await vscode.window.showWarningMessage(message, again)) === again) {
    await vscode.commands.executeCommand(commands.mapPaths);
  }
}

function isWithin(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}

/** A setting that is shared must not name this machine's folders. */
function relative(file: string, folder: string): string {
  return `${folderVariable}${file.slice(folder.length)}`;
}
