/**
 * Stands for Makefile Tools: the settings and commands that its documentation names (docs/makefile-settings.md, "Command
 * substitution"), for a project whose launch target is `scan 7`. The real one cannot be installed without a gallery.
 */
const { writeFileSync } = require('node:fs');
const path = require('node:path');
const vscode = require('vscode');

exports.activate = ({ subscriptions }) => {
  const [{ uri }] = vscode.workspace.workspaceFolders;
  const target = path.join(uri.fsPath, 'scan');
  const commands = {
    // "If makefile.buildBeforeLaunch is true, invoking this substitution will also start a build."
    'makefile.launchTargetPath': () => {
      writeFileSync(path.join(uri.fsPath, 'built-by-makefile-tools'), '');
      return target;
    },
    'makefile.getLaunchTargetPath': async () => target,
    'makefile.getLaunchTargetDirectory': async () => path.dirname(target),
    'makefile.getLaunchTargetFileName': async () => path.basename(target),
    'makefile.getLaunchTargetArgs': async () => ['7'],
    'makefile.getLaunchTargetArgsConcat': async () => '7',
  };
  for (const [id, run] of Object.entries(commands)) subscriptions.push(vscode.commands.registerCommand(id, run));
};
