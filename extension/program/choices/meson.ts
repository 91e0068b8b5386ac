/** The executables of a Meson project, built in a folder of ours. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { reasonOf } from '../../core.js';
import { isMesonProject } from '../build/mesonTargets.js';
import { type Choice, failedSearch, type Provider } from './choice.js';

export const meson: Provider = {
  title: 'Meson',
  applies: folder => isMesonProject(folder.uri.fsPath),
  async find(folder, builders, signal) {
    if (!meson.applies(folder)) return [];
    try {
      const executables = await builders.mesonExecutables(folder.uri.fsPath, signal);
      return executables.map(
        ({ target, file }): Choice => ({
          label: target.replace(/:executable$/, ''),
          description: vscode.l10n.t('Meson target'),
          executable: path.basename(file),
          target: () => ({
            program: null,
            scope: folder.uri,
            build: { kind: 'meson', folder: folder.uri.fsPath, target },
          }),
        }),
      );
    } catch (error) {
      if (signal.aborted) return [];
      return [failedSearch(vscode.l10n.t('$(warning) Meson could not set up the project'), reasonOf(error))];
    }
  },
};
