/** Executables in the folder that were built with access hooks, such as by `make CC="pagelens cc"` in a terminal. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Choice, Provider } from './choice.js';

export const built: Provider = {
  title: vscode.l10n.t('Built with Pagelens'),
  // Core would have to be asked, and what is there is no reason to ask the user.
  applies: () => false,
  async find(folder, { core }) {
    const files = await core.request('pagelens/findPrograms', { folder: folder.uri.fsPath });
    return files.map(
      (file): Choice => ({
        label: path.relative(folder.uri.fsPath, file),
        target: () => ({ program: file, scope: vscode.Uri.file(file) }),
      }),
    );
  },
};
