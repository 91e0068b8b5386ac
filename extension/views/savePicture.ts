/** "Save picture": a chart of the dashboard as a file, in the form that its name ends in. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { FromWebview } from '../../core/protocol.js';
import { reasonOf } from '../core.js';

type Picture = Omit<Extract<FromWebview, { kind: 'savePicture' }>, 'kind'>;

export async function savePicture(picture: Picture): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const file = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Save picture'),
    // Both first: a dialog without a choice of kinds takes what is typed.
    filters: {
      [vscode.l10n.t('SVG or PNG picture')]: ['svg', 'png'],
      [vscode.l10n.t('SVG picture')]: ['svg'],
      [vscode.l10n.t('PNG picture')]: ['png'],
    },
    defaultUri: folder && vscode.Uri.joinPath(folder, `${fileName(picture.name)}.svg`),
  });
  if (!file) return;
  try {
    await vscode.workspace.fs.writeFile(file, contentFor(file.path, picture));
  } catch (error) {
    const retry = vscode.l10n.t('Choose another file');
    const message = vscode.l10n.t('The picture was not saved: {0}', reasonOf(error));
    if ((await vscode.window.showErrorMessage(message, retry)) === retry) await savePicture(picture);
    return;
  }
  const open = vscode.l10n.t('Open');
  const saved = vscode.l10n.t('Saved {0}.', path.posix.basename(file.path));
  if ((await vscode.window.showInformationMessage(saved, open)) === open) {
    await vscode.commands.executeCommand('vscode.open', file);
  }
}

function contentFor(name: string, { svg, pngBase64 }: Picture): Uint8Array {
  switch (path.posix.extname(name).toLowerCase()) {
    case '.svg':
      return Buffer.from(svg, 'utf8');
    case '.png':
      return Buffer.from(pngBase64, 'base64');
    default:
      throw new Error(vscode.l10n.t('{0}: the name must end in .svg or .png', path.posix.basename(name)));
  }
}

/** What every file system takes: `raytracer working set` as `raytracer-working-set`. */
function fileName(name: string): string {
  return name.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^-+|-+$/g, '') || 'pagelens';
}
