/**
 * What the two ends of a program's terminal say to each other: one JSON object a line over a local socket.
 */

/** From the process in the terminal to the extension. */
export type FromTerminal =
  | { readonly kind: 'ready'; readonly device: string }
  /** Ctrl+C was pressed. */
  | { readonly kind: 'interrupt' };

/** From the extension to the process in the terminal: print this and end. */
export interface ToTerminal {
  readonly text: string;
  readonly status: number;
}

/** Calls back for every whole line; a line may arrive in pieces. */
export function onLines(stream: NodeJS.ReadableStream, line: (text: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(line);
  });
}
