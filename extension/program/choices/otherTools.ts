/**
 * CMake Tools and Makefile Tools, asked through the commands that they document for `${command:...}` in launch.json
 * (vscode-cmake-tools docs/cmake-settings.md, "Command substitution"; vscode-makefile-tools docs/makefile-settings.md).
 * Each may be missing.
 */
import * as vscode from 'vscode';

const extensions = { cmake: 'ms-vscode.cmake-tools', makefile: 'ms-vscode.makefile-tools' } as const;
type Tool = keyof typeof extensions;

/** What has no effect when it is asked ... */
const questions: Readonly<Record<Tool, readonly string[]>> = {
  cmake: [
    'getLaunchTargetPath',
    'getLaunchTargetDirectory',
    'getLaunchTargetFilename',
    'buildTargetName',
    'buildType',
    'buildKit',
    'buildDirectory',
    'activeFolderName',
    'activeFolderPath',
  ],
  makefile: [
    'getLaunchTargetPath',
    'getLaunchTargetDirectory',
    'getLaunchTargetFileName',
    'getLaunchTargetArgsConcat',
    'makeBaseDirectory',
  ],
};

/** ... in place of what would build first, which the build with hooks does anyway: `launchTargetPath` and its like. */
function questionFor(tool: Tool, name: string): string | undefined {
  const asked = name.replace(/^launchTarget/, 'getLaunchTarget');
  return questions[tool].includes(asked) ? `${tool}.${asked}` : undefined;
}

/** Whether CMake Tools runs and can say what it would launch. */
export async function knowsLaunchTarget(): Promise<boolean> {
  if (!vscode.extensions.getExtension(extensions.cmake)?.isActive) return false;
  return (await vscode.commands.getCommands(true)).includes('cmake.getLaunchTargetPath');
}

/** The executable that CMake Tools would launch; it asks the user when none is chosen there. undefined: none. */
export function launchTargetPath(): Promise<string | undefined> {
  return answer('cmake.getLaunchTargetPath');
}

/** Values of the `${command:...}` in a text that these tools answer, by id; the tool is started when it is installed. */
export async function toolResults(text: string): Promise<Record<string, string>> {
  const results: Record<string, string> = {};
  for (const [, id, tool, name] of text.matchAll(/\$\{command:((cmake|makefile)\.(\w+))\}/g)) {
    const question = questionFor(tool as Tool, name!);
    if (!question || id! in results) continue;
    await vscode.extensions.getExtension(extensions[tool as Tool])?.activate();
    const value = await answer(question);
    if (value !== undefined) results[id!] = value;
  }
  return results;
}

/** undefined: there is no answer, or the tool failed, which it tells itself. */
async function answer(command: string): Promise<string | undefined> {
  try {
    const value = await vscode.commands.executeCommand<unknown>(command);
    return typeof value === 'string' && value !== '' ? value : undefined;
  } catch {
    return undefined;
  }
}
