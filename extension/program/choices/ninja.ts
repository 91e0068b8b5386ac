/** The programs that a folder's `build.ninja` links; a CMake project's are CMake's to tell. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { reasonOf } from '../../core.js';
import { hasNinjaFile, readNinja } from '../build/ninja.js';
import { cmakeProject } from '../build/toolSettings.js';
import { type Choice, failedSearch, type Provider } from './choice.js';

export const ninja: Provider = {
  title: 'Ninja',
  applies: folder => hasNinjaFile(folder.uri.fsPath) && cmakeProject(folder) === null,
  async find(folder, _, signal) {
    if (!ninja.applies(folder)) return [];
    try {
      const { programs } = await readNinja(folder.uri.fsPath, signal);
      return programs.map(
        (target): Choice => ({
          label: target,
          description: vscode.l10n.t('Ninja target'),
          executable: path.basename(target),
          target: () => ({
            program: null,
            scope: folder.uri,
            build: { kind: 'ninja', folder: folder.uri.fsPath, target },
          }),
        }),
      );
    } catch (error) {
      return signal.aborted
        ? []
        : [failedSearch(vscode.l10n.t('$(warning) build.ninja could not be read'), reasonOf(error))];
    }
  },
};
