/**
 * `pagelens` in integrated terminals: a small script on their PATH that runs the command line with VS Code's own Node,
 * so that nothing else has to be installed.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { launcherScript } from '../core/model/shell.js';

export function launcherFolder(context: vscode.ExtensionContext): string {
  return path.join(context.globalStorageUri.fsPath, 'bin');
}

export async function installLauncher(context: vscode.ExtensionContext): Promise<void> {
  const folder = launcherFolder(context);
  const cli = path.join(context.extensionPath, 'dist', 'cli.cjs');
  await mkdir(folder, { recursive: true });
  const script = path.join(folder, 'pagelens');
  await writeFile(script, launcherScript(process.execPath, cli));
  await chmod(script, 0o755);
  const environment = context.environmentVariableCollection;
  environment.description = vscode.l10n.t('Puts the `pagelens` command on the PATH');
  environment.prepend('PATH', folder + path.delimiter);
}
