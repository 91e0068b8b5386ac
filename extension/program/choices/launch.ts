/** Native programs of `launch.json`, with their arguments, environment and working directory; and Makefile Tools'. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { variableContext } from '../../config.js';
import { type LaunchProgram, launchPrograms } from '../launchConfigurations.js';
import type { Target } from '../target.js';
import { expandVariables, unknownVariables } from '../variables.js';
import type { Choice, Provider } from './choice.js';
import { toolResults } from './otherTools.js';

export const launch: Provider = {
  title: 'launch.json',
  applies: folder => programsOf(folder).length > 0,
  find: async folder =>
    programsOf(folder).map(
      (program): Choice => ({
        label: program.name,
        description: [program.program, ...program.arguments].join(' '),
        target: () => targetFrom(program, folder),
      }),
    ),
};

function programsOf(folder: vscode.WorkspaceFolder): LaunchProgram[] {
  const configurations = vscode.workspace.getConfiguration('launch', folder.uri).get('configurations');
  const makefile = vscode.workspace.getConfiguration('makefile', folder.uri).get('launchConfigurations');
  return [...launchPrograms(configurations), ...makefilePrograms(makefile)];
}

/**
 * `makefile.launchConfigurations` of Makefile Tools: `binaryPath`, `binaryArgs`, `cwd`, and a `name` that may be given
 * (vscode-makefile-tools README, "Debugging and running targets").
 */
function makefilePrograms(value: unknown): LaunchProgram[] {
  if (!Array.isArray(value)) return [];
  return value
    .filter(entry => typeof entry?.binaryPath === 'string')
    .map(({ name, binaryPath, binaryArgs, cwd }) => ({
      name: String(name ?? path.basename(binaryPath)),
      program: binaryPath,
      arguments: Array.isArray(binaryArgs) ? binaryArgs.map(String) : [],
      environment: {},
      workingDirectory: typeof cwd === 'string' ? cwd : '',
    }));
}

async function targetFrom(launched: LaunchProgram, folder: vscode.WorkspaceFolder): Promise<Target | undefined> {
  const context = { ...variableContext(folder.uri), commands: await toolResults(everyText(launched)) };
  const unknown = unknownVariables(everyText(launched), context);
  if (unknown.length > 0) {
    await explainUnknown(launched.name, unknown[0]!);
    return undefined;
  }
  const text = (value: string) => expandVariables(value, context);
  const environment = Object.entries(launched.environment).map(([name, value]) => [name, text(value)]);
  return {
    program: path.resolve(folder.uri.fsPath, text(launched.program)),
    scope: folder.uri,
    arguments: launched.arguments.map(text),
    environment: Object.fromEntries(environment),
    ...(launched.workingDirectory && { workingDirectory: text(launched.workingDirectory) }),
  };
}

function everyText({ program, arguments: words, environment, workingDirectory }: LaunchProgram): string {
  return [program, ...words, ...Object.values(environment), workingDirectory].join('\n');
}

async function explainUnknown(name: string, variable: string): Promise<void> {
  const open = vscode.l10n.t('Open launch.json');
  const message = vscode.l10n.t(
    'The launch configuration "{0}" uses {1}, which only a debugger can fill in. Write a value in its place, or set "pagelens.program".',
    name,
    `\${${variable}}`,
  );
  if ((await vscode.window.showErrorMessage(message, open)) === open)
    await vscode.commands.executeCommand('workbench.action.debug.configure');
}
