/** Registration, and nothing else: core starts with the first need for it. */
import * as vscode from 'vscode';
import { FocusLink } from './annotations/focus.js';
import { Legend } from './annotations/legend.js';
import { LineMarks } from './annotations/lineMarks.js';
import { MatchedFiles } from './annotations/matchedFiles.js';
import { registerTools } from './chat/tools.js';
import { registerCommands } from './commands.js';
import { Core } from './core.js';
import { profileEditor, views } from './ids.js';
import { installLauncher } from './launcher.js';
import { createProfileOnSave } from './program/profileOnSave.js';
import { Profiler } from './program/profiler.js';
import { rememberProfile, restoreProfile } from './restore.js';
import { createStatusBar } from './statusBar.js';
import { registerTasks } from './tasks/provider.js';
import { Testing } from './testing/testing.js';
import { UriHandler } from './uriHandler.js';
import { Dashboards } from './views/dashboard.js';
import { HotRegions } from './views/hotRegions.js';
import { ProfileEditor } from './views/profileEditor.js';

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Pagelens', { log: true });
  const core = new Core(context, log);
  const dashboards = new Dashboards(core);
  const profiler = new Profiler(core);
  const files = new MatchedFiles(core);
  const legend = new Legend(core, files);
  const marks = new LineMarks(core);
  const restored = restoreProfile(core);
  context.subscriptions.push(
    log,
    core,
    dashboards,
    files,
    legend,
    marks,
    new FocusLink(core, dashboards, marks),
    new HotRegions(core, files),
    createStatusBar(core, files),
    rememberProfile(core),
    profiler,
    createProfileOnSave(core, profiler),
    registerTasks(profiler),
    registerCommands(core, profiler, dashboards, legend),
    registerTools(core),
    new Testing(core, profiler),
    vscode.window.registerUriHandler(new UriHandler(core, dashboards, restored)),
    vscode.window.registerWebviewViewProvider(views.dashboard, dashboards),
    vscode.window.registerCustomEditorProvider(profileEditor, new ProfileEditor(core, dashboards)),
  );
  // Not part of activation, nor is restoring: the window does not wait for either.
  void installLauncher(context).catch(error => log.warn(String(error)));
}
