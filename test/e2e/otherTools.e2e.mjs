/** What the user told CMake Tools and Makefile Tools is known: their settings, and what they would launch. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: VS Code's variables are written so
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { main, profile, Story, util } from './story.mjs';

const tools = fileURLToPath(new URL('programs/tools', import.meta.url));
const withTool = name => ({ otherExtensions: [path.join(tools, name)] });

/** Is only configured with what the settings below say, and built with what they say. */
const cmakeLists = `cmake_minimum_required(VERSION 3.15)
project(scan C)
set(GIVEN "\${STAGE} $ENV{BOTH} $ENV{ONLY_CONFIGURED} $ENV{ONLY_BUILT}")
if(NOT GIVEN STREQUAL "RelWithDebInfo both yes ")
  message(FATAL_ERROR "not as set: \${GIVEN}")
endif()
add_executable(another another.c)
add_executable(scan main.c util.c)
add_custom_command(TARGET scan PRE_LINK COMMAND test "$$ONLY_BUILT$$BOTH" = yesboth)
`;
const cmakeSettings = {
  'cmake.configureSettings': { STAGE: '${buildType}' },
  'cmake.environment': { BOTH: 'both', PICKED: '${workspaceRootFolderName}' },
  // The compiler of the user is the one behind ours.
  'cmake.configureEnvironment': { ONLY_CONFIGURED: 'yes', CC: '/usr/bin/gcc' },
  'cmake.buildEnvironment': { ONLY_BUILT: 'yes', CC: '/usr/bin/gcc' },
};
const cmakeProject = {
  'CMakeLists.txt': cmakeLists,
  'main.c': main,
  'util.c': util,
  'another.c': 'int main(void) { return 0; }\n',
  '.vscode/settings.json': cmakeSettings,
};
const makeProject = {
  Makefile: 'scan: main.o util.o\n\t$(CC) -o $@ main.o util.o\n',
  'main.c': main,
  'util.c': util,
};
const launched = (name, configuration) => ({
  '.vscode/launch.json': { configurations: [{ name, type: 'cppdbg', request: 'launch', ...configuration }] },
});

let story;
afterEach(async ({ name }) => {
  await story?.picture(name);
  await story?.close();
  story = undefined;
});

async function profileAs(label) {
  await story.vscode.openFile('util.c');
  await story.vscode.runCommand(profile);
  await story.choose(label);
}

/** The user's own program has no hooks. */
async function buildWithHooks() {
  const toast = await story.vscode.notification('was not built for recording');
  await toast.getByRole('button', { name: 'Build with Pagelens' }).click();
}

describe('beside CMake Tools', { timeout: 400_000 }, () => {
  test('its launch target is offered first, and is built with its settings', async () => {
    story = await Story.next(cmakeProject, {}, withTool('cmake-tools'));
    await profileAs('Launch target of CMake Tools');
    await story.lens('75 % of accesses');
    assert.equal(existsSync(path.join(story.workspace, 'built-by-cmake-tools')), false);
  });

  test('a launch configuration as its documentation writes it: its variables are asked, and nothing builds twice', async () => {
    const configuration = {
      program: '${command:cmake.launchTargetPath}',
      args: ['7'],
      cwd: '${command:cmake.getLaunchTargetDirectory}',
      environment: [{ name: 'PATH', value: '${env:PATH}:${command:cmake.getLaunchTargetDirectory}' }],
    };
    story = await Story.next(
      { ...cmakeProject, ...launched('Under the debugger', configuration) },
      {},
      withTool('cmake-tools'),
    );
    const build = path.join(story.workspace, 'build');
    const env = { ...process.env, BOTH: 'both', ONLY_CONFIGURED: 'yes' };
    const configure = ['-S', story.workspace, '-B', build, '-DSTAGE=RelWithDebInfo'];
    execFileSync('cmake', configure, { stdio: 'ignore', env });
    execFileSync('cmake', ['--build', build], { stdio: 'ignore', env: { ...env, ONLY_BUILT: 'yes' } });
    await profileAs('Under the debugger');
    await buildWithHooks();
    // 7 reads for 1 write.
    await story.lens('87 % of accesses');
    assert.equal(existsSync(path.join(story.workspace, 'built-by-cmake-tools')), false);
  });
});

describe('beside Makefile Tools', { timeout: 400_000 }, () => {
  test('its launch configurations are offered, with arguments and working directory', async () => {
    const settings = {
      'makefile.launchConfigurations': [
        { binaryPath: '${workspaceFolder}/scan', binaryArgs: ['7'], cwd: '${workspaceFolder}' },
      ],
    };
    story = await Story.next({ ...makeProject, '.vscode/settings.json': settings }, {}, withTool('makefile-tools'));
    execFileSync('make', { cwd: story.workspace, stdio: 'ignore' });
    // The label is the program's name, the description how it is called.
    await profileAs('${workspaceFolder}/scan 7');
    await buildWithHooks();
    await story.lens('87 % of accesses');
  });

  test('a launch configuration may ask for its launch target', async () => {
    const configuration = {
      program: '${command:makefile.launchTargetPath}',
      args: ['${command:makefile.getLaunchTargetArgsConcat}'],
    };
    story = await Story.next(
      { ...makeProject, ...launched('Under the debugger', configuration) },
      {},
      withTool('makefile-tools'),
    );
    execFileSync('make', { cwd: story.workspace, stdio: 'ignore' });
    await profileAs('Under the debugger');
    await buildWithHooks();
    await story.lens('87 % of accesses');
    assert.equal(existsSync(path.join(story.workspace, 'built-by-makefile-tools')), false);
  });
});
