/** What goes wrong with a program: each failure says what happened, why, and has a button for the next step. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: VS Code's variables are written so
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, afterEach, before, describe, test } from 'node:test';
import { extensionPath, main, profile, Story, util } from './story.mjs';

/** Reads at random: each read costs bytes of the trace, 20 MB and more in all. */
const random = `#include <stdio.h>
#include <stdlib.h>
int main(void) {
  unsigned *table = calloc(1 << 22, sizeof *table), x = 1, sum = 0;
  for (int i = 0; i < 20000000; i++) sum += table[(x = x * 1664525u + 1013904223u) >> 10];
  printf("%u\\n", sum);
  return 0;
}
`;

let story;
afterEach(async ({ name }) => {
  await story?.picture(name);
  await story?.close();
  story = undefined;
});

describe('a program that cannot be profiled', { timeout: 400_000 }, () => {
  test('a file without main: the reason, and a list of the programs that there are', async () => {
    story = await Story.next({ 'main.c': main + util, 'util.c': util });
    await story.vscode.openFile('main.c');
    await story.explorerMenu('util.c', 'Profile page accesses');
    const toast = await story.vscode.notification('util.c was not built: it has no main');
    await toast.getByRole('button', { name: 'Choose a Program...' }).click();
    await story.choose('main.c');
    await story.lens('75 % of accesses');
  });

  test('a program that nobody may execute: the reason, and the command that allows it', async () => {
    story = await Story.next({
      'scan.c': main + util,
      '.vscode/settings.json': { 'pagelens.program': '${workspaceFolder}/scan' },
    });
    const program = path.join(story.workspace, 'scan');
    const cli = path.join(extensionPath, 'dist/cli.cjs');
    execFileSync(process.execPath, [cli, 'cc', '-O2', 'scan.c', '-o', program], { cwd: story.workspace });
    await chmod(program, 0o644);
    await story.vscode.openFile('scan.c');
    await story.vscode.runCommand(profile);
    const toast = await story.vscode.notification('permission denied; nobody may execute it');
    await toast.getByRole('button', { name: 'Copy chmod Command' }).click();
    await story.page.locator('.statusbar-item', { hasText: `Copied: chmod u+rx '${program}'` }).waitFor();
  });
});

/** Whether this process may mount file systems of its own. */
function mayMount() {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('a disk that does not let it', { timeout: 400_000, skip: !mayMount() && 'needs the right to mount' }, () => {
  let disk;
  before(async () => {
    disk = await mkdtemp(path.join(tmpdir(), 'pagelens-e2e-disk-'));
  });
  afterEach(() => execFileSync('umount', ['--lazy', disk]));
  after(() => rm(disk, { recursive: true, force: true }));
  const mount = options => execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk]);

  async function openDocumentation(toast) {
    await toast.getByRole('button', { name: 'Open Documentation' }).click();
    await story.page.locator('.tab.active', { hasText: 'troubleshooting' }).waitFor();
  }

  test('programs may not run on it: that is the reason, and what to do is a button away', async () => {
    mount('noexec');
    // A source file is built in the folder for temporary files.
    story = await Story.open({ 'scan.c': main + util }, {}, { env: { TMPDIR: disk } });
    await story.vscode.openFile('scan.c');
    await story.vscode.runCommand(profile);
    await openDocumentation(await story.vscode.notification('its file system is mounted with noexec'));
  });

  test('it becomes full while a program is recorded: that is the reason, what was recorded is shown, and nothing is left on it', async () => {
    mount('size=12m');
    story = await Story.open({ 'random.c': random }, {}, { env: { TMPDIR: disk } });
    await story.vscode.openFile('random.c');
    await story.vscode.runCommand(profile);
    const toast = await story.vscode.notification('exit status 0, recording cut short: the disk is full.', 60_000);
    assert.match(await toast.innerText(), /Free some space, or start the editor with TMPDIR set to a folder/);
    await story.lens('100 % of accesses');
    await openDocumentation(toast);
    const left = execFileSync('find', [disk, '-name', '*.pltrace'], { encoding: 'utf8' });
    assert.equal(left, '');
  });
});
