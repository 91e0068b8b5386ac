/** CMake Tools and Makefile Tools, asked through the commands that they offer to others; each may be missing. */
import * as vscode from 'vscode';

const extensions = { cmake: 'ms-vscode.cmake-tools', makefile: 'ms-vscode.makefile-tools' } as const;
/** Without the `get`, CMake Tools would build first, which the hooks' build does anyway. */
const ids = { cmake: 'cmake.getLaunchTargetPath', makefile: 'makefile.getLaunchTargetPath' } as const;

/** The commands of those that are installed and run. */
export async function launchTargetCommands(): Promise<{ readonly cmake?: string; readonly makefile?: string }> {
  const active = (tool: keyof typeof extensions) => vscode.extensions.getExtension(extensions[tool])?.isActive === true;
  if (!active('cmake') && !active('makefile')) return {};
  const known = new Set(await vscode.commands.getCommands(true));
  const of = (tool: keyof typeof extensions) => active(tool) && known.has(ids[tool]);
  return { ...(of('cmake') && { cmake: ids.cmake }), ...(of('makefile') && { makefile: ids.makefile }) };
}

/** undefined: nothing is chosen there, or the tool failed, which it tells itself. */
export async function launchTargetPath(command: string): Promise<string | undefined> {
  try {
    const file = await vscode.commands.executeCommand<unknown>(command);
    return typeof file === 'string' && file !== '' ? file : undefined;
  } catch {
    return undefined;
  }
}

/** `${command:ID}` in launch configurations that ask for what is launched. */
export function toolOfVariable(text: string): keyof typeof ids | undefined {
  const id = /\$\{command:(\w+)\.(?:get)?[lL]aunchTargetPath\}/.exec(text)?.[1];
  return id === 'cmake' || id === 'makefile' ? id : undefined;
}
