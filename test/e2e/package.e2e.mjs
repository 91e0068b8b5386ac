/** What users get: the packaged extension, installed in VS Code, profiles a program. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VSCode } from './drive.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');

describe('the package', { timeout: 240_000 }, () => {
  let folder;
  let vscode;
  let vsix;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'pagelens-e2e-package-'));
    vsix = path.join(folder, 'pagelens.vsix');
    const vsce = path.join(root, 'node_modules/.bin/vsce');
    execFileSync(
      vsce,
      ['package', '--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links', '-o', vsix],
      { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
    );
  });
  after(async () => {
    await vscode?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('is under 5 MB', async () => {
    assert.ok((await stat(vsix)).size < 5_000_000, `${(await stat(vsix)).size} bytes`);
  });

  test('installs in VS Code 1.100 and puts lenses on a profiled program', async () => {
    const workspace = path.join(folder, 'workspace');
    await cp(path.join(here, 'programs'), workspace, { recursive: true });
    vscode = await VSCode.launch({ workspace, vsix: [vsix] });
    await vscode.openFile('scan.c');
    await vscode.runCommand('Pagelens: Profile page accesses');
    const lenses = await vscode.codeLensTexts(3);
    assert.match(lenses[0], /^hot · 25 % of accesses · 0 % read, 100 % write · 2,049 pages \(8 MiB\)/);
  });
});
