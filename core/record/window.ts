/**
 * Windows of recording, from the driver's side: what recorders are told before they start, and what is opened and closed
 * by time and by command. The functions they look for themselves, in whatever is loaded (runtime/window.c), by the names
 * that symbol tables have.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as l10n from '../model/l10n.js';
import { type RunWindow, startsClosed, type WindowOptions } from '../model/window.js';
import { demangle, withoutCloneSuffix } from '../symbols/demangle.js';
import { ElfFile, STT_FUNC } from '../symbols/elf.js';
import { readRunPage, writeWindow } from './runDirectory.js';

/** Writes the file `watch` of runtime/layout.h. @param image the executable, where there is one */
export async function watchFunctions(runDir: string, options: WindowOptions, image: string): Promise<void> {
  const wanted = (['start', 'stop'] as const).flatMap(what => {
    const name = what === 'start' ? options.startAt : options.stopAt;
    return name === undefined ? [] : [{ what, name }];
  });
  if (wanted.length === 0) return;
  const known = await functionNames(image);
  const lines = wanted.flatMap(({ what, name }) => linkageNames(name, known).map(linkage => `${what} ${linkage}\n`));
  await writeFile(path.join(runDir, 'watch'), lines.join(''));
}

type FunctionNames = readonly { readonly linkage: string; readonly plain: string }[];

async function functionNames(image: string): Promise<FunctionNames> {
  const elf = await ElfFile.open(image);
  if (!elf) return [];
  try {
    const functions = (await elf.symbols()).filter(({ type, size }) => type === STT_FUNC && size > 0);
    const names = [...new Set(functions.map(({ name }) => name.replace(/@.*$/, '')))];
    const plain = await demangle(names);
    return names.map((linkage, i) => ({ linkage, plain: plain[i]! }));
  } finally {
    await elf.close();
  }
}

/** The function's names in the symbol table: itself, as it may lie in a library, overloads and clones of it. */
function linkageNames(name: string, known: FunctionNames): readonly string[] {
  const same = known.filter(({ linkage, plain }) => {
    if (/\.(cold|part)\b/.test(linkage)) return false;
    const bare = withoutCloneSuffix(plain);
    return bare === name || bare.replace(/\(.*$/, '') === name;
  });
  return [...new Set([name, ...same.map(({ linkage }) => linkage)])];
}

/** The windows of one recording, while it goes on. */
export class Windows {
  /** Opened by us; what the run's processes open, they count themselves. */
  #opened: number;
  #timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly runDir: string,
    private readonly options: WindowOptions,
  ) {
    this.#opened = startsClosed(options) ? 0 : 1;
  }

  /** From the program's start on. */
  start(): void {
    const { startAfter, stopAfter } = this.options;
    const after = (seconds: number | undefined, open: boolean) => {
      if (seconds !== undefined) this.#timers.push(setTimeout(() => this.set(open), seconds * 1000).unref());
    };
    after(startAfter, true);
    after(stopAfter, false);
  }

  /** Opens or closes it now, for all processes. */
  set(open: boolean): void {
    if (writeWindow(this.runDir, open) && open) this.#opened++;
  }

  get open(): boolean {
    return readRunPage(this.runDir)?.closed !== true;
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
  }

  /**
   * What is to be said of them; undefined where all was recorded as if there were none. @param outside accesses outside
   */
  summary(outside: number): RunWindow | undefined {
    const { paused: _, ...asked } = this.options;
    if (outside === 0 && Object.keys(this.options).length === 0) return undefined;
    return { ...asked, windows: this.#opened + (readRunPage(this.runDir)?.windows ?? 0), outside };
  }
}

/** Why nothing was recorded of a program that ran; for the report. */
export function neverOpened({ startAt }: RunWindow): string {
  return startAt === undefined
    ? l10n.kept('no window of recording was open while the program ran: nothing is counted')
    : l10n.kept(
        'no window of recording was opened: {0} was never entered. Is it inlined, or spelt otherwise? C++ names are written with their namespaces, without parameters',
        startAt,
      );
}
