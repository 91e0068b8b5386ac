/**
 * The blocks of a trace in memory: what the drain produces while the program runs, the writer stores, the reader gives
 * back and replay consumes. `docs/trace-format.md` specifies the bytes.
 *
 * Order in a file: header; process before its modules, streams and sites; a module (with its globals) before the first
 * access that can fall into it, as soon as the drain sees it; sites before the stream bytes that use them; symbols and
 * end last. So one pass over a file replays it, and only the naming of sites waits for its end.
 */
import type { CutReason } from '../model/cut.js';
import type { Sampling } from '../model/sampling.js';
import type { RunWindow } from '../model/window.js';

export interface HeaderBlock {
  readonly type: 'header';
  readonly version: 1;
  readonly tool: string;
  readonly program: string;
  readonly arguments: readonly string[];
  readonly workingDirectory: string;
  readonly recorder: 'instrument' | 'valgrind' | 'qemu' | 'wasm' | 'import';
  readonly level: 'source' | 'machine';
  readonly compiler: string;
  readonly flags: string;
  /** The format that an imported trace was made from, as `pagelens list formats` calls it. */
  readonly imported?: string;
}

export interface ProcessBlock {
  readonly type: 'process';
  /** Dense, from 0, in order of start. */
  readonly process: number;
  readonly pid: number;
  /** The process it was forked from and the sequence number of the fork; null for the first and after exec. */
  readonly parent: { readonly process: number; readonly seq: number } | null;
  /** The executable's absolute path; absent when unknown. */
  readonly path?: string;
  /** System calls and mappings that libc makes inside itself are recorded too. */
  readonly insideLibc?: boolean;
  /** Its rank in a parallel program (MPI). */
  readonly rank?: number;
}

/** A thread's stream, or that of a signal handler that ran on a thread (`signal`). */
export interface ThreadBlock {
  readonly type: 'thread';
  readonly process: number;
  /** Dense in the run, from 0. */
  readonly stream: number;
  readonly tid: number;
  readonly signal: boolean;
}

export interface GlobalSymbol {
  readonly name: string;
  /** Offset from the module's load base, and size, in bytes. */
  readonly offset: number;
  readonly size: number;
  /** Absolute path, or '' when the debug information does not say. */
  readonly file: string;
  readonly line: number;
}

export interface ModuleBlock {
  readonly type: 'module';
  readonly process: number;
  /** Dense in the run: one number per (path, build id), shared by processes. */
  readonly module: number;
  readonly path: string;
  /** Lower-case hex; '' when the file has none. */
  readonly buildId: string;
  /** Load base (what is added to a file's virtual addresses) as a decimal string: it may pass 2^53. */
  readonly base: string;
  /** Loaded segments: offset from base, size in memory, writable. */
  readonly segments: readonly { readonly offset: number; readonly size: number; readonly writable: boolean }[];
  readonly globals: readonly GlobalSymbol[];
}

/** New sites of a process: local numbers `first ..`; columns of equal length. */
export interface SitesBlock {
  readonly type: 'sites';
  readonly process: number;
  readonly first: number;
  readonly pc: BigUint64Array;
  /** SITE_* of kernel/abi.ts. */
  readonly kind: Uint16Array;
  /** Module number, or NONE for a pc outside all modules. */
  readonly module: Uint32Array;
  /** pc - base of that module. */
  readonly offset: Float64Array;
}

/** Names of mapped files, which EVENT_MAP numbers. */
export interface FileNameBlock {
  readonly type: 'fileName';
  readonly process: number;
  readonly index: number;
  readonly path: string;
}

/** Names that the program's own marks (EVENT_MARK) refer to. */
export interface MarkNameBlock {
  readonly type: 'markName';
  readonly process: number;
  readonly index: number;
  readonly name: string;
}

export interface StreamBlock {
  readonly type: 'stream';
  readonly stream: number;
  /** Whole records of the predicted encoding. */
  readonly data: Uint8Array;
}

/** One frame of a site's inline chain, innermost first. */
export interface SymbolFrame {
  readonly function: string;
  /** Absolute, or '' when unknown. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Line at which the function is declared; 0 when unknown. */
  readonly startLine: number;
}

/** A source file as it was at the end of the recording. */
export interface TraceSource {
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Of Fortran, whose allocations have no other name. */
  readonly allocates?: readonly Allocation[];
}

/** What one `allocate` statement allocates. Lines are 1-based, both included. */
export interface Allocation {
  readonly firstLine: number;
  readonly lastLine: number;
  /** As written, without the shape: `grid`, `this%cells`; several are separated by commas. */
  readonly names: string;
}

/** Resolved sites: `frames[i]` is the chain of (module[i], offset[i]); empty where nothing is known. */
export interface SymbolsBlock {
  readonly type: 'symbols';
  readonly module: readonly number[];
  readonly offset: readonly number[];
  readonly frames: readonly (readonly SymbolFrame[])[];
  /** Every source file named in the frames or globals, that could be read. */
  readonly sources: readonly TraceSource[];
}

export interface EndBlock {
  readonly type: 'end';
  readonly exit: { readonly status: number } | { readonly signal: string } | null;
  readonly complete: boolean;
  /** Only of a recording that is not complete; absent when it lacks something for another reason. */
  readonly cut?: CutReason;
  readonly warnings: readonly string[];
  /** What the recorder counted itself, for a cross-check: accesses per stream. */
  readonly accesses: readonly number[];
  /** Of an imported trace whose source sampled: what its accesses stand for. */
  readonly sampling?: Sampling;
  /** Only parts of the run were recorded. */
  readonly window?: RunWindow;
}

export type Block =
  | HeaderBlock
  | ProcessBlock
  | ThreadBlock
  | ModuleBlock
  | SitesBlock
  | FileNameBlock
  | MarkNameBlock
  | StreamBlock
  | SymbolsBlock
  | EndBlock;
