/** Every command of the extension: an id and what it does. */
import * as vscode from 'vscode';
import type { Legend } from './annotations/legend.js';
import { mapPaths } from './annotations/mapPaths.js';
import { toggleAnnotations } from './annotations/toggle.js';
import { chooseTracker } from './chooseTracker.js';
import { compare } from './compare.js';
import { type Core, reasonOf } from './core.js';
import { exportReport } from './exportReport.js';
import { type CommandId, commands, profileEditor } from './ids.js';
import { findTarget } from './program/findTarget.js';
import { pickExecutable } from './program/picks.js';
import { toggleProfileOnSave } from './program/profileOnSave.js';
import { explainTrust, type Profiler } from './program/profiler.js';
import { profileSample } from './program/sample.js';
import type { Target } from './program/target.js';
import type { Dashboards } from './views/dashboard.js';

export function registerCommands(
  core: Core,
  profiler: Profiler,
  dashboards: Dashboards,
  legend: Legend,
): vscode.Disposable {
  /** Trust comes first: nobody should pick a program only to be refused. */
  const profile = async (choose: () => Promise<Target | undefined>) => {
    if (!vscode.workspace.isTrusted) return explainTrust();
    const target = await choose();
    if (target) await profiler.run(target);
  };
  const table: Readonly<Record<CommandId, (argument?: unknown) => unknown>> = {
    [commands.profile]: uri =>
      profile(() => findTarget(profiler.builders, uri instanceof vscode.Uri ? uri : undefined)),
    [commands.profileExecutable]: uri =>
      profile(async () => (uri instanceof vscode.Uri ? { program: uri.fsPath, scope: uri } : pickExecutable())),
    [commands.rerun]: () => profile(async () => profiler.lastTarget ?? findTarget(profiler.builders, undefined)),
    [commands.cancel]: () => profiler.cancel(),
    [commands.open]: () => openFile(),
    [commands.compare]: uri => compare(core, uri instanceof vscode.Uri ? uri : undefined),
    [commands.toggleAnnotations]: () => toggleAnnotations(core.context),
    [commands.export]: () => exportReport(core),
    [commands.clear]: async () => {
      await core.request('pagelens/clear', {});
    },
    [commands.showLog]: () => core.log.show(),
    [commands.openDashboard]: () => dashboards.openPanel(),
    [commands.chooseTracker]: () => chooseTracker(core),
    [commands.profileSample]: () => profileSample(core, profiler),
    [commands.toggleProfileOnSave]: () => toggleProfileOnSave(),
    [commands.startRecording]: () => core.request('pagelens/window', { open: true }),
    [commands.stopRecording]: () => core.request('pagelens/window', { open: false }),
    [commands.showLegend]: () => legend.show(),
    [commands.mapPaths]: () => mapPaths(core),
  };
  const registered = Object.entries(table).map(([id, run]) =>
    vscode.commands.registerCommand(id, async (argument?: unknown) => {
      try {
        await run(argument);
      } catch (error) {
        core.log.error(error instanceof Error ? error : String(error));
        void vscode.window.showErrorMessage(reasonOf(error));
      }
    }),
  );
  return vscode.Disposable.from(...registered);
}

async function openFile(): Promise<void> {
  const [file] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Open a profile or trace'),
      filters: { [vscode.l10n.t('Profiles and traces')]: ['pagelens', 'pltrace'] },
      defaultUri: vscode.workspace.workspaceFolders?.[0]?.uri,
    })) ?? [];
  if (file) await vscode.commands.executeCommand('vscode.openWith', file, profileEditor);
}
