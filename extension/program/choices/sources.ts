/** Source files with a main, each built alone. */
import { readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import { hasMain } from '../sourceFile.js';
import type { Choice, Provider } from './choice.js';

/** Files listed by the pick; beyond them the user would type a name anyway. */
const maxListed = 200;

export const sources: Provider = {
  title: vscode.l10n.t('Source files'),
  applies: () => false,
  async find(folder) {
    const pattern = new vscode.RelativePattern(folder, '**/*.{c,cc,cpp,cxx,f90}');
    const files = await vscode.workspace.findFiles(pattern, undefined, maxListed);
    const texts = await Promise.all(files.map(file => readFile(file.fsPath, 'utf8').catch(() => '')));
    return files
      .filter((_, i) => hasMain(texts[i]!))
      .sort((a, b) => (a.fsPath < b.fsPath ? -1 : 1))
      .map(
        (file): Choice => ({
          label: vscode.workspace.asRelativePath(file),
          file: file.fsPath,
          target: () => ({ program: file.fsPath, scope: file }),
        }),
      );
  },
};
