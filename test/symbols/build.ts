/** Compiles the test programs of this folder into a temporary folder. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const programs = fileURLToPath(new URL('../programs/symbols', import.meta.url));
export const scratch = mkdtempSync(path.join(tmpdir(), 'pagelens-symbols-'));

export function has(tool: string): boolean {
  return spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0;
}

let built = 0;

/** Absolute path of the executable. */
export function compile(compiler: string, source: string, flags: readonly string[], folder = scratch): string {
  const output = path.join(folder, `program-${built++}`);
  execFileSync(compiler, [...flags, '-o', output, source], { cwd: programs, stdio: ['ignore', 'ignore', 'inherit'] });
  return output;
}

/** Addresses of all instructions of the functions whose symbol matches, as objdump disassembles them. */
export function instructions(file: string, symbol: RegExp): number[] {
  const text = execFileSync('objdump', ['-d', '--no-show-raw-insn', file], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const addresses: number[] = [];
  let inside = false;
  for (const line of text.split('\n')) {
    const header = /^[0-9a-f]+ <(.*)>:$/.exec(line);
    if (header) inside = symbol.test(header[1]!);
    const instruction = /^\s+([0-9a-f]+):/.exec(line);
    if (inside && instruction) addresses.push(Number.parseInt(instruction[1]!, 16));
  }
  return addresses;
}
