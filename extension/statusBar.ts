/** The status-bar item: what is going on, or what is shown; a click opens the dashboard, or stops a run. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ProfileProgress } from '../core/protocol.js';
import { type MatchedFiles, matchedText } from './annotations/matchedFiles.js';
import type { Core } from './core.js';
import { commands } from './ids.js';
import { progressText } from './program/profiler.js';

export function createStatusBar(core: Core, files: MatchedFiles): vscode.Disposable {
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
      item.tooltip = shownTooltip(path.basename(profile), files);
      item.command = commands.openDashboard;
    }
    if (progress || profile) item.show();
    else item.hide();
  };
  return vscode.Disposable.from(
    item,
    core.onSelection(draw),
    files.onChange(draw),
    core.onProgress(now => {
      progress = now;
      draw();
    }),
  );
}

/** What is shown, how much of it is in the source here, and what the marks mean. */
function shownTooltip(name: string, { report }: MatchedFiles): vscode.MarkdownString {
  const links = [`[${vscode.l10n.t('Legend')}](command:${commands.showLegend})`];
  if (report && report.missing > 0) links.push(`[${vscode.l10n.t('Map paths...')}](command:${commands.mapPaths})`);
  const text = new vscode.MarkdownString();
  text.appendText(vscode.l10n.t('Profile {0} is shown. Click for the dashboard.', name));
  if (report && report.total > 0) text.appendMarkdown('\n\n').appendText(`${matchedText(report)}.`);
  text.appendMarkdown(`\n\n${links.join(' · ')}`);
  text.isTrusted = { enabledCommands: [commands.showLegend, commands.mapPaths] };
  return text;
}
