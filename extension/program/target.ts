/** What a run needs to know of its program. Plain data: it is kept for "Profile again". */
import * as vscode from 'vscode';
import type { WindowOptions } from '../../core/model/window.js';
import type { BuildPlan } from './build/plan.js';

export interface Target {
  /** Absolute path of a source file or an executable; null: what the build makes. */
  readonly program: string | null;
  /** Whose settings and workspace folder count. */
  readonly scope: vscode.Uri;
  /** Builds the program first. */
  readonly build?: BuildPlan;
  /** Instead of those of the settings, as from a launch configuration. */
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  readonly cflags?: string;
  /** Records an executable without access hooks as it is. */
  readonly recorder?: 'valgrind';
  /** Which part of the run is recorded; without it all. */
  readonly window?: WindowOptions;
  /** Source files that are built together with the program's. */
  readonly withSources?: readonly string[];
}

type Kept = Omit<Target, 'scope'> & { readonly scope: string };

export function keptTarget(target: Target): Kept {
  return { ...target, scope: target.scope.toString() };
}

export function targetOf(kept: Kept): Target {
  return { ...kept, scope: vscode.Uri.parse(kept.scope) };
}
