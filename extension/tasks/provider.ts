/**
 * Tasks of type `pagelens`: `build` runs the build with compilers that have access hooks, `profile` profiles. For
 * `tasks.json`, for "Run Task", and for tasks that depend on each other.
 */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { configuredBuild, expand } from '../config.js';
import { taskType } from '../ids.js';
import { BuildTerminal } from '../program/build/buildTerminal.js';
import type { BuildPlan } from '../program/build/plan.js';
import { configuredTarget } from '../program/findTarget.js';
import type { Profiler } from '../program/profiler.js';
import type { Target } from '../program/target.js';
import { RunTerminal } from './runTerminal.js';

/** As `taskDefinitions` of the manifest describe it. */
interface Definition extends vscode.TaskDefinition {
  readonly task: 'build' | 'profile';
  readonly command?: string;
  readonly program?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** When accesses are recorded: options of the command line (docs/marks.md). */
  readonly startAt?: string;
  readonly stopAt?: string;
  readonly startAfter?: number;
  readonly stopAfter?: number;
  readonly paused?: boolean;
}

/** For messages of gcc, clang and gfortran; users may name it in tasks of their own. */
const matcher = '$pagelens-gcc';

export function registerTasks(profiler: Profiler): vscode.Disposable {
  const provider: vscode.TaskProvider = {
    provideTasks: () => (vscode.workspace.workspaceFolders ?? []).flatMap(folder => offered(folder, profiler)),
    resolveTask({ definition, scope, name }) {
      const folder = typeof scope === 'object' ? scope : vscode.workspace.workspaceFolders?.[0];
      return folder && taskOf(definition as Definition, folder, profiler, name);
    },
  };
  return vscode.tasks.registerTaskProvider(taskType, provider);
}

/** What the settings say can be done. */
function offered(folder: vscode.WorkspaceFolder, profiler: Profiler): vscode.Task[] {
  const build = configuredBuild(folder.uri) && taskOf({ type: taskType, task: 'build' }, folder, profiler);
  const profile = configuredTarget(folder.uri) && taskOf({ type: taskType, task: 'profile' }, folder, profiler);
  return [build, profile].filter(task => task !== undefined);
}

function taskOf(definition: Definition, folder: vscode.WorkspaceFolder, profiler: Profiler, name?: string) {
  const run = runs[definition.task];
  if (!run) return undefined;
  const execution = new vscode.CustomExecution(async () => run(definition, folder, profiler));
  const title = name ?? (definition.task === 'build' ? vscode.l10n.t('build') : vscode.l10n.t('profile'));
  const task = new vscode.Task(definition, folder, title, 'Pagelens', execution, matcher);
  if (definition.task === 'build') task.group = vscode.TaskGroup.Build;
  return task;
}

type Run = (definition: Definition, folder: vscode.WorkspaceFolder, profiler: Profiler) => vscode.Pseudoterminal;

const runs: Readonly<Record<Definition['task'], Run>> = { build: buildTerminal, profile: profileTerminal };

function buildTerminal(definition: Definition, folder: vscode.WorkspaceFolder, profiler: Profiler): BuildTerminal {
  return new BuildTerminal(async () => {
    const plan = planOf(definition, folder);
    if (!plan)
      throw new Error(
        vscode.l10n.t('There is nothing to run: give the task a "command", or set "pagelens.buildCommand".'),
      );
    return profiler.builders.steps(plan);
  });
}

function planOf({ command }: Definition, folder: vscode.WorkspaceFolder): BuildPlan | undefined {
  if (!command) return configuredBuild(folder.uri);
  return { kind: 'command', command: expand(command, folder.uri), folder: folder.uri.fsPath };
}

function profileTerminal(definition: Definition, folder: vscode.WorkspaceFolder, profiler: Profiler): RunTerminal {
  return new RunTerminal(profiler, () => targetOf(definition, folder));
}

/** What the task does not say, the settings do. */
function targetOf(definition: Definition, folder: vscode.WorkspaceFolder): Target | undefined {
  const { program, args, env, cwd } = definition;
  const configured = configuredTarget(folder.uri);
  if (!program && !configured) return undefined;
  const build = planOf(definition, folder);
  return {
    scope: folder.uri,
    program: program ? path.resolve(folder.uri.fsPath, expand(program, folder.uri)) : configured!.program,
    ...(build && { build }),
    ...(args && { arguments: args }),
    ...(env && { environment: env }),
    ...(cwd && { workingDirectory: cwd }),
    ...windowOf(definition),
  };
}

function windowOf({ startAt, stopAt, startAfter, stopAfter, paused }: Definition): Pick<Target, 'window'> {
  const window = {
    ...(startAt && { startAt }),
    ...(stopAt && { stopAt }),
    ...(startAfter && { startAfter }),
    ...(stopAfter && { stopAfter }),
    ...(paused && { paused }),
  };
  return Object.keys(window).length > 0 ? { window } : {};
}
