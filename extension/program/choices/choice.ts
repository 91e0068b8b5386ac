/** A program that the user may choose, and where such come from. */
import * as vscode from 'vscode';
import { commands } from '../../ids.js';
import type { Builders } from '../build/builders.js';
import type { Target } from '../target.js';

export interface Choice {
  readonly label: string;
  readonly description?: string;
  /** What is told under it, such as why it cannot be chosen. */
  readonly detail?: string;
  /** Asked when it is chosen; undefined: the user thought better of it. */
  target(): Target | undefined | Promise<Target | undefined>;
  /** The source file that it builds alone. */
  readonly file?: string;
  /** Name of the executable's file, for choices that build one. */
  readonly executable?: string;
}

export interface Provider {
  readonly title: string;
  /** Whether there may be choices in the folder; quick, since the answer decides whether the user is asked at all. */
  applies(folder: vscode.WorkspaceFolder): boolean;
  find(folder: vscode.WorkspaceFolder, builders: Builders, signal: AbortSignal): Promise<readonly Choice[]>;
}

/** Stands in the list for programs that could not be found; choosing it shows the log. */
export function failedSearch(label: string, reason: string): Choice {
  return {
    label,
    detail: reason,
    async target() {
      await vscode.commands.executeCommand(commands.showLog);
      return undefined;
    },
  };
}
