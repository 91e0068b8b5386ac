/**
 * Symbols by binutils' addr2line, one run a module.
 *
 * It tells function, file and line of every frame but neither columns nor the line at which a function starts; both are
 * taken from our own DWARF reader.
 */
import type { SymbolFrame } from '../trace/blocks.js';
import { ownReader } from './ownReader.js';
import { findTool, runTool } from './tools.js';

/** A `SymbolBackend`; null when the tool is missing or could not read the file. */
export async function addr2line(
  file: string,
  addresses: readonly number[],
  signal?: AbortSignal,
): Promise<SymbolFrame[][] | null> {
  const tool = findTool('addr2line');
  if (!tool) return null;
  const args = ['--exe', file, '--addresses', '--inlines', '--functions', '--demangle'];
  const input = addresses.map(address => `0x${address.toString(16)}\n`).join('');
  const output = await runTool(tool, args, input, signal);
  const chains = output === null ? null : parseAddr2line(output);
  if (chains?.length !== addresses.length) return null;
  const own = await ownReader(file, addresses, signal);
  return own ? chains.map((chain, i) => complete(chain, own[i]!)) : chains;
}

/** Output: a line with the address, then two lines a frame, the function and `file:line (discriminator n)`. */
export function parseAddr2line(output: string): SymbolFrame[][] {
  const chains: SymbolFrame[][] = [];
  const lines = output.split('\n');
  let at = 0;
  while (at < lines.length) {
    if (!isAddress(lines[at]!)) {
      at++;
      continue;
    }
    at++;
    const chain: SymbolFrame[] = [];
    while (at + 1 < lines.length && !isAddress(lines[at]!)) {
      const name = lines[at]!;
      const place = /^(.*):(\d+|\?)(?: \(discriminator \d+\))?$/.exec(lines[at + 1]!);
      const known = place !== null && place[1] !== '??';
      const frame = {
        function: name === '??' ? '' : name,
        file: known ? place[1]! : '',
        line: known ? Number(place[2]) || 0 : 0,
        column: 0,
        startLine: 0,
      };
      if (frame.function !== '' || frame.file !== '') chain.push(frame);
      at += 2;
    }
    chains.push(chain);
  }
  return chains;
}

function isAddress(line: string): boolean {
  return /^0x[0-9a-f]{8,}$/.test(line);
}

/**
 * Adds columns and start lines, frame by frame. Where our reader has more frames its whole chain is taken: addr2line of
 * binutils 2.40 and before loses the inlined calls of clang's DWARF 5, whose address ranges are indexed.
 */
function complete(chain: readonly SymbolFrame[], own: SymbolFrame[]): SymbolFrame[] {
  if (own.length > chain.length) return own;
  if (own.length < chain.length) return [...chain];
  return chain.map((frame, i) => {
    const same = own[i]!;
    const column = frame.line === same.line ? same.column : 0;
    // addr2line gives a bare file name where it has only the ELF symbol to go by.
    return { ...frame, file: same.file || frame.file, column, startLine: same.startLine };
  });
}
