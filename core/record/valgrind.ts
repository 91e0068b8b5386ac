/**
 * The Valgrind tool that records unmodified executables (core/record/valgrind/), linked on first use against the
 * libraries that come with Debian's and Fedora's valgrind. It is a program of its own, under the GPL.
 */
import { existsSync, readdirSync, realpathSync, statSync, symlinkSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { assetPath } from '../assets.js';
import * as l10n from '../model/l10n.js';
import { cacheFolder, contentName, temporaryBeside } from './cache.js';
import { compileOnce, sourcesOf } from './compileOnce.js';
import { findCompiler, onPath } from './compiler.js';
import { RecordError } from './errors.js';

export interface ValgrindTool {
  /** Absolute path of `valgrind`. */
  readonly program: string;
  /** What VALGRIND_LIB must be: our tool, beside what valgrind itself needs. */
  readonly folder: string;
}

const PLATFORM = 'amd64-linux';
const PRODUCT = `pagelens-${PLATFORM}`;

/** What the tool shares with the runtime of instrumented programs (core/record/runtime/README.md). */
const SHARED = ['encode.c', 'streams.c', 'modules.c', 'marks.c', 'window.c', 'calls.c', 'effects.c', 'waiting.c'];

/** As valgrind builds its own tools (its Makefile.tool.am), but for its sources' many warnings. */
const BUILD_FLAGS = [
  ...['-std=gnu11', '-O2', '-g', '-m64', '-fno-pic', '-fno-pie', '-fvisibility=hidden'],
  ...['-fno-strict-aliasing', '-fno-builtin', '-fno-stack-protector', '-fomit-frame-pointer'],
  ...['-DVGA_amd64=1', '-DVGO_linux=1', '-DVGP_amd64_linux=1', '-DVGPV_amd64_linux_vanilla=1'],
  // One thread of the program runs at a time; a stream's sites are all that were ever translated.
  ...['-DPAGELENS_ONE_AT_A_TIME', '-DPL_SITES_MAX=524288u'],
];
/** Where valgrind's tools lie, out of the way of the programs that they run. */
const LINK_FLAGS = [
  ...['-m64', '-static', '-nodefaultlibs', '-nostartfiles', '-no-pie', '-u', '_start'],
  ...['-Wl,--build-id=none', '-Wl,-Ttext-segment=0x58000000'],
];

const INSTALL = 'apt-get install valgrind, or dnf install valgrind valgrind-devel';

/** @throws RecordError (exit status 3) when valgrind, its libraries or a compiler is missing */
export async function ensureValgrindTool(env: NodeJS.ProcessEnv): Promise<ValgrindTool> {
  const program = onPath('valgrind', env);
  if (!program)
    throw new RecordError(l10n.kept('valgrind was not found: install it ({0})', INSTALL), 3, {
      code: 'no-recorder',
      package: 'valgrind',
    });
  const parts = valgrindParts(program);
  const compiler = findCompiler('c', env);
  const { libraries, headers } = parts;
  const built = await compileOnce(
    {
      title: 'the Valgrind tool',
      prefix: 'valgrind',
      product: PRODUCT,
      sources: [
        ...sourcesOf(assetPath('valgrind')),
        ...sourcesOf(assetPath('machine')),
        ...sourcesOf(assetPath('runtime')).filter(file => file.endsWith('.h') || SHARED.includes(path.basename(file))),
      ],
      identity: [headers, ...parts.archives.map(identityOf)].join('\n'),
      flags: [...BUILD_FLAGS, `-I${headers}`, `-I${assetPath('runtime')}`, `-I${assetPath('machine')}`],
      link: (objects, product) => [
        ...[...LINK_FLAGS, ...objects, '-Wl,--start-group', ...parts.archives, '-lgcc', '-Wl,--end-group'],
        ...['-o', product],
      ],
      package: 'valgrind',
    },
    compiler,
    env,
  );
  return { program, folder: await toolFolder(path.join(built, PRODUCT), parts.tools, libraries, env) };
}

interface Parts {
  /** Folders of the headers, of the static libraries, and of valgrind's own tools. */
  readonly headers: string;
  readonly libraries: string;
  readonly tools: string;
  readonly archives: readonly string[];
}

const CORE = `libcoregrind-${PLATFORM}.a`;

/** Debian and Fedora have the same files in different folders below the prefix. */
function valgrindParts(program: string): Parts {
  const prefix = path.resolve(path.dirname(realpathSync(program)), '..');
  const find = (folders: readonly string[], file: string) => {
    const found = folders
      .map(folder => path.join(prefix, folder, 'valgrind'))
      .find(f => existsSync(path.join(f, file)));
    if (found) return found;
    throw new RecordError(
      l10n.kept(
        'valgrind is installed without {0}, which tools are built with: install its development files ({1})',
        file,
        INSTALL,
      ),
      3,
      { code: 'no-recorder', package: 'valgrind' },
    );
  };
  const folders = ['lib/x86_64-linux-gnu', 'lib64', 'lib', 'libexec'];
  const libraries = find(folders, CORE);
  const names = [CORE, `libvex-${PLATFORM}.a`, `libgcc-sup-${PLATFORM}.a`];
  return {
    headers: find(['include'], 'pub_tool_tooliface.h'),
    libraries,
    tools: find(['libexec', ...folders], `none-${PLATFORM}`),
    // The last is there where the compiler's own library lacks something.
    archives: names.map(name => path.join(libraries, name)).filter(file => existsSync(file)),
  };
}

function identityOf(file: string): string {
  const { size, mtimeMs } = statSync(file);
  return `${file} ${size} ${mtimeMs}`;
}

/** A folder with the tool and links to what valgrind looks for beside it. */
async function toolFolder(tool: string, tools: string, libraries: string, env: NodeJS.ProcessEnv): Promise<string> {
  const folder = path.join(cacheFolder(env), `valgrind-lib-${contentName(tool, tools, libraries)}`);
  if (existsSync(folder)) return folder;
  const making = temporaryBeside(folder);
  await mkdir(making, { recursive: true });
  try {
    symlinkSync(tool, path.join(making, PRODUCT));
    for (const name of readdirSync(tools))
      if (/^vgpreload_core-|\.(supp|xml)$/.test(name)) symlinkSync(path.join(tools, name), path.join(making, name));
    await rename(making, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return folder;
}

/** Where valgrind writes its own messages, in the run directory. */
export const VALGRIND_LOG = 'valgrind.log';

export const VALGRIND_OPTIONS = [
  ...['--tool=pagelens', '--quiet', '--trace-children=yes', '--vgdb=no', '--fair-sched=try'],
  // Names of allocation functions are compared as they are in symbol tables.
  '--demangle=no',
  // Code that valgrind would have libc run at the end is none of the program's.
  ...['--run-libc-freeres=no', '--run-cxx-freeres=no'],
] as const;

/** What stands before the program and its arguments. */
export function valgrindArguments(runDirectory: string): string[] {
  return [
    ...VALGRIND_OPTIONS,
    `--run-directory=${runDirectory}`,
    // `%` has a meaning in this option.
    `--log-file=${path.join(runDirectory, VALGRIND_LOG).replaceAll('%', '%%')}`,
  ];
}
