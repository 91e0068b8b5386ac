/**
 * The plug-in for QEMU's user mode that records unmodified executables, also of other architectures (core/record/qemu/).
 * It is compiled on first use, and under the GPL.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { assetPath } from '../assets.js';
import * as l10n from '../model/l10n.js';
import { compileOnce, sourcesOf } from './compileOnce.js';
import { findCompiler, onPath } from './compiler.js';
import { RecordError } from './errors.js';

const PRODUCT = 'libpagelens-qemu.so';

/** What the plug-in shares with the runtime of instrumented programs (core/record/runtime/README.md). */
const SHARED = ['encode.c', 'streams.c', 'modules.c', 'marks.c', 'window.c', 'effects.c', 'waiting.c'];

const BUILD_FLAGS = [
  ...['-std=gnu11', '-O2', '-g', '-fPIC', '-fvisibility=hidden', '-ftls-model=initial-exec'],
  ...['-fno-stack-protector', '-fomit-frame-pointer', '-DPL_SITES_MAX=524288u'],
];

interface Architecture {
  readonly name: string;
  /** Debian's folder of its libraries. */
  readonly libraries: string;
}

/** 64-bit little-endian architectures by e_machine of the ELF header. */
const ARCHITECTURES: ReadonlyMap<number, Architecture> = new Map([
  [62, { name: 'x86_64', libraries: '/usr/x86_64-linux-gnu' }],
  [183, { name: 'aarch64', libraries: '/usr/aarch64-linux-gnu' }],
  [243, { name: 'riscv64', libraries: '/usr/riscv64-linux-gnu' }],
]);

export const X86_64 = 62;

/** `aarch64`; null for one that is not recorded. */
export function architectureOf(machine: number): string | null {
  return ARCHITECTURES.get(machine)?.name ?? null;
}

export interface QemuPlugin {
  /** Absolute path of `qemu-aarch64` or its like. */
  readonly program: string;
  /** What stands before the program and its arguments. */
  arguments(runDirectory: string): string[];
}

/**
 * @param machine e_machine of the program
 * @throws RecordError (exit status 3) when QEMU or a compiler is missing
 */
export async function ensureQemuPlugin(machine: number, env: NodeJS.ProcessEnv): Promise<QemuPlugin> {
  const architecture = ARCHITECTURES.get(machine);
  if (!architecture)
    throw new RecordError(
      l10n.kept(
        'programs of this architecture (ELF machine {0}) are not recorded: known are {1}',
        machine,
        [...ARCHITECTURES.values()].map(({ name }) => name).join(', '),
      ),
      3,
      { code: 'not-a-program' },
    );
  const program = onPath(`qemu-${architecture.name}`, env);
  if (!program)
    throw new RecordError(
      l10n.kept("{0} was not found: install QEMU's user mode (apt-get install qemu-user)", `qemu-${architecture.name}`),
      3,
      { code: 'no-recorder', package: 'qemu-user' },
    );
  const folder = await compileOnce(
    {
      title: 'the QEMU plug-in',
      prefix: 'qemu',
      product: PRODUCT,
      sources: [
        ...sourcesOf(assetPath('qemu')),
        ...sourcesOf(assetPath('machine')),
        ...sourcesOf(assetPath('runtime')).filter(file => file.endsWith('.h') || SHARED.includes(path.basename(file))),
      ],
      flags: [...BUILD_FLAGS, ...['qemu', 'machine', 'runtime'].map(name => `-I${assetPath(name)}`)],
      link: (objects, product) => ['-shared', ...objects, '-o', product, '-lpthread'],
      package: 'libc6-dev',
    },
    findCompiler('c', env),
    env,
  );
  const foreign = machine !== X86_64 && !env.QEMU_LD_PREFIX && existsSync(architecture.libraries);
  return {
    program,
    arguments: runDirectory => [
      // A comma ends an option's value; two stand for one.
      ...['-plugin', `${path.join(folder, PRODUCT)},run=${runDirectory}`.replaceAll(/,(?!run=)/g, ',,')],
      ...(foreign ? ['-L', architecture.libraries] : []),
    ],
  };
}

/** Said in each report of such a recording. */
export const QEMU_LIMITS =
  'recorded under QEMU, whose plug-ins cannot read registers: objects are globals, stacks and mappings, without heap ' +
  'blocks and call stacks; programs that it executes are not recorded';
