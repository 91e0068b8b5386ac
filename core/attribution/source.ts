/**
 * Files and functions named by the symbols of a trace, numbered once each, and the inline chain of every site.
 *
 * Numbers given out while collecting are provisional: the tables are sorted at the end.
 */
import { SITE_CLASS_MASK, SITE_RANGE_WRITE } from '../kernel/abi.js';
import { NONE } from '../model/columns.js';
import type { Allocation, ModuleBlock, SymbolFrame, SymbolsBlock } from '../trace/blocks.js';

/** The run's sites as columns; `RawSites` and `RawPairs` number them so. */
export interface RunSites {
  readonly count: number;
  /** Module number, or NONE for a place outside all modules. */
  readonly module: Uint32Array;
  /** Offset from the module's load base. */
  readonly offset: Float64Array;
  /** SITE_* of kernel/abi.ts. */
  readonly kind: Uint16Array;
}

export interface SourceFunction {
  readonly name: string;
  /** '' when unknown. */
  readonly file: string;
  /** 0 when unknown. */
  readonly startLine: number;
}

/** Accesses of an imported trace that does not say what code made them. */
export const UNKNOWN_CODE = 'unknown code';

const NO_FRAMES: readonly SymbolFrame[] = [];

export class Source {
  /** In order of first sight. */
  readonly functions: SourceFunction[] = [];
  private readonly functionOf = new Map<string, number>();
  private readonly moduleOf = new Map<number, ModuleBlock>();
  private readonly frames = new Map<number, Map<number, readonly SymbolFrame[]>>();
  private readonly allocations = new Map<string, readonly Allocation[]>();

  constructor(
    modules: readonly ModuleBlock[],
    readonly sites: RunSites,
    symbols: SymbolsBlock | null,
  ) {
    for (const module of modules) if (!this.moduleOf.has(module.module)) this.moduleOf.set(module.module, module);
    for (let i = 0; i < (symbols?.frames.length ?? 0); i++) {
      const module = symbols!.module[i]!;
      let offsets = this.frames.get(module);
      if (!offsets) this.frames.set(module, (offsets = new Map()));
      offsets.set(symbols!.offset[i]!, symbols!.frames[i]!);
    }
    for (const { path, allocates } of symbols?.sources ?? []) if (allocates) this.allocations.set(path, allocates);
  }

  module(number: number): ModuleBlock | undefined {
    return this.moduleOf.get(number);
  }

  /** Whether a site makes accesses, rather than being named by others (a call, a function entry). */
  isAccess(site: number): boolean {
    return (this.sites.kind[site]! & SITE_CLASS_MASK) <= SITE_RANGE_WRITE;
  }

  /** Resolved chain of a site, innermost first; empty when nothing is known. */
  chain(site: number): readonly SymbolFrame[] {
    return this.frames.get(this.sites.module[site]!)?.get(this.sites.offset[site]!) ?? NO_FRAMES;
  }

  /** `allocate(grid)` where the frame is in such a statement of Fortran; null elsewhere. */
  allocateStatement(frame: SymbolFrame | null): string | null {
    const statement = this.allocations
      .get(frame?.file ?? '')
      ?.find(({ firstLine, lastLine }) => firstLine <= frame!.line && frame!.line <= lastLine);
    return statement ? `allocate(${statement.names})` : null;
  }

  /** What a site is called when nothing is known of it: `raytracer+0x12ab`. */
  place(site: number): string {
    const module = this.moduleOf.get(this.sites.module[site]!);
    if (!module && this.sites.offset[site] === 0) return UNKNOWN_CODE;
    const offset = `0x${this.sites.offset[site]!.toString(16)}`;
    return module ? `${baseName(module.path)}+${offset}` : `[outside modules]+${offset}`;
  }

  /**
   * The frame that a site's accesses are charged to: the innermost that has a line, so that inlined code shows on the
   * line that was written; null when none has.
   */
  lineFrame(site: number): SymbolFrame | null {
    return this.chain(site).find(frame => frame.file !== '' && frame.line > 0) ?? null;
  }

  /** Number of a frame's function. Namesakes in different files, or without file in different modules, stay apart. */
  functionOfFrame(frame: SymbolFrame, module: number): number {
    return this.functionNumber(frame.function, frame.file, frame.startLine, frame.file === '' ? module : NONE);
  }

  /** Number of the function that stands for an unresolved site. */
  functionOfPlace(site: number): number {
    return this.functionNumber(this.place(site), '', 0, this.sites.module[site]!);
  }

  private functionNumber(name: string, file: string, startLine: number, module: number): number {
    const key = `${name}\0${file}\0${startLine}\0${module}`;
    let number = this.functionOf.get(key);
    if (number === undefined) {
      number = this.functions.length;
      this.functions.push({ name, file, startLine });
      this.functionOf.set(key, number);
    }
    return number;
  }
}

/** Last component of a path. (`node:path` is not needed for that, and attribution does no I/O.) */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
