/** The script that is `pagelens` in a terminal: a POSIX shell script. */

/** The paths may hold blanks and quotes. */
export function launcherScript(node: string, cli: string): string {
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  return `#!/bin/sh\nELECTRON_RUN_AS_NODE=1 exec ${quote(node)} ${quote(cli)} "$@"\n`;
}
