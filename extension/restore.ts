/** The profile that a workspace showed last is there again after a reload; remembered when it is shown. */
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { type Core, reasonOf } from './core.js';
import { contexts } from './ids.js';

const profileKey = 'profile';

export function rememberProfile(core: Core): vscode.Disposable {
  return core.onSelection(({ profile }) => {
    void vscode.commands.executeCommand('setContext', contexts.hasProfile, profile !== null);
    const kept = profile && path.isAbsolute(profile) ? profile : undefined;
    if (kept !== core.context.workspaceState.get(profileKey)) void core.context.workspaceState.update(profileKey, kept);
  });
}

/** Starts core only when there is something to show. A trace is not replayed unasked: that takes long. */
export async function restoreProfile(core: Core): Promise<void> {
  const file = core.context.workspaceState.get<string>(profileKey);
  if (!file?.endsWith('.pagelens') || !existsSync(file)) return;
  try {
    await core.request('pagelens/open', { file });
  } catch (error) {
    core.log.warn(`${file} could not be opened again: ${reasonOf(error)}`);
  }
}
