// Builds everything that ships into dist/: the kernel (WebAssembly), the bundles, and the files they read.
//   node esbuild.mjs [--production]
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import asc from 'assemblyscript/asc';
import esbuild from 'esbuild';
import { writeBundle } from './l10n/collect.mjs';

const root = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(root, 'dist');

/** @param {{ production?: boolean }} [options] */
export async function build({ production = false } = {}) {
  await mkdir(out, { recursive: true });
  await Promise.all([kernel(), node(production), webview(production), assets(), writeBundle()]);
}

/** What is AssemblyScript: the replay kernel, and the hooks of recorded WebAssembly programs. */
async function kernel() {
  await assembly('core/kernel', 'index.ts', 'kernel');
  await assembly('core/record/wasm/hooks', 'hooks.ts', 'wasmHooks');
}

/** Skipped when the sources have not changed: the optimiser takes seconds. */
async function assembly(from, entry, name) {
  const folder = path.join(root, from);
  const target = path.join(out, `${name}.wasm`);
  const sources = (await readdir(folder)).filter(name => name.endsWith('.ts'));
  const times = await Promise.all(sources.map(async name => (await stat(path.join(folder, name))).mtimeMs));
  const built = await stat(target).then(
    s => s.mtimeMs,
    () => 0,
  );
  if (built > Math.max(...times)) return;
  const wasm = path.join(out, `${name}.${process.pid}.wasm`);
  const { error, stderr } = await asc.main([
    path.join(folder, entry),
    '--baseDir',
    root,
    '--outFile',
    path.relative(root, wasm),
    '--runtime',
    'stub',
    '--enable',
    'simd,bulk-memory',
    '-O3',
    '--noAssert',
    '--maximumMemory',
    '65536',
  ]);
  if (error) throw new Error(`${name}: ${error.message}\n${stderr.toString()}`);
  // Renamed into place, so that a test process never reads half a file.
  const { rename } = await import('node:fs/promises');
  await rename(wasm, target);
}

async function node(production) {
  const entries = {
    cli: 'core/cli.ts',
    server: 'core/server.ts',
    worker: 'core/worker.ts',
    wasmRunner: 'core/record/wasm/runner.ts',
    extension: 'extension/extension.ts',
    languageClient: 'extension/languageClient.ts',
    terminal: 'extension/terminal.ts',
  };
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: Object.entries(await existing(entries)).map(([name, file]) => ({ in: file, out: name })),
    outdir: out,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // Only the extension may meet the editor: for core a value import of `vscode` fails at run time in its tests.
    external: ['vscode'],
    plugins: [separately('languageClient'), oneVscode()],
    // An editor's extension host finds `vscode` for what is required, not for what is imported.
    supported: { 'dynamic-import': false },
    minify: production,
    sourcemap: !production,
    logLevel: 'warning',
    define: { 'import.meta.url': 'undefined' },
  });
}

/** Leaves a dynamic import of this entry to run time: parsing it would take most of the extension's activation. */
function separately(name) {
  return {
    name,
    setup({ onResolve }) {
      const filter = new RegExp(`/${name}\\.js$`);
      onResolve({ filter }, ({ kind }) =>
        kind === 'dynamic-import' ? { path: `./${name}.cjs`, external: true } : undefined,
      );
    },
  };
}

/**
 * Lets all files share the editor's API as it is. An `import * as vscode` would become a copy of its hundreds of members
 * in each of some fifty files: nine tenths of the time that the extension takes to load.
 */
function oneVscode() {
  const shared = 'vscode-as-it-is';
  return {
    name: shared,
    setup({ onResolve, onLoad }) {
      onLoad({ filter: /[\\/]extension[\\/].*\.ts$/ }, async ({ path: file }) => {
        const source = await readFile(file, 'utf8');
        const contents = source.replace("import * as vscode from 'vscode';", `import vscode from '${shared}';`);
        return { contents, loader: 'ts' };
      });
      onResolve({ filter: new RegExp(`^${shared}$`) }, () => ({ path: shared, namespace: shared }));
      onLoad({ filter: /.*/, namespace: shared }, () => ({ contents: "export default require('vscode');" }));
    },
  };
}

async function webview(production) {
  const entry = await existing({ webview: 'webview/main.ts' });
  if (!entry.webview) return;
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: [entry.webview],
    outfile: path.join(out, 'webview.js'),
    bundle: true,
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
    minify: production,
    sourcemap: !production,
    logLevel: 'warning',
    loader: { '.ttf': 'file', '.svg': 'text' },
  });
}

/** Files that are read as they are: the recorder's C sources, the sample, the icon font. */
async function assets() {
  const copy = async (from, to) => cp(path.join(root, from), path.join(out, to), { recursive: true });
  for (const recorder of ['runtime', 'machine', 'qemu', 'valgrind']) await mirror(`core/record/${recorder}`, recorder);
  await mirror('core/record/include', 'include');
  await mirror('core/apply/preload', 'preload');
  await copy('core/sample', 'sample');
  await copy('node_modules/@vscode/codicons/dist/codicon.css', 'codicon.css');
  await copy('node_modules/@vscode/codicons/dist/codicon.ttf', 'codicon.ttf');
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  await writeFile(path.join(out, 'version'), version);
}

/** Copies a folder of C sources; all that lie there are compiled, so that what was removed must go there, too. */
async function mirror(from, to) {
  const target = path.join(out, to);
  await cp(path.join(root, from), target, { recursive: true });
  const sources = await readdir(path.join(root, from));
  for (const name of await readdir(target)) if (!sources.includes(name)) await rm(path.join(target, name));
}

async function existing(entries) {
  const found = await Promise.all(
    Object.entries(entries).map(async ([name, file]) =>
      stat(path.join(root, file)).then(
        () => [name, file],
        () => null,
      ),
    ),
  );
  return Object.fromEntries(found.filter(Boolean));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await build({ production: process.argv.includes('--production') });
}
