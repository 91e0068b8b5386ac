/**
 * Installs a VS Code 1.100 that a browser can drive, from the npm registry alone: the unmodified workbench and Node
 * extension host inside code-server, with the built-in extensions that stories need. (`@vscode/test-electron` would download from elsewhere.)
 *
 *   node test/e2e/setup/vscode.mjs [FOLDER]       default: .vscode-e2e
 *
 * Needs g++, make and python3; takes about 40 s and 320 MB once, nothing when the folder is complete.
 */
import { spawn } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** The last version for Node 20; it holds VS Code 1.100.3. */
const VERSION = '4.100.3';
/** What the folder holds when it is complete. */
const READY = `${VERSION}, without what no story needs`;
/** Extensions for other languages and services: started with each window, they take an eighth of a story's time. */
const UNNEEDED = [
  ...['typescript-language-features', 'php-language-features', 'html-language-features', 'css-language-features'],
  ...['emmet', 'npm', 'grunt', 'gulp', 'jake', 'extension-editing', 'references-view', 'merge-conflict'],
  ...['github', 'github-authentication', 'microsoft-authentication', 'tunnel-forwarding', 'simple-browser'],
  ...['ipynb', 'notebook-renderers', 'media-preview', 'terminal-suggest', 'debug-server-ready', 'debug-auto-launch'],
  ...['ms-vscode.js-debug', 'ms-vscode.js-debug-companion', 'ms-vscode.vscode-js-profile-table'],
];
export const defaultFolder = fileURLToPath(new URL('../../../.vscode-e2e', import.meta.url));

export async function installVSCode(folder = defaultFolder) {
  const ready = path.join(folder, 'ready');
  if ((await readFile(ready, 'utf8').catch(() => '')) === READY) return folder;
  await mkdir(folder, { recursive: true });

  // 1. The packages, without their install scripts: those download programs from other places.
  const npm = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const dependencies = { 'code-server': VERSION, '@vscode/ripgrep': '1.18.0', 'node-gyp': '^11' };
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await run('npm', npm, folder);
  const vscode = path.join(folder, 'node_modules/code-server/lib/vscode');
  // Not `npm ci`: the lock file that is shipped lacks a package.
  await run('npm', [...npm, '--omit=dev'], vscode);

  // 2. The native modules that matter: logs and output channels, terminals and tasks, extension hosts that end with
  //    the server. Built with the headers that came with Node where it has them, else node-gyp downloads them.
  const prefix = path.resolve(process.execPath, '../..');
  const headers = await readFile(path.join(prefix, 'include/node/node.h')).then(
    () => [`--nodedir=${prefix}`],
    () => [],
  );
  const gyp = path.join(folder, 'node_modules/.bin/node-gyp');
  for (const module of ['@vscode/spdlog', 'node-pty', 'native-watchdog'])
    await run(
      gyp,
      ['rebuild', '-C', path.join(vscode, 'node_modules', module), ...headers, '--loglevel=error'],
      folder,
    );

  // 3. ripgrep, with which VS Code looks for files: npm's package of the platform holds the program.
  const require = createRequire(path.join(folder, 'package.json'));
  const rg = require.resolve(`@vscode/ripgrep-${process.platform}-${process.arch}/bin/rg`);
  const bin = path.join(vscode, 'node_modules/@vscode/ripgrep/bin');
  await mkdir(bin, { recursive: true });
  await copyFile(rg, path.join(bin, 'rg'));

  for (const extension of UNNEEDED)
    await rm(path.join(vscode, 'extensions', extension), { recursive: true, force: true });

  await writeFile(ready, READY);
  return folder;
}

/** Quiet when it works; with all that it printed when not. */
function run(program, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', text => {
        output += text;
      });
    child.once('error', reject);
    child.once('close', status => {
      if (status === 0) resolve();
      else reject(new Error(`${program} ${args.join(' ')} failed:\n${output}`));
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await installVSCode(process.argv[2] ? path.resolve(process.argv[2]) : defaultFolder);
