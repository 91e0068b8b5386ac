/** Words for a POSIX shell. */

/** One word, whatever it holds. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A script that runs the command line of Pagelens with this Node, which may be the editor's own. */
export function launcherScript(node: string, cli: string, words: readonly string[] = []): string {
  const command = [node, cli, ...words].map(shellWord).join(' ');
  return `#!/bin/sh\nELECTRON_RUN_AS_NODE=1 exec ${command} "$@"\n`;
}
