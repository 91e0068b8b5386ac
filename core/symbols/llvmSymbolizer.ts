/** Symbols by llvm-symbolizer (LLVM 13 or later, for its JSON), one run a module. */
import type { SymbolFrame } from '../trace/blocks.js';
import { findVersionedTool, runTool } from './tools.js';

interface JsonFrame {
  readonly FunctionName?: unknown;
  readonly FileName?: unknown;
  readonly Line?: unknown;
  readonly Column?: unknown;
  readonly StartLine?: unknown;
}

/** A `SymbolBackend`; null when the tool is missing, too old, or could not read the file. */
export async function llvmSymbolizer(
  file: string,
  addresses: readonly number[],
  signal?: AbortSignal,
): Promise<SymbolFrame[][] | null> {
  const tool = findVersionedTool('llvm-symbolizer');
  if (!tool) return null;
  const args = [`--obj=${file}`, '--output-style=JSON', '--inlines', '--demangle', '--functions=linkage'];
  const input = addresses.map(address => `0x${address.toString(16)}\n`).join('');
  const output = await runTool(tool, args, input, signal);
  const lines = output?.split('\n').filter(line => line !== '');
  // One answer a question, or it is not the tool that we think it is.
  if (lines?.length !== addresses.length) return null;
  const chains = lines.map(parseAnswer);
  return chains.some(chain => chain === null) ? null : (chains as SymbolFrame[][]);
}

function parseAnswer(line: string): SymbolFrame[] | null {
  let answer: { Symbol?: JsonFrame[] } | null;
  try {
    answer = JSON.parse(line);
  } catch {
    return null;
  }
  // With `Error` (no such file, not an object file) there are no symbols: another backend may know more.
  if (!answer || !Array.isArray(answer.Symbol)) return null;
  const chain = answer.Symbol.map(frame => ({
    function: text(frame.FunctionName),
    file: text(frame.FileName),
    line: integer(frame.Line),
    column: integer(frame.Column),
    startLine: integer(frame.StartLine),
  }));
  // "Nothing known" is one frame of blanks.
  return chain.filter(frame => frame.function !== '' || frame.file !== '');
}

function text(value: unknown): string {
  return typeof value === 'string' && value !== '??' ? value : '';
}

function integer(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : 0;
}
