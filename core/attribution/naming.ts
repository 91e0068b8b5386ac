/**
 * What an object is called: `malloc in parse_scene (scene.c:42)`, the global's symbol, `stack of thread 1 (main)`.
 *
 * An allocation is named by the place where the programmer decided to allocate: the innermost frame of the call stack
 * that is neither the standard library's nor a wrapper around malloc.
 */
import { shortFunctionName } from '../model/names.js';
import type { RawObjects } from '../model/raw.js';
import type { SymbolFrame, ThreadBlock } from '../trace/blocks.js';
import { baseName, type Source } from './source.js';

/** Sources of the C, C++ and Rust libraries and of the compilers, and where distributions built them. */
const SYSTEM_FILE =
  /^\/rustc\/[0-9a-f]+\/|\/lib\/rustlib\/src\/rust\/|^\/usr\/src\/rustc-|^\/usr\/(?:local\/)?(?:include|lib\/(?:gcc|llvm))|\/c\+\+\/(?:v1|\d+)|^\/(?:build|usr\/src)\/(?:glibc|gcc)/;

/** What calls main and the functions of threads: no part of anyone's program. */
const START = /^(?:_start|__libc_start_(?:call_)?main(?:_impl)?|start_thread|(?:__)?clone3?)$/;

/** Names of functions that only allocate for others: xmalloc, arena_alloc, operator new, make_unique, xstrdup. */
const ALLOCATOR =
  /[mc]alloc|realloc(?!ated)|alloc(?:ate|_?array|_?zero(?:ed)?|_?n|_or_die)?\d*$|strn?dup$|^make_(?:unique|shared)|^operator new/i;

export function isSystemFile(file: string): boolean {
  return SYSTEM_FILE.test(file);
}

export function isAllocator(functionName: string): boolean {
  const bare = shortFunctionName(functionName, true);
  return bare !== 'main' && ALLOCATOR.test(bare.replace(/^.*::/, ''));
}

/**
 * Frames of an allocation stack, innermost first, up to main or the thread's function; an unresolved site is one frame
 * without file.
 */
export function stackFrames(source: Source, sites: Uint32Array): SymbolFrame[] {
  const frames: SymbolFrame[] = [];
  for (const site of sites) {
    const chain = source.chain(site);
    if (chain.length > 0) frames.push(...chain);
    else frames.push({ function: source.place(site), file: '', line: 0, column: 0, startLine: 0 });
  }
  while (frames.length > 0 && START.test(frames.at(-1)!.function)) frames.pop();
  return frames;
}

/** One frame as text: `function file:line`, the file absolute. */
export function frameText(frame: SymbolFrame): string {
  return frame.file === '' ? frame.function : `${frame.function} ${frame.file}:${frame.line}`;
}

/** The frame in which the allocation was decided; null for an empty stack. */
export function decidingFrame(frames: readonly SymbolFrame[]): SymbolFrame | null {
  const withLine = frames.filter(frame => frame.file !== '' && frame.line > 0);
  const users = withLine.filter(frame => !isSystemFile(frame.file));
  return users.find(frame => !isAllocator(frame.function)) ?? users[0] ?? withLine[0] ?? frames[0] ?? null;
}

/** `malloc in parse_scene (scene.c:42)`. */
export function allocationName(verb: string, frame: SymbolFrame | null): string {
  if (!frame) return `${verb} at an unknown place`;
  const where = frame.file === '' ? '' : ` (${baseName(frame.file)}:${frame.line})`;
  return `${verb} in ${shortFunctionName(frame.function)}${where}`;
}

export interface RankedProcess {
  readonly process: number;
  /** In a parallel program. */
  readonly rank?: number | undefined;
}

/** Whose stacks there are. A process of a parallel program is called by its rank. */
export interface Owners {
  readonly threads: readonly ThreadBlock[];
  readonly processes: readonly RankedProcess[];
}

/** Names of the objects that are not named by a stack. */
export function plainName(raw: RawObjects, object: number, source: Source, owners: Owners): string {
  switch (raw.kind[object]!) {
    case 'global': {
      const module = source.module(raw.module[object]!);
      const symbol = module?.globals[raw.global[object]!];
      if (symbol) return symbol.name;
      return `data of ${module ? baseName(module.path) : 'an unknown module'} without a symbol`;
    }
    case 'stack':
      return stackName(raw.thread[object]!, owners);
    case 'file':
      return baseName(raw.name[object]!) || 'mapped file';
    case 'unattributed':
      return 'unattributed';
    default:
      return raw.name[object]!;
  }
}

/** Threads are counted from 1 within their process; signal handlers run on the stacks of others and do not count. */
function stackName(stream: number, { threads, processes }: Owners): string {
  const thread = threads.find(candidate => candidate.stream === stream);
  if (!thread) return `stack of thread ${stream + 1}`;
  const siblings = threads.filter(candidate => candidate.process === thread.process && !candidate.signal);
  siblings.sort((a, b) => a.stream - b.stream);
  const position = siblings.indexOf(thread);
  const name = position < 0 ? 'stack of a signal handler' : `stack of thread ${position + 1}`;
  const main = position === 0 ? ' (main)' : '';
  const rank = processes.find(candidate => candidate.process === thread.process)?.rank;
  const process = thread.process > 0 ? ` of process ${thread.process + 1}` : '';
  return `${name}${main}${rank === undefined ? process : ` of rank ${rank}`}`;
}
