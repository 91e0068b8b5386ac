/** The status-bar item: what is going on, or what is shown; a click opens the dashboard, or stops a run. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ProfileProgress } from '../core/protocol.js';
import type { Core } from './core.js';
import { commands } from './ids.js';
import { progressText } from './program/profiler.js';

export function createStatusBar(core: Core): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('pagelens.status', vscode.StatusBarAlignment.Left, 10);
  item.name = 'Pagelens';
  let progress: ProfileProgress | null = null;
  const draw = () => {
    const profile = core.selection?.profile;
    if (progress) {
      item.text = `$(sync~spin) ${progressText(progress)}`;
      item.tooltip = vscode.l10n.t('Pagelens is profiling. Click to stop; what was recorded is kept.');
      item.command = commands.cancel;
    } else if (profile) {
      item.text = '$(flame) Pagelens';
      item.tooltip = vscode.l10n.t('Profile {0} is shown. Click for the dashboard.', path.basename(profile));
      item.command = commands.openDashboard;
    }
    if (progress || profile) item.show();
    else item.hide();
  };
  return vscode.Disposable.from(
    item,
    core.onSelection(draw),
    core.onProgress(now => {
      progress = now;
      draw();
    }),
  );
}
