/** Which program to profile: what the user named, what is configured, the file on screen, or a pick. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { configuredBuild, configuredProgram } from '../config.js';
import type { Builders } from './build/builders.js';
import type { Choice } from './choices/choice.js';
import { providers } from './choices/providers.js';
import { pickProgram } from './picks.js';
import { hasMain, isSourceFile } from './sourceFile.js';
import type { Target } from './target.js';

/** undefined: the user closed the pick. */
export async function findTarget(builders: Builders, named: vscode.Uri | undefined): Promise<Target | undefined> {
  if (named) return { program: named.fsPath, scope: named };
  const active = vscode.window.activeTextEditor?.document;
  const scope = active?.uri.scheme === 'file' ? active.uri : vscode.workspace.workspaceFolders?.[0]?.uri;
  // What is configured is a decision; the active file is a guess, and often a header or one source of many.
  const configured = configuredTarget(scope);
  if (configured) return configured;
  const file = active && activeProgram(active);
  // Alone in its folder it is what is meant; in a project it may also be one of its parts.
  if (file && !vscode.workspace.workspaceFolders?.some(folder => providers.some(found => found.applies(folder))))
    return file;
  return pickProgram(builders, file ? [choiceOf(file)] : []);
}

/** The program and the build of the settings; either may be missing. */
export function configuredTarget(scope: vscode.Uri | undefined): Target | undefined {
  const program = configuredProgram(scope);
  const build = configuredBuild(scope);
  if (!scope || (!program && !build)) return undefined;
  return { program: program ?? null, scope, ...(build && { build }) };
}

function activeProgram(document: vscode.TextDocument): Target | undefined {
  const { uri, fileName } = document;
  const starts = uri.scheme === 'file' && isSourceFile(fileName) && hasMain(document.getText());
  return starts ? { program: fileName, scope: uri } : undefined;
}

function choiceOf(file: Target & { program: string | null }): Choice {
  return {
    label: path.basename(file.program!),
    description: vscode.l10n.t('this file alone'),
    file: file.program!,
    target: () => file,
  };
}
