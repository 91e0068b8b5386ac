/** What an executable's instructions are: their source lines, and the functions that they call. By binutils. */
import { execFileSync } from 'node:child_process';

const run = (program: string, args: readonly string[], input = '') =>
  execFileSync(program, args, { input, encoding: 'utf8', maxBuffer: 1 << 28 });

export interface Place {
  readonly file: string;
  readonly line: number;
  /** Mangled name of the function that holds the instruction, whatever was inlined there; without `.part.0` and such. */
  readonly function: string;
}

/** The addresses of all instructions, ascending. */
export function instructionsOf(executable: string): number[] {
  const instruction = /^ *([0-9a-f]+):\t/gm;
  const listing = run('objdump', ['-d', '--no-show-raw-insn', executable]);
  return Array.from(listing.matchAll(instruction), ([, address]) => Number.parseInt(address!, 16)).sort(
    (a, b) => a - b,
  );
}

/**
 * The source line of each instruction: that of the innermost inlined function. An instruction that the compiler merged
 * from several lines has line 0, and is taken to be of the line before it in the code, as a debugger would show it;
 * failing that, of the call that its function is inlined for. Instructions without any line are left out.
 */
export function placesOf(executable: string): Map<number, Place> {
  const instructions = instructionsOf(executable);
  const input = instructions.map(address => `0x${address.toString(16)}\n`).join('');
  const output = run('addr2line', ['-e', executable, '-a', '-i', '-f'], input);
  const places = new Map<number, Place>();
  let before: Place | null = null;
  // An address, and then for each function of the inline chain, innermost first, its name and its `file:line`.
  for (const [head, ...chain] of output.split(/^(?=0x)/m).map(part => part.split('\n'))) {
    const frames = chain.flatMap((place, i) => {
      // `/src/a.c:12 (discriminator 3)`; 0 and `?` stand for no line.
      const match = /^(.*):(\d+|\?)(?: \(discriminator \d+\))?$/.exec(place);
      return i % 2 === 1 && match ? [{ file: match[1]!, line: Number(match[2]) || 0, function: chain[i - 1]! }] : [];
    });
    const [innermost] = frames;
    if (!innermost || innermost.file.startsWith('?')) {
      before = null;
      continue;
    }
    const line: Place | undefined = innermost.line === 0 && before ? before : frames.find(({ line }) => line > 0);
    if (!line) continue;
    before = { ...line, function: frames.at(-1)!.function.replace(/\..*/, '') };
    places.set(Number(head), before);
  }
  return places;
}

/** The calls (and jumps, in their last act) of an executable to functions of shared libraries: address -> name. */
export function libraryCalls(executable: string): Map<number, string> {
  const calls = new Map<number, string>();
  const call = /^ *([0-9a-f]+):\s+(?:call|jmp) +[0-9a-f]+ <(\w+)(?:@\w+)?@plt>$/gm;
  for (const [, address, name] of run('objdump', ['-d', '--no-show-raw-insn', executable]).matchAll(call))
    calls.set(Number.parseInt(address!, 16), name!);
  return calls;
}
