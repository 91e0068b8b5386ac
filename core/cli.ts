#!/usr/bin/env node
/** The `pagelens` command: picks the subcommand and turns errors into one line and an exit status (design, section 4). */
import process from 'node:process';
import { messageOf, UsageError } from './errors.js';

const usage = `usage: pagelens profile [options] PROGRAM [ARGS...]    record, replay, report; PROGRAM: an executable or a .c/.cc/.cpp/.f90/.rs file
       pagelens record  [options] -o RUN.pltrace PROGRAM [ARGS...]
       pagelens replay  [options] TRACE                a .pltrace file or one of list formats; - is standard input
       pagelens report  [options] PROFILE.pagelens     --format text|json|csv|html|md|placement|numactl
                                                       |callgrind|pprof|speedscope|parquet
       pagelens merge   -o OUT.pagelens PROFILE...     profiles of shards, ranks, processes as one
       pagelens diff    [--budget FILE] OLD NEW        what changed; each a .pagelens or a .pltrace file
       pagelens apply   PLACEMENT.json PROGRAM [ARGS...]   runs it with its allocations placed; --nodes N[,...]
       pagelens cc|c++|fc ...                          compiler wrappers: make CC="pagelens cc"
       pagelens cargo|rustc ...                        the same for Rust: pagelens cargo build --release
       pagelens toolchain cmake|meson|path|include     prints a toolchain file, native file, folder of compilers,
                                                       folder of pagelens.h
       pagelens list    recorders|formats|machines|modes|trackers|classifiers|policies|tiers [--json]

options
  --machine ID            emulated machine                 --mode ID[,ID...]|all      translation modes
  --tracker ID[,...]|all  access trackers                  --policy ID[,...]|all      placement policies
  --mode-option MODE.NAME=VALUE[,...]                      --tracker-option TRACKER.NAME=VALUE[,...]  see list
  --tiers ID|FILE.json    memory tiers                     --capacity SIZE|PERCENT[,...]  of each tier but the last
  --page-size 4k|2m       --epoch ACCESSES                 --time-scale X             stretches modelled time
  --pml-entries N         log size (512)                   --kernel-integration       system calls at a quarter
  --hot-share PERCENT     --cold-share PERCENT             bounds of the hotness classes (80, 1)
  --recorder auto|instrument|valgrind|qemu|wasm  --cflags "..."           --program-output FILE
  --count-unseen          a second run under valgrind counts what hooks do not see
  --trace-limit SIZE      --time-limit SECONDS             recording ends there, the program goes on
  --start-at FUNCTION     --stop-at FUNCTION               records from entering the one to entering the other; one for
                          both: while it runs              --start-after SECONDS      --stop-after SECONDS
  --sample ON/OFF         records bursts of ON accesses with OFF between them, which stand for the whole run: 1M/99M
  --paused                records when the program (pagelens_start) or a command says so
  --save FILE.pagelens    --trace FILE.pltrace             keep the profile, the trace
  --json FILE             the report as JSON; - is standard output      --page-rows
  --from FORMAT           what the imported trace is         --module FILE[@BASE][,...]  code and data that it speaks of
  --columns NAME=COLUMN[,...]     of an imported table
  --nodes N[,N...]        memory node of each tier (apply)      --symbols FILE   debug information of a stripped program
  --host                  with list tiers: this machine's memory nodes as a file for --tiers
  --check                 verify that totals are conserved   --quiet   --verbose

exit status: 0 done, 1 the budget is broken (diff), 2 wrong usage or bad input,
             3 the program could not be built or started,
             4 the program ended by a signal or a non-zero status (its profile is still written)
`;

/** Each subcommand returns the exit status. Loaded on demand, so that the compiler wrapper starts fast. */
const commands: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  profile: async args => (await import('./cli/profile.js')).profile(args),
  record: async args => (await import('./cli/profile.js')).record(args),
  replay: async args => (await import('./cli/replay.js')).replay(args),
  report: async args => (await import('./cli/replay.js')).report(args),
  merge: async args => (await import('./cli/merge.js')).merge(args),
  diff: async args => (await import('./cli/diff.js')).diff(args),
  rustc: async args => (await import('./record/rust.js')).rustcWrapper(args),
  cargo: async args => (await import('./record/rust.js')).cargo(args),
  apply: async args => (await import('./cli/apply.js')).applyPlacement(args),
  toolchain: async args => (await import('./cli/toolchain.js')).toolchain(args),
  list: async args => (await import('./cli/list.js')).list(args),
  cc: async args => (await import('./record/wrapper.js')).compilerWrapper('c', args),
  'c++': async args => (await import('./record/wrapper.js')).compilerWrapper('c++', args),
  fc: async args => (await import('./record/wrapper.js')).compilerWrapper('fortran', args),
};

async function main([command, ...args]: string[]): Promise<number> {
  if (command === undefined || command === '--help' || command === '-h' || command === 'help') {
    (command === undefined ? process.stderr : process.stdout).write(usage);
    return command === undefined ? 2 : 0;
  }
  if (command === '--version') {
    process.stdout.write(`pagelens ${(await import('./assets.js')).version()}\n`);
    return 0;
  }
  const run = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (!run) throw new UsageError(`unknown command ${command}; known: ${Object.keys(commands).join(', ')}`);
  return run(args);
}

main(process.argv.slice(2)).then(
  status => {
    process.exitCode = status;
  },
  error => {
    const verbose = process.argv.includes('--verbose');
    process.stderr.write(`pagelens: ${verbose && error instanceof Error ? error.stack : messageOf(error)}\n`);
    // RecordError carries its own status; whatever else is wrong with the input or the usage is 2.
    process.exitCode = (error as { exitStatus?: number }).exitStatus ?? 2;
  },
);
