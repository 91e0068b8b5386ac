/**
 * "Profile on save": when a file of the profiled program is saved, the program is profiled again. A run that goes on is
 * not disturbed; the next one begins when it has ended.
 */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { section } from '../config.js';
import type { Core } from '../core.js';
import { commands } from '../ids.js';
import type { Profiler } from './profiler.js';

const setting = 'profileOnSave';
/** "Save all" saves many files at a time. */
const settleMs = 300;

export function createProfileOnSave(core: Core, profiler: Profiler): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('pagelens.profileOnSave', vscode.StatusBarAlignment.Left, 9);
  item.name = vscode.l10n.t('Pagelens: Profile on Save');
  item.command = commands.toggleProfileOnSave;
  let timer: NodeJS.Timeout | undefined;
  let waiting = false;
  /** Saved by the editor itself while the user types: no moment to profile. */
  const savedByTimer = new Set<string>();

  const draw = () => {
    const on = isOn();
    item.text = on ? vscode.l10n.t('$(check) Profile on save') : vscode.l10n.t('$(circle-slash) Profile on save');
    item.tooltip = tooltip(on, waiting);
    if (on || core.hasProfile) item.show();
    else item.hide();
  };
  const start = () => {
    waiting = profiler.running;
    const target = profiler.lastTarget;
    if (!waiting && target) void profiler.run(target);
    draw();
  };
  const saved = async (document: vscode.TextDocument) => {
    const byTimer = savedByTimer.delete(document.uri.toString());
    if (!isOn() || byTimer || profiler.saving || !vscode.workspace.isTrusted) return;
    if (!(await isPart(core, profiler, document))) return;
    clearTimeout(timer);
    timer = setTimeout(start, settleMs);
  };
  draw();
  return vscode.Disposable.from(
    item,
    { dispose: () => clearTimeout(timer) },
    vscode.workspace.onWillSaveTextDocument(({ document, reason }) => {
      if (reason === vscode.TextDocumentSaveReason.AfterDelay) savedByTimer.add(document.uri.toString());
    }),
    vscode.workspace.onDidSaveTextDocument(document => void saved(document)),
    vscode.workspace.onDidChangeConfiguration(change => {
      if (change.affectsConfiguration(`${section}.${setting}`)) draw();
    }),
    core.onSelection(draw),
    profiler.onEnded(() => {
      if (waiting) start();
    }),
  );
}

/** For the workspace where there is one; else for the user. */
export async function toggleProfileOnSave(): Promise<void> {
  const { workspaceFolders, workspaceFile } = vscode.workspace;
  const target =
    workspaceFolders || workspaceFile ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
  await vscode.workspace.getConfiguration(section).update(setting, !isOn(), target);
}

function isOn(): boolean {
  return vscode.workspace.getConfiguration(section).get(setting, false);
}

function tooltip(on: boolean, waiting: boolean): string {
  if (waiting) return vscode.l10n.t('A run goes on; the program is profiled again when it has ended.');
  return on
    ? vscode.l10n.t('Saving a file of the profiled program profiles it again. Click to stop that.')
    : vscode.l10n.t('Click to profile the program again whenever one of its files is saved.');
}

/** Whether the program was built from the document: it is the program, the profile has marks in it, or make would look. */
async function isPart(core: Core, profiler: Profiler, { uri, fileName }: vscode.TextDocument): Promise<boolean> {
  const target = profiler.lastTarget;
  if (!target || uri.scheme !== 'file') return false;
  if (target.program === fileName || target.withSources?.includes(fileName)) return true;
  if (target.build && isWithin(fileName, target.build.folder) && isCode(fileName)) return true;
  return core.hasProfile && (await core.request('pagelens/lineHeat', { uri: uri.toString() })) !== null;
}

function isWithin(file: string, folder: string): boolean {
  return file.startsWith(folder + path.sep);
}

function isCode(file: string): boolean {
  return /\.(c|h|cc|hh|cpp|hpp|cxx|hxx|c\+\+|h\+\+|inl|ipp|tpp|inc|f|f90|f95|f03|f08|s)$/i.test(file);
}
