/** The `pagelens.*` settings as a profile request. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { ProfileRequest } from '../core/protocol.js';
import type { BuildPlan } from './program/build/plan.js';
import type { Target } from './program/target.js';
import { expandVariables, type VariableContext } from './program/variables.js';

export const section = 'pagelens';

export const annotationKinds = ['lens', 'endOfLine', 'gutter', 'overviewRuler', 'hover'] as const;
export type AnnotationKind = (typeof annotationKinds)[number];

function settings(scope?: vscode.Uri): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration(section, scope);
}

export function shownAnnotations(): ReadonlySet<AnnotationKind> {
  return new Set(settings().get<AnnotationKind[]>('annotations', [...annotationKinds]));
}

/** The configured program, absolute; undefined without one. */
export function configuredProgram(scope: vscode.Uri | undefined): string | undefined {
  const program = settings(scope).get('program', '').trim();
  return program === '' ? undefined : resolve(program, scope);
}

/** The user's own build of a folder; undefined without one. */
export function configuredBuild(scope: vscode.Uri | undefined): BuildPlan | undefined {
  const folder = folderOf(scope);
  const command = settings(scope).get('buildCommand', '').trim();
  return command && folder ? { kind: 'command', command: expand(command, scope), folder } : undefined;
}

/** What the target says itself goes before the settings. */
export function profileRequest(target: Target & { readonly program: string }): ProfileRequest {
  const { program, scope } = target;
  const config = settings(scope);
  const folder = folderOf(scope) ?? path.dirname(program);
  const environment = target.environment ?? config.get<Record<string, string>>('environment', {});
  const named = Object.entries(environment).map(([name, value]) => [name, expand(value, scope)]);
  const cflags = target.cflags ?? config.get('cflags', '');
  return {
    program,
    arguments: (target.arguments ?? config.get<string[]>('arguments', [])).map(text => expand(text, scope)),
    workingDirectory: resolve((target.workingDirectory ?? config.get('workingDirectory', '').trim()) || folder, scope),
    environment: Object.fromEntries(named),
    cflags: [expand(cflags, scope), ...(target.withSources ?? []).map(quoted)].filter(Boolean).join(' '),
    ...(target.recorder && { recorder: target.recorder }),
    ...(target.window && { window: target.window }),
    options: replayOptions(scope),
  };
}

/** A path as one word of the flags. */
function quoted(file: string): string {
  return `"${file.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** Option of the command line for each setting; an empty setting leaves the option at its default. */
const options = {
  machine: 'machine',
  mode: 'mode',
  tracker: 'tracker',
  'tracker-option': 'trackerOption',
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
  if (given.tiers?.endsWith('.json')) given.tiers = resolve(given.tiers, scope);
  return given;
}

export function folderOf(scope: vscode.Uri | undefined): string | undefined {
  const folder = scope && vscode.workspace.getWorkspaceFolder(scope);
  return (folder ?? vscode.workspace.workspaceFolders?.[0])?.uri.fsPath;
}

/** Variables replaced as in `launch.json` and `tasks.json`. */
export function expand(text: string, scope: vscode.Uri | undefined): string {
  return expandVariables(text, variableContext(scope));
}

export function variableContext(scope: vscode.Uri | undefined): VariableContext {
  const active = vscode.window.activeTextEditor?.document;
  const folders = (vscode.workspace.workspaceFolders ?? []).map(({ name, uri }) => [name, uri.fsPath]);
  return {
    folder: folderOf(scope) ?? (scope && path.dirname(scope.fsPath)),
    folders: Object.fromEntries(folders),
    file: active?.uri.scheme === 'file' ? active.fileName : undefined,
    environment: process.env,
  };
}

function resolve(file: string, scope: vscode.Uri | undefined): string {
  return path.resolve(folderOf(scope) ?? '', expand(file, scope));
}
