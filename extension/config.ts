/** The `pagelens.*` settings as a profile request. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ProfileRequest } from '../core/protocol.js';

export const section = 'pagelens';

export const annotationKinds = ['lens', 'endOfLine', 'gutter', 'overviewRuler', 'hover'] as const;
export type AnnotationKind = (typeof annotationKinds)[number];

const folderVariable = /\$\{workspaceFolder\}/g;

function settings(scope?: vscode.Uri): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration(section, scope);
}

export function shownAnnotations(): ReadonlySet<AnnotationKind> {
  return new Set(settings().get<AnnotationKind[]>('annotations', [...annotationKinds]));
}

/** The configured program, absolute; undefined without one. */
export function configuredProgram(scope: vscode.Uri | undefined): string | undefined {
  const program = settings(scope).get('program', '').trim();
  return program === '' ? undefined : resolve(program, folderOf(scope));
}

export function profileRequest(program: string, scope: vscode.Uri): ProfileRequest {
  const config = settings(scope);
  const folder = folderOf(scope) ?? path.dirname(program);
  const expand = (text: string) => text.replaceAll(folderVariable, folder);
  const environment = Object.entries(config.get<Record<string, string>>('environment', {}));
  return {
    program,
    arguments: config.get<string[]>('arguments', []).map(expand),
    workingDirectory: resolve(config.get('workingDirectory', '').trim() || folder, folder),
    environment: Object.fromEntries(environment.map(([name, value]) => [name, expand(value)])),
    cflags: expand(config.get('cflags', '')),
    options: replayOptions(scope),
  };
}

/** Option of the command line for each setting; an empty setting leaves the option at its default. */
const options = {
  machine: 'machine',
  mode: 'mode',
  tracker: 'tracker',
  policy: 'policy',
  tiers: 'tiers',
  capacity: 'capacity',
  'page-size': 'pageSize',
  epoch: 'epoch',
  'time-scale': 'timeScale',
} as const;

export function replayOptions(scope: vscode.Uri | undefined): Record<string, string> {
  const config = settings(scope);
  const texts = Object.entries(options).map(([option, setting]) => {
    const value = config.get<string | number | null>(setting) ?? '';
    return [option, value === 0 ? '' : String(value).trim()] as const;
  });
  const given = Object.fromEntries(texts.filter(([, text]) => text !== ''));
  if (given.tiers?.endsWith('.json')) given.tiers = resolve(given.tiers, folderOf(scope));
  return given;
}

function folderOf(scope: vscode.Uri | undefined): string | undefined {
  const folder = scope && vscode.workspace.getWorkspaceFolder(scope);
  return (folder ?? vscode.workspace.workspaceFolders?.[0])?.uri.fsPath;
}

function resolve(file: string, folder: string | undefined): string {
  const expanded = folder ? file.replaceAll(folderVariable, folder) : file;
  return folder ? path.resolve(folder, expanded) : path.resolve(expanded);
}
