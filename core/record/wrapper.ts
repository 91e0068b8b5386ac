/**
 * `pagelens cc|c++|fc [COMPILER] ARGS`: the compiler, with access hooks where it compiles and the recorder's runtime where it
 * links, so that `make CC="pagelens cc"` builds a program that can be recorded. The arguments reach the compiler
 * unchanged but for what would take from the recording; ours are put around them.
 */
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import process from 'node:process';
import { type Invocation, leadingCompiler, readInvocation } from './arguments.js';
import { type Compiler, compilerOf, findCompiler, type Language } from './compiler.js';
import { DEBUG_FLAG } from './flags.js';
import { withHeader } from './header.js';
import { ensureRuntime } from './runtime.js';

/**
 * Runs the compiler with the standard streams of this process.
 * Returns its exit status (128 + n when signal n ended it); 1 with one line on standard error for what cannot be
 * recorded. Throws RecordError when there is no usable compiler.
 */
export async function compilerWrapper(
  language: Language,
  commandLine: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const own = leadingCompiler(commandLine);
  const args = commandLine.slice(own.length);
  const invocation = readInvocation(args);
  if (invocation.refusal) {
    const name = { c: 'cc', 'c++': 'c++', fortran: 'fc' }[language];
    process.stderr.write(`pagelens ${name}: ${invocation.refusal}\n`);
    return 1;
  }
  const compiler = own.length > 0 ? compilerOf(own, language, env) : findCompiler(language, env);
  const linkFlags = links(invocation) ? (await ensureRuntime(env)).linkFlags : [];
  const { status, signal, error } = spawnSync(
    compiler.command[0]!,
    wrappedArguments(compiler, invocation, [...prefixMap(env), ...args], linkFlags),
    {
      stdio: 'inherit',
      env: withHeader(env),
    },
  );
  if (error) throw error;
  return signal ? 128 + constants.signals[signal] : (status ?? 1);
}

/**
 * A build in a mirror of the sources (`MIRROR=SOURCES`) names the sources in its debug information; else an editor
 * would be led to the mirror.
 */
function prefixMap(env: NodeJS.ProcessEnv): string[] {
  return env.PAGELENS_PREFIX_MAP ? [`-fdebug-prefix-map=${env.PAGELENS_PREFIX_MAP}`] : [];
}

const LEFT_OUT: ReadonlySet<string> = new Set([
  '-static-libstdc++',
  ...['-g0', '-s', '-Wl,-s', '-Wl,-S', '-Wl,--strip-all', '-Wl,--strip-debug'],
]);

function links(invocation: Invocation): boolean {
  return invocation.action === 'link' && !invocation.relocatable;
}

/**
 * The compiler's arguments behind its own name: pure, so that every form of command line can be tested.
 * Left out are `-static-libstdc++`, since the runtime's operator new calls the library's own, which it can find only in
 * the shared one, and what would take away the lines: `-g0`, and stripping.
 */
export function wrappedArguments(
  compiler: Pick<Compiler, 'command' | 'family' | 'compileFlags'>,
  invocation: Invocation,
  args: readonly string[],
  linkFlags: readonly string[],
): string[] {
  const compiles = (invocation.action === 'compile' || invocation.action === 'link') && invocation.sources;
  return [
    ...compiler.command.slice(1),
    ...(compiles ? [DEBUG_FLAG] : []),
    // Before the user's libraries, so that a static libstdc++ or another allocator does not come first.
    ...(links(invocation) ? linkFlags : []),
    ...args.filter(arg => !LEFT_OUT.has(arg)),
    // A trailing `-x c` of the user's would make the compiler read what follows as source; flags are safe. gcc's pass
    // for objects of link-time optimisation runs when it links; clang's ran when it compiled them.
    ...(compiles || (invocation.action === 'link' && compiler.family === 'gcc') ? compiler.compileFlags : []),
  ];
}
