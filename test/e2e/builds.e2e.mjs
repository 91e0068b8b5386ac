/** Programs of several files: whichever way they are built, they are profiled; and a build that fails says how. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: VS Code's variables are written so
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { main, profile, Story, util } from './story.mjs';

const makefile = `CC = gcc
OBJS = main.o util.o
all: scan
scan: $(OBJS)
\t$(CC) -o $@ $(OBJS)
.PHONY: all
`;
const cmake = `cmake_minimum_required(VERSION 3.15)
project(scan C)
add_executable(scan src/main.c src/util.c)
`;

const meson = `project('scan', 'c')
executable('scan', 'src/main.c', 'src/util.c')
`;

const ninja = `cc = /usr/bin/gcc
rule cc
  command = $cc -O2 -c $in -o $out
rule link
  command = $cc $in -o $out
build main.o: cc src/main.c
build util.o: cc src/util.c
build bin/scan: link main.o util.o
build all: phony bin/scan
`;

let story;
afterEach(async ({ name }) => {
  await story?.picture(name);
  await story?.close();
  story = undefined;
});

async function runTask(label) {
  await story.ask('Tasks: Run Task');
  // The list is filled anew when the providers have answered.
  await story.page.locator('.quick-input-widget .monaco-list-row', { hasText: 'contributed' }).waitFor();
  await story.choose(label);
}

describe('a program of several files', { timeout: 600_000 }, () => {
  test('a makefile: its target is offered, built apart, and the marks are on the sources', async () => {
    story = await Story.next({ Makefile: makefile, 'main.c': main, 'util.c': util });
    // The user's own objects, which must neither be used nor touched.
    execFileSync('make', { cwd: story.workspace, stdio: 'ignore' });
    const before = await readFile(path.join(story.workspace, 'main.o'));
    await story.vscode.openFile('util.c');
    await story.vscode.runCommand(profile);
    await story.choose('make target');
    await story.lens('75 % of accesses');
    assert.deepEqual(await readFile(path.join(story.workspace, 'main.o')), before);
    await story.terminal('total 1649265868800');
  });

  test('a build.ninja: its target is offered, built apart with the compiler that it names, and the marks are there', async () => {
    story = await Story.next({ 'build.ninja': ninja, 'src/main.c': main, 'src/util.c': util });
    execFileSync('ninja', { cwd: story.workspace, stdio: 'ignore' });
    const before = await readFile(path.join(story.workspace, 'main.o'));
    await story.vscode.openFile('util.c');
    await story.vscode.runCommand(profile);
    await story.choose('Ninja target');
    await story.lens('75 % of accesses');
    assert.deepEqual(await readFile(path.join(story.workspace, 'main.o')), before);
    assert.equal(await readFile(path.join(story.workspace, 'build.ninja'), 'utf8'), ninja);
    await story.terminal('total 1649265868800');
  });

  test('a CMake project: its target is offered and built in a folder of ours', async () => {
    story = await Story.next({ 'CMakeLists.txt': cmake, 'src/main.c': main, 'src/util.c': util });
    await story.vscode.openFile('util.c');
    await story.vscode.runCommand(profile);
    await story.choose('CMake target');
    await story.lens('75 % of accesses');
    assert.equal(existsSync(path.join(story.workspace, 'build')), false);
  });

  test('a Meson project: its target is offered and built in a folder of ours', async () => {
    story = await Story.next({ 'meson.build': meson, 'src/main.c': main, 'src/util.c': util });
    await story.vscode.openFile('util.c');
    await story.vscode.runCommand(profile);
    await story.choose('Meson target');
    await story.lens('75 % of accesses');
    await story.terminal('total 1649265868800');
    assert.equal(existsSync(path.join(story.workspace, 'build')), false);
  });

  test('launch.json: the program, its arguments and environment; what has no hooks is built with them', async () => {
    story = await Story.next({
      Makefile: makefile,
      'main.c': main,
      'util.c': util,
      '.vscode/launch.json': {
        configurations: [
          { name: 'Seven times', type: 'cppdbg', request: 'launch', program: '${workspaceFolder}/scan', args: ['7'] },
        ],
      },
    });
    execFileSync('make', { cwd: story.workspace, stdio: 'ignore' });
    await story.vscode.openFile('util.c');
    await story.vscode.runCommand(profile);
    await story.choose('Seven times');
    const toast = await story.vscode.notification('was not built for recording');
    await toast.getByRole('button', { name: 'Build with Pagelens' }).click();
    // 7 reads for 1 write.
    await story.lens('87 % of accesses');
  });

  test('pagelens.buildCommand builds with our compilers, even where the makefile sets its own', async () => {
    story = await Story.next({
      Makefile: makefile,
      'main.c': main,
      'util.c': util,
      '.vscode/settings.json': {
        'pagelens.buildCommand': 'make',
        'pagelens.program': '${workspaceFolder}/scan',
        'pagelens.environment': { TIMES: '1' },
      },
    });
    await story.vscode.openFile('util.c');
    await story.vscode.runCommand(profile);
    await story.lens('50 % of accesses');
  });

  test('a build that fails: the first error, a button to it, and a problem', async () => {
    story = await Story.next({
      Makefile: makefile,
      'main.c': main,
      'util.c': util.replace('return total;', 'return total'),
    });
    await story.vscode.openFile('main.c');
    await story.vscode.runCommand(profile);
    await story.choose('make target');
    const toast = await story.vscode.notification('"make scan" failed: util.c:4: expected');
    await toast.getByRole('button', { name: 'Show Problem' }).click();
    await story.page.locator('.tab.active[data-resource-name="util.c"]').waitFor();
    await story.page.locator('.markers-panel', { hasText: 'expected' }).waitFor();
  });

  test('a file of several is built with those that define the rest', async () => {
    story = await Story.next({ 'main.c': main, 'util.c': util });
    await story.vscode.openFile('main.c');
    await story.vscode.runCommand(profile);
    const toast = await story.vscode.notification('sum is not defined in it');
    await toast.getByRole('button', { name: 'Build with util.c' }).click();
    await story.vscode.openFile('util.c');
    await story.lens('75 % of accesses');
  });

  test('a task builds, and its messages are problems by our matcher', async () => {
    story = await Story.next({
      'main.c': 'int main(void) { return oops; }\n',
      '.vscode/tasks.json': {
        version: '2.0.0',
        tasks: [{ label: 'build it', type: 'pagelens', task: 'build', command: '$CC -c main.c' }],
      },
    });
    await story.vscode.openFile('main.c');
    await runTask('build it');
    await story.terminal('oops');
    await story.vscode.runCommand('Problems: Focus on Problems View');
    await story.page.locator('.markers-panel', { hasText: 'oops' }).waitFor({ timeout: 60_000 });
  });

  test('a profile task builds first what it depends on, profiles, and ends as the program does', async () => {
    const build = { label: 'build it', type: 'pagelens', task: 'build', command: '$CC -O2 main.c util.c -o scan' };
    const run = {
      type: 'pagelens',
      task: 'profile',
      program: '${workspaceFolder}/scan',
      args: ['7'],
      dependsOn: 'build it',
    };
    const failing = { type: 'pagelens', task: 'profile', program: 'failing.c', env: { STATUS: '3' } };
    const after = {
      label: 'after',
      type: 'shell',
      command: 'echo the-program-was-fine > after',
      dependsOn: 'failing run',
      problemMatcher: [],
    };
    story = await Story.next({
      'main.c': main,
      'util.c': util,
      'failing.c': '#include <stdlib.h>\nint main(void) { return atoi(getenv("STATUS")); }\n',
      '.vscode/tasks.json': {
        version: '2.0.0',
        tasks: [build, { ...run, label: 'profile it' }, { ...failing, label: 'failing run' }, after],
      },
    });
    await story.vscode.openFile('util.c');
    await runTask('profile it');
    // 7 reads for 1 write.
    await story.lens('87 % of accesses');
    // What depends on a failing program is not run, and the editor says why.
    await runTask('after');
    await story.vscode.notification('exit status 3');
    await story.page.getByRole('listitem', { name: 'failing run' }).click({ position: { x: 12, y: 10 } });
    await story.terminal('exit status 3: ');
    await story.terminal('exit code: 1');
    assert.equal(existsSync(path.join(story.workspace, 'after')), false);
  });

  test('without a compiler: the command that installs one, and a recorded sample to look at', async () => {
    story = await Story.open({ 'main.c': main + util }, {}, { env: { PAGELENS_CC: '/nowhere/gcc' } });
    await story.vscode.openFile('main.c');
    await story.vscode.runCommand(profile);
    const toast = await story.vscode.notification('/nowhere/gcc was not found');
    await toast.getByRole('button', { name: 'Copy Install Command' }).waitFor();
    await toast.getByRole('button', { name: 'Show a Recorded Sample' }).click();
    await story.page.locator('.tab.active[data-resource-name="raytracer.pltrace"]').waitFor();
  });

  test('a program that crashes leaves its profile, and the message leads to it', async () => {
    const crashes = util + main.replace('return 0;', '*(volatile int *)0 = 1;');
    story = await Story.next({ 'main.c': crashes });
    await story.vscode.openFile('main.c');
    await story.vscode.runCommand(profile);
    const toast = await story.vscode.notification('ended by SIGSEGV', 60_000);
    await story.lens('75 % of accesses');
    await toast.getByRole('button', { name: 'Show Dashboard' }).click();
    await story.vscode.webviewFrame('Pagelens');
  });
});
