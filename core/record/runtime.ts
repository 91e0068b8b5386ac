/** The recorder's runtime, built from the C sources that ship with the package. */
import process from 'node:process';
import { assetPath } from '../assets.js';
import { compileOnce, sourcesOf } from './compileOnce.js';
import { findCompiler } from './compiler.js';

export const RUNTIME_NAME = 'libpagelens.so';

export interface Runtime {
  /** Absolute; holds libpagelens.so. */
  readonly folder: string;
  /** What links a program against it: before the user's own libraries, so that its allocation functions are found first. */
  readonly linkFlags: readonly string[];
}

/** How the runtime itself is compiled; core/record/runtime/README.md has the reasons. */
const BUILD_FLAGS = [
  ...['-std=gnu11', '-O2', '-g', '-fPIC', '-fvisibility=hidden', '-ftls-model=initial-exec'],
  // C++ exceptions pass through operator new, and its clean-up must run then.
  ...['-fexceptions', '-fno-builtin', '-fno-stack-protector', '-fomit-frame-pointer'],
];
const BUILD_LIBRARIES = ['-ldl', '-lpthread'];

export async function ensureRuntime(env: NodeJS.ProcessEnv = process.env): Promise<Runtime> {
  const folder = await compileOnce(
    {
      title: "the recorder's runtime",
      prefix: 'runtime',
      product: RUNTIME_NAME,
      sources: sourcesOf(assetPath('runtime')),
      flags: BUILD_FLAGS,
      link: (objects, product) => [
        ...['-shared', ...objects, '-o', product],
        ...[`-Wl,-soname,${RUNTIME_NAME}`, ...BUILD_LIBRARIES],
      ],
      package: 'libc6-dev',
    },
    findCompiler('c', env),
    env,
  );
  return {
    folder,
    linkFlags: [
      `-L${folder}`,
      '-Wl,--push-state,--no-as-needed',
      '-lpagelens',
      '-Wl,--pop-state',
      `-Wl,-rpath,${folder}`,
    ],
  };
}
