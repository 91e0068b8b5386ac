/** Compiler and linker messages in a build's output, as gcc, clang, gfortran and make write them. */
import * as path from 'node:path';

export interface CompilerMessage {
  /** Absolute. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based; 0: the whole line. */
  readonly column: number;
  readonly severity: 'error' | 'warning' | 'note';
  readonly text: string;
}

const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[mK]`, 'g');
const message = /^(.+?):(\d+):(?:(\d+):)?\s+(?:fatal\s+)?(error|warning|note):\s+(.*)$/i;
const undefinedReference = /^(?:.*: )?([^:\s]+\.\w+):(\d+): (undefined reference to .*)$/;
/** gfortran names the place on a line of its own, and says what is wrong some lines later. */
const fortranPlace = /^(.+?):(\d+):(\d+):$/;
const fortranText = /^(?:Fatal )?(Error|Warning): (.*)$/;
const entering = /^\S*make(?:\[\d+\])?: Entering directory [`'‘]([^'’]+)['’]/;
const leaving = /^\S*make(?:\[\d+\])?: Leaving directory /;

/** @param folder where the build ran: relative names are relative to it, or to where make says it went */
export function compilerMessages(output: string, folder: string): CompilerMessage[] {
  const found: CompilerMessage[] = [];
  const folders = [folder];
  let place: { file: string; line: number; column: number } | null = null;
  for (const raw of output.split(/\r?\n/)) {
    const line = raw.replaceAll(escapes, '');
    const at = (file: string) => path.resolve(folders.at(-1)!, file);
    const entered = entering.exec(line);
    if (entered) folders.push(entered[1]!);
    else if (leaving.test(line) && folders.length > 1) folders.pop();

    const parts = message.exec(line);
    const linked = parts ? null : undefinedReference.exec(line);
    const placed = fortranPlace.exec(line);
    const text = fortranText.exec(line);
    if (parts) {
      const severity = parts[4]!.toLowerCase() as CompilerMessage['severity'];
      found.push({
        file: at(parts[1]!),
        line: Number(parts[2]),
        column: Number(parts[3] ?? 0),
        severity,
        text: parts[5]!,
      });
    } else if (linked) {
      found.push({ file: at(linked[1]!), line: Number(linked[2]), column: 0, severity: 'error', text: linked[3]! });
    } else if (placed) {
      place = { file: at(placed[1]!), line: Number(placed[2]), column: Number(placed[3]) };
    } else if (text && place) {
      found.push({ ...place, severity: text[1] === 'Error' ? 'error' : 'warning', text: text[2]! });
      place = null;
    }
  }
  return found;
}

/** The line of a build's output that says what went wrong, for one-line messages. */
export function firstError(output: string, folder: string): string | null {
  const error = compilerMessages(output, folder).find(({ severity }) => severity === 'error');
  if (error) return `${path.basename(error.file)}:${error.line}: ${error.text}`;
  const lines = output.split(/\r?\n/).map(line => line.replaceAll(escapes, '').trim());
  return lines.find(line => /\berror\b|\*\*\*|not found|No such file/i.test(line)) ?? null;
}
