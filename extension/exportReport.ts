/** "Export the report": the same report in the form that its reader wants, or the profile itself. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ExportFormat } from '../core/protocol.js';
import type { Core } from './core.js';

/** By how the file's name ends. */
const formats: Readonly<Record<string, ExportFormat | 'pagelens'>> = {
  pagelens: 'pagelens',
  // Before the report, whose name these also end in.
  'placement.json': 'placement',
  'speedscope.json': 'speedscope',
  'numactl.sh': 'numactl',
  html: 'html',
  md: 'md',
  json: 'json',
  csv: 'csv',
  txt: 'text',
  callgrind: 'callgrind',
  pprof: 'pprof',
  parquet: 'parquet',
};

export async function exportReport(core: Core): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const target = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Export the profile or its report'),
    filters: {
      [vscode.l10n.t('Pagelens profile')]: ['pagelens'],
      [vscode.l10n.t('Web page')]: ['html'],
      Markdown: ['md'],
      JSON: ['json'],
      [vscode.l10n.t('Placement, for pagelens apply')]: ['placement.json'],
      [vscode.l10n.t('Placement by node, for numactl')]: ['numactl.sh'],
      CSV: ['csv'],
      [vscode.l10n.t('Text')]: ['txt'],
      'Callgrind, KCachegrind': ['callgrind'],
      pprof: ['pprof'],
      speedscope: ['speedscope.json'],
      Parquet: ['parquet'],
    },
    defaultUri: folder && vscode.Uri.joinPath(folder, 'profile.pagelens'),
  });
  if (!target) return;
  const file = target.fsPath;
  const name = path.basename(file).toLowerCase();
  const format = Object.entries(formats).find(([ending]) => name.endsWith(`.${ending}`))?.[1];
  if (!format) {
    const known = Object.keys(formats).map(extension => `.${extension}`);
    throw new Error(vscode.l10n.t('{0}: the name must end in one of {1}', path.basename(file), known.join(', ')));
  }
  if (format === 'pagelens') await core.request('pagelens/save', { file });
  else await core.request('pagelens/export', { file, format });
}
