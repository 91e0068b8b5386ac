/** The programs that a folder's makefile links; for one that only calls others, whatever comes out. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { reasonOf } from '../../core.js';
import { hasMakefile, readMakeDatabase } from '../build/makeTargets.js';
import { makeOptions } from '../build/toolSettings.js';
import { type Choice, failedSearch, type Provider } from './choice.js';

export const make: Provider = {
  title: 'make',
  applies: folder => hasMakefile(makeOptions(folder)),
  async find(folder, _, signal) {
    const options = makeOptions(folder);
    if (!hasMakefile(options)) return [];
    const plan = (goal: string | null) => ({
      program: null,
      scope: folder.uri,
      build: { kind: 'make' as const, folder: folder.uri.fsPath, goal },
    });
    try {
      const { programs } = await readMakeDatabase(options, signal);
      const targets = programs.map(
        (goal): Choice => ({
          label: goal,
          description: vscode.l10n.t('make target'),
          executable: path.basename(goal),
          target: () => plan(goal),
        }),
      );
      const everything: Choice = {
        label: vscode.l10n.t('Whatever make builds'),
        description: vscode.l10n.t('default goal'),
        target: () => plan(null),
      };
      return [...targets, everything];
    } catch (error) {
      return signal.aborted
        ? []
        : [failedSearch(vscode.l10n.t('$(warning) The makefile could not be read'), reasonOf(error))];
    }
  },
};
