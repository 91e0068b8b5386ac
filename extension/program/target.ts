/** Which program to profile: what the user named, what is configured, the file on screen, or a pick. */
import { readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import { configuredProgram } from '../config.js';
import { hasMain, isSourceFile } from './sourceFile.js';

export interface Target {
  /** Absolute path of a source file or an executable. */
  readonly program: string;
  /** Whose settings and workspace folder count. */
  readonly scope: vscode.Uri;
}

/** Files listed by the pick; beyond them the user would type a name anyway. */
const maxListed = 200;

/** undefined: the user closed the pick. */
export async function findTarget(named: vscode.Uri | undefined): Promise<Target | undefined> {
  if (named) return { program: named.fsPath, scope: named };
  const active = vscode.window.activeTextEditor?.document;
  const scope = active?.uri.scheme === 'file' ? active.uri : vscode.workspace.workspaceFolders?.[0]?.uri;
  // A configured program is a decision; the active file is a guess, and often a header or one source of many.
  const program = configuredProgram(scope);
  if (program) return { program, scope: scope ?? vscode.Uri.file(program) };
  if (active?.uri.scheme === 'file' && isSourceFile(active.fileName) && hasMain(active.getText())) {
    return { program: active.fileName, scope: active.uri };
  }
  return pickSource();
}

async function pickSource(): Promise<Target | undefined> {
  const files = await vscode.workspace.findFiles('**/*.{c,cc,cpp,cxx,f90}', undefined, maxListed);
  const texts = await Promise.all(files.map(file => readFile(file.fsPath, 'utf8').catch(() => '')));
  const programs = files.filter((_, i) => hasMain(texts[i] ?? ''));
  const browse = { label: vscode.l10n.t('$(folder-opened) Browse for an executable...'), file: undefined };
  const items = programs
    .sort((a, b) => (a.fsPath < b.fsPath ? -1 : 1))
    .map(file => ({ label: vscode.workspace.asRelativePath(file), file }));
  const picked = await vscode.window.showQuickPick([...items, browse], {
    title: vscode.l10n.t('Profile page accesses'),
    placeHolder: vscode.l10n.t('Pick the source file with main, or an executable built with "pagelens cc"'),
  });
  if (!picked) return undefined;
  return picked.file ? { program: picked.file.fsPath, scope: picked.file } : pickExecutable();
}

export async function pickExecutable(): Promise<Target | undefined> {
  const [file] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Profile an executable'),
      openLabel: vscode.l10n.t('Profile'),
      defaultUri: vscode.workspace.workspaceFolders?.[0]?.uri,
    })) ?? [];
  return file && { program: file.fsPath, scope: file };
}
