/** The profile that a workspace showed last is there again after a reload; remembered when it is shown. */
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { type Core, reasonOf } from './core.js';
import { contexts } from './ids.js';

const profileKey = 'profile';
const baselineKey = 'baseline';

export function rememberProfile(core: Core): vscode.Disposable {
  return core.onSelection(({ profile, baseline }) => {
    void vscode.commands.executeCommand('setContext', contexts.hasProfile, profile !== null);
    keep(core, profileKey, profile);
    keep(core, baselineKey, baseline);
  });
}

/** What is only in core's memory cannot be there again. */
function keep({ context }: Core, key: string, file: string | null): void {
  const kept = file && path.isAbsolute(file) ? file : undefined;
  if (kept !== context.workspaceState.get(key)) void context.workspaceState.update(key, kept);
}

/** Starts core only when there is something to show. A trace is not replayed unasked: that takes long. */
export async function restoreProfile(core: Core): Promise<void> {
  const { workspaceState } = core.context;
  const file = workspaceState.get<string>(profileKey);
  // Read before the profile is opened: that one is compared with nothing yet, and would be remembered so.
  const baseline = workspaceState.get<string>(baselineKey);
  if (!file || !isThere(file)) return;
  core.expect(file);
  try {
    await core.request('pagelens/open', { file });
    if (baseline && isThere(baseline)) await core.request('pagelens/compare', { file: baseline });
  } catch (error) {
    core.log.warn(`${file} could not be shown again as it was: ${reasonOf(error)}`);
  }
}

function isThere(file: string): boolean {
  return file.endsWith('.pagelens') && existsSync(file);
}
