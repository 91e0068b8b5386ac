/**
 * Stands for CMake Tools: the settings, commands and API that its documentation names (docs/cmake-settings.md, "Command
 * substitution"), for a project whose launch target is build/scan. The real one cannot be installed without a gallery.
 */
const { writeFileSync } = require('node:fs');
const path = require('node:path');
const vscode = require('vscode');

exports.activate = ({ subscriptions }) => {
  const [{ uri }] = vscode.workspace.workspaceFolders;
  const target = path.join(uri.fsPath, 'build/scan');
  const building = value => () => {
    writeFileSync(path.join(uri.fsPath, 'built-by-cmake-tools'), '');
    return value;
  };
  const commands = {
    // "If cmake.buildBeforeRun is true, invoking this substitution will also start a build."
    'cmake.launchTargetPath': building(target),
    'cmake.launchTargetDirectory': building(path.dirname(target)),
    'cmake.launchTargetFilename': building(path.basename(target)),
    'cmake.getLaunchTargetPath': async () => target,
    'cmake.getLaunchTargetDirectory': async () => path.dirname(target),
    'cmake.getLaunchTargetFilename': async () => path.basename(target),
    'cmake.buildType': async () => 'Debug',
  };
  for (const [id, run] of Object.entries(commands)) subscriptions.push(vscode.commands.registerCommand(id, run));
  return { getApi: () => ({}) };
};
