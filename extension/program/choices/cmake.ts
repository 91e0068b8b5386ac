/** The executables of a CMake project, built in a folder of ours; with the target that CMake Tools would launch. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { reasonOf } from '../../core.js';
import { cmakeProject } from '../build/toolSettings.js';
import { type Choice, failedSearch, type Provider } from './choice.js';
import { knowsLaunchTarget, launchTargetPath } from './otherTools.js';

export const cmake: Provider = {
  title: 'CMake',
  applies: folder => cmakeProject(folder) !== null,
  async find(folder, builders, signal) {
    const project = cmakeProject(folder);
    if (!project) return [];
    try {
      const executables = await builders.cmakeExecutables(project, signal);
      const choices = executables.map(
        ({ target, file }): Choice => ({
          label: target,
          description: vscode.l10n.t('CMake target'),
          executable: path.basename(file),
          target: () => ({
            program: null,
            scope: folder.uri,
            build: { kind: 'cmake', folder: folder.uri.fsPath, target },
          }),
        }),
      );
      return (await knowsLaunchTarget()) ? [launchTarget(choices), ...choices] : choices;
    } catch (error) {
      if (signal.aborted) return [];
      return [failedSearch(vscode.l10n.t('$(warning) CMake could not configure the project'), reasonOf(error))];
    }
  },
};

/** CMake Tools knows what the user launches; the file is asked for when it is chosen, since that may ask the user. */
function launchTarget(choices: readonly Choice[]): Choice {
  return {
    label: vscode.l10n.t('Launch target of CMake Tools'),
    async target() {
      const file = await launchTargetPath();
      if (file === undefined) return undefined;
      const chosen = choices.find(({ executable }) => executable === path.basename(file));
      if (!chosen) void vscode.window.showErrorMessage(noTarget(path.basename(file)));
      return chosen?.target();
    },
  };
}

function noTarget(name: string): string {
  return vscode.l10n.t(
    'CMake Tools would launch {0}, which no target of the project makes as Pagelens configures it; choose a target instead.',
    name,
  );
}
