/**
 * Every load and store that an executable makes, by instruction: valgrind's lackey, read as a stream.
 *
 * The executable must not be position-independent (-no-pie), so that its addresses are those of its file. Only its own
 * instructions are kept, not those of libraries; valgrind shows one thread at a time, and what is said of stacks holds
 * for the first thread alone.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import path from 'node:path';

/** Accesses by the memory that they go to. */
export interface ByMemory {
  /** The stack of the first thread: spills, return addresses, arguments, local variables. */
  stack: number;
  /** What the executable maps without write permission once it runs: literals, const tables, vtables, its GOT. */
  constant: number;
  /** All else: heap, globals, mappings. */
  data: number;
}

export interface Executed {
  readonly reads: ByMemory;
  readonly writes: ByMemory;
  /** Bytes of the accesses to `data`. */
  dataBytesRead: number;
  dataBytesWritten: number;
  /** What the library function that the instruction calls shows of its arguments, by loads of one byte ... */
  readonly shown: ByMemory;
  /** ... and of two. */
  readonly shownTwice: ByMemory;
}

export const MEMORIES = ['stack', 'constant', 'data'] as const;

export const nowhere = (): ByMemory => ({ stack: 0, constant: 0, data: 0 });

const notExecuted = (): Executed => ({
  reads: nowhere(),
  writes: nowhere(),
  dataBytesRead: 0,
  dataBytesWritten: 0,
  shown: nowhere(),
  shownTwice: nowhere(),
});

interface Range {
  readonly from: number;
  readonly to: number;
}
const inside = (ranges: readonly Range[], address: number) =>
  ranges.some(({ from, to }) => address >= from && address < to);

/** ELF-64 program headers: which addresses are code, and which cannot be written once the program runs. */
function segments(executable: string): { code: Range[]; constant: Range[] } {
  const file = readFileSync(executable);
  if (file.readUInt16LE(16) !== 2) throw new Error(`${executable} is position-independent: link it with -no-pie`);
  const [at, size, count] = [Number(file.readBigUInt64LE(32)), file.readUInt16LE(54), file.readUInt16LE(56)];
  const code: Range[] = [];
  const constant: Range[] = [];
  for (let i = 0; i < count; i++) {
    const header = at + i * size;
    const [type, flags] = [file.readUInt32LE(header), file.readUInt32LE(header + 4)];
    const from = Number(file.readBigUInt64LE(header + 16));
    const range = { from, to: from + Number(file.readBigUInt64LE(header + 40)) };
    const [load, relro, executes, writes] = [type === 1, type === 0x6474e552, flags & 1, flags & 2];
    if (load && executes) code.push(range);
    if (relro || (load && !writes)) constant.push(range);
  }
  return { code, constant };
}

/**
 * Where valgrind puts the first thread's stack on x86-64 Linux: it ends below 0x1fff001000 and grows down, by 8 MiB at
 * most where the limit is the usual one.
 */
const STACK: Range = { from: 0x1ffe000000, to: 0x1fff001000 };

export interface MachineOptions {
  /** For the log, which is removed again: about 12 bytes per instruction and access. */
  readonly folder: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Calls of library functions whose `shown` is wanted, by address. Link with `-z now`: else the first shows its binding. */
  readonly calls?: ReadonlySet<number>;
  /** Is told each access to `data` of the executable's own instructions, in order. */
  readonly each?: (address: number, isWrite: boolean) => void;
  /** Is told what the program wrote to standard error. */
  readonly output?: (text: string) => void;
}

/**
 * Runs the program under lackey, its standard output discarded; throws when it does not end with status 0.
 * Returns what was executed by the address of the instruction.
 */
export async function executedInstructions(
  executable: string,
  args: readonly string[],
  { folder, env, calls = new Set(), each, output }: MachineOptions,
): Promise<Map<number, Executed>> {
  // Not a pipe: lackey makes one write for each line, and a reader at the other end would have to wake up for each.
  const log = path.join(folder, `${path.basename(executable)}.lackey`);
  const child = spawn('valgrind', ['--tool=lackey', '--trace-mem=yes', `--log-file=${log}`, executable, ...args], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let message = '';
  child.stderr!.setEncoding('utf8').on('data', text => {
    message += text;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  try {
    output?.(message);
    if (status !== 0) throw new Error(`${executable} under valgrind ended with ${status}: ${message}`);
    return readLog(log, segments(executable), calls, each);
  } finally {
    rmSync(log, { force: true });
  }
}

const [NEWLINE, SPACE, COMMA, I, L, M, S] = [10, 32, 44, 73, 76, 77, 83];

/**
 * `I  0401ab70,3` is an instruction; its accesses follow it, as ` L 1fff000768,8`, ` S ...` or, for a load and a store
 * of the same place, ` M ...`. Address in hexadecimal, size in bytes. Lines of valgrind's own begin with `==`.
 */
function readLog(
  log: string,
  { code, constant }: { code: Range[]; constant: Range[] },
  calls: ReadonlySet<number>,
  each?: MachineOptions['each'],
) {
  const byAddress = new Map<number, Executed>();
  let current: Executed | null = null;
  // The last instruction of the executable before it went through its PLT (calls[address] says which) into a library.
  let caller: Executed | null = null;
  let outside = false;

  const line = (text: Buffer, from: number, to: number) => {
    const first = text[from];
    const kind = first === I ? I : first === SPACE ? text[from + 1] : 0;
    if (kind !== I && ((current ?? caller) === null || (kind !== L && kind !== S && kind !== M))) return;
    let address = 0;
    let i = from + 3;
    for (; i < to && text[i] !== COMMA; i++) {
      const digit = text[i]!;
      address = address * 16 + (digit < 58 ? digit - 48 : digit - 87);
    }
    if (kind === I) {
      current = byAddress.get(address) ?? null;
      if (!current && inside(code, address)) byAddress.set(address, (current = notExecuted()));
      if (!current) outside = true;
      else {
        if (calls.has(address)) caller = current;
        else if (outside) caller = null;
        outside = false;
      }
      return;
    }
    let size = 0;
    for (i++; i < to; i++) size = size * 10 + text[i]! - 48;
    const stack = address >= STACK.from && address < STACK.to;
    const memory = stack ? 'stack' : inside(constant, address) ? 'constant' : 'data';
    if (!current) {
      if (kind === L && size === 1) caller!.shown[memory]++;
      else if (kind === L && size === 2) caller!.shownTwice[memory]++;
      return;
    }
    if (memory === 'data' && kind !== S) each?.(address, false);
    if (memory === 'data' && kind !== L) each?.(address, true);
    if (kind !== S) {
      current.reads[memory]++;
      if (memory === 'data') current.dataBytesRead += size;
    }
    if (kind !== L) {
      current.writes[memory]++;
      if (memory === 'data') current.dataBytesWritten += size;
    }
  };

  const file = openSync(log, 'r');
  const buffer = Buffer.alloc(1 << 20);
  let kept = 0;
  for (let got: number; (got = readSync(file, buffer, kept, buffer.length - kept, null)) > 0; ) {
    const end = kept + got;
    let start = 0;
    for (let stop: number; (stop = buffer.indexOf(NEWLINE, start)) >= 0 && stop < end; start = stop + 1)
      line(buffer, start, stop);
    buffer.copyWithin(0, start, end);
    kept = end - start;
  }
  closeSync(file);
  return byAddress;
}
