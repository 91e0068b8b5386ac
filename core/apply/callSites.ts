/**
 * The calls of a program: the addresses that they return to, by binutils' disassembler, and the frames that each stands
 * for, by the debug information. A return address is what a stack holds at run time.
 */

import { symbolize } from '../symbols/symbolize.js';
import { findTool, runTool } from '../symbols/tools.js';
import type { SymbolFrame } from '../trace/blocks.js';

export interface CallSites {
  /** Ascending; from the load base. */
  readonly offsets: readonly number[];
  /** Frames of each, innermost first; empty where nothing is known. */
  readonly frames: readonly (readonly SymbolFrame[])[];
}

/**
 * An instruction of `objdump -d`: its address, and its name without prefixes. Calls are named so on x86-64 (`call`, or
 * `callq` before binutils 2.37) and on AArch64 (`bl`, `blr`); RISC-V's are jumps that name the register `ra`.
 */
const INSTRUCTION = /^ *([0-9a-f]+):\t(?:(?:bnd|notrack|addr32|data16|rex\.\w+) )*(\S+)(.*)/;
const CALL = /^(?:callq?|blr?|bl[a-z]*)$/;

/** Offsets that calls return to, ascending, of the disassembler's text. */
export function returnOffsets(disassembly: string): number[] {
  const offsets: number[] = [];
  let called = false;
  for (const line of disassembly.split('\n')) {
    const match = INSTRUCTION.exec(line);
    if (!match) continue;
    if (called) offsets.push(Number.parseInt(match[1]!, 16));
    called = CALL.test(match[2]!) || (/^(?:jalr?|c\.jalr)$/.test(match[2]!) && /^\s+ra,/.test(match[3]!));
  }
  return offsets.sort((a, b) => a - b);
}

/**
 * @param file the module that runs; it may be stripped
 * @param debugFile the same build with its debug information; `file` itself if it has it
 * @returns null when there is no disassembler, or it cannot read the file.
 */
export async function callSites(file: string, debugFile: string): Promise<CallSites | null> {
  const objdump = findTool('objdump');
  if (!objdump) return null;
  const text = await runTool(objdump, ['-d', '--no-show-raw-insn', '-w', '--', file], '');
  if (text === null) return null;
  const offsets = returnOffsets(text);
  const [frames] = await symbolize([{ path: debugFile, offsets, returnAddress: true }]);
  return { offsets, frames: frames! };
}
