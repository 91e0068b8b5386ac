// biome-ignore-all lint/suspicious/noTemplateCurlyInString: VS Code's variables are written so
/** What a folder tells about its programs: makefiles, CMake's answers, launch configurations, compiler messages. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { askForTargets, readExecutables } from '../../extension/program/build/cmakeFileApi.js';
import { compilerMessages, firstError } from '../../extension/program/build/compilerMessages.js';
import { buildEnvironment, makeFlags } from '../../extension/program/build/environment.js';
import { parseMakeDatabase } from '../../extension/program/build/makeDatabase.js';
import { readMakeDatabase } from '../../extension/program/build/makeTargets.js';
import { isMesonProject, readMesonExecutables } from '../../extension/program/build/mesonTargets.js';
import { copyNinjaFiles, readNinja, writeReplacements } from '../../extension/program/build/ninja.js';
import { withReplacements } from '../../extension/program/build/ninjaFile.js';
import { mirrorSources } from '../../extension/program/build/sourceMirror.js';
import { installCommand } from '../../extension/program/installCommand.js';
import { launchPrograms, shellWords } from '../../extension/program/launchConfigurations.js';
import { expandVariables, unknownVariables } from '../../extension/program/variables.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pagelens-programs-'));
});
const write = (name: string, text: string) => {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
};

describe('make', () => {
  const makefile = [
    'BIN := app',
    'OBJS = main.o util.o',
    'CREATED := $(shell touch shell-ran; echo x)',
    'all: $(BIN) tool libu.a plugin.so',
    '$(BIN): $(OBJS)',
    '\t$(CC) $(LDFLAGS) -o $@ $^ -lm',
    'tool: tool.o util.o',
    './bin/nested: main.c',
    '\tgcc -O2 main.c -o $@',
    'libu.a: util.o',
    '\tar rcs $@ $^',
    'plugin.so: plugin.o',
    '\t$(CC) -shared -o $@ $^',
    'generated: table.txt',
    '\tpython3 make.py table.txt > $@',
    'check: $(BIN)',
    '\t+touch recipe-ran',
    '-include made.mk',
    'made.mk: main.c',
    '\ttouch made.mk',
    '%.o: %.c',
    '\t$(CC) -c -o $@ $<',
    'clean: ; rm -f *.o',
    '.PHONY: all clean check',
    '',
  ].join('\n');
  const read = () => readMakeDatabase({ make: 'make', folder, makefile: undefined });

  test('the targets that link a program are found; archives, plug-ins, generated files and phony ones are not', async () => {
    write('Makefile', makefile);
    write('main.c', '');
    expect((await read()).programs).toEqual(['app', 'bin/nested', 'tool']);
  });

  test('nothing of the project runs: no recipe, no $(shell), no included makefile that could be made', async () => {
    write('Makefile', makefile);
    write('main.c', '');
    await read();
    for (const name of ['shell-ran', 'recipe-ran', 'made.mk']) expect(existsSync(path.join(folder, name))).toBe(false);
  });

  test('what rules make is known, so that it is not taken for a source', async () => {
    write('Makefile', makefile);
    const { outputs } = await read();
    expect(outputs).toEqual(expect.arrayContaining(['app', 'libu.a', 'generated', 'made.mk']));
    expect(outputs).not.toContain('main.c');
    expect(outputs).not.toContain('clean');
  });

  test('a makefile with an error gives what there is; a missing make is an error', async () => {
    write('Makefile', 'app: a.o\n\tcc -o $@ a.o\nnonsense here\n');
    expect(await read()).toEqual({ programs: ['app'], outputs: ['app'] });
    await expect(readMakeDatabase({ make: 'no-such-make', folder, makefile: undefined })).rejects.toThrow('ENOENT');
  });

  test('a text that is no database has no targets', () => {
    expect(parseMakeDatabase('make: *** No targets.\n')).toEqual({ programs: [], outputs: [] });
  });

  test('MAKEFLAGS sets the compilers over what the makefile says, beside the flags that were there', () => {
    write('Makefile', 'CC = wrong\nCXX := wrong\nall: ; @echo "[$(CC)] [$(CXX)]"\n');
    const run = (existing?: string) =>
      execFileSync('make', ['-s'], { cwd: folder, env: { PATH: process.env.PATH, MAKEFLAGS: makeFlags(existing) } });
    expect(String(run()).trim()).toBe('[pagelens cc] [pagelens c++]');
    expect(String(run('-k')).trim()).toBe('[pagelens cc] [pagelens c++]');
    expect(String(run('k -- X=1')).trim()).toBe('[pagelens cc] [pagelens c++]');
  });
});

describe('ninja', () => {
  const buildFile = [
    'include toolchain.ninja',
    'rule cc',
    '  command = $cc -c $in -o $out',
    'rule link',
    '  command = $cc $in -o $out -lm',
    'rule cxxlink',
    '  command = /opt/my+tools/bin/x86_64-linux-gnu-g++-12 $in -o $out',
    'rule so',
    '  command = $cc -shared $in -o $out',
    'rule ar',
    '  command = rm -f $out && gcc-ar crs $out $in',
    'rule script',
    '  command = touch ran && python3 gen.py $in -o $out',
    'rule again',
    '  command = touch made-anew',
    '  generator = 1',
    'build build.ninja: again configure',
    'build main.o: cc src/main.c',
    'build libmain.a: ar main.o',
    'build plugin: so main.o',
    'build generated: script src/main.c',
    'build bin/server: link main.o',
    'build tool: cxxlink main.o',
    'build all: phony bin/server tool',
    '',
  ].join('\n');
  beforeEach(() => {
    write('build.ninja', buildFile);
    write('toolchain.ninja', 'cc = gcc\n');
    write('configure', '');
    write('src/main.c', 'int main(void) { return 0; }\n');
  });

  test('targets that link a program are found; archives, libraries, scripts and phony ones are not', async () => {
    expect(await readNinja(folder)).toEqual({
      programs: ['bin/server', 'tool'],
      outputs: ['build.ninja', 'main.o', 'libmain.a', 'plugin', 'generated', 'bin/server', 'tool'],
      compilers: ['gcc', '/opt/my+tools/bin/x86_64-linux-gnu-g++-12'],
    });
  });

  test('nothing is run to find them, neither a rule nor what would make build.ninja anew', async () => {
    await readNinja(folder);
    for (const name of ['ran', 'made-anew']) expect(existsSync(path.join(folder, name))).toBe(false);
  });

  test('an error in the file is told in the words of ninja, which names the line', async () => {
    write('build.ninja', 'rule cc\n');
    await expect(readNinja(folder)).rejects.toThrow("build.ninja:2: expected 'command =' line");
  });

  test('in the copy compilers that are called by a path are replaced, and the files of the user stay', async () => {
    const copy = path.join(folder, 'copy');
    mkdirSync(copy);
    symlinkSync(path.join(folder, 'build.ninja'), path.join(copy, 'build.ninja'));
    const compilers = ['gcc', '/opt/my+tools/bin/x86_64-linux-gnu-g++-12'];
    await copyNinjaFiles(folder, copy, compilers);
    const copied = readFileSync(path.join(copy, 'build.ninja'), 'utf8');
    expect(copied).toContain('command = pagelens-opt-my+tools-bin-x86_64-linux-gnu-g++-12 $in -o $out\n');
    expect(readFileSync(path.join(copy, 'toolchain.ninja'), 'utf8')).toBe('cc = gcc\n');
    expect(readFileSync(path.join(folder, 'build.ninja'), 'utf8')).toBe(buildFile);
  });

  test('ninja calls the wrapper around the compiler that the file names', async () => {
    const fake = (name: string, script: string) => {
      write(name, `#!/bin/sh\n${script}\n`);
      chmodSync(path.join(folder, name), 0o755);
    };
    fake('bin/pagelens', 'echo "$PAGELENS_CC|$PAGELENS_CXX|$*"');
    const compilers = ['gcc', '/opt/my+tools/bin/x86_64-linux-gnu-g++-12'];
    await writeReplacements(path.join(folder, 'compilers'), compilers, `${folder}/bin:${process.env.PATH}`);
    const run = (name: string) =>
      execFileSync(path.join(folder, 'compilers', name), ['-c', 'a b.c'], { env: {}, encoding: 'utf8' }).trim();
    expect(run('gcc')).toBe('gcc||cc -c a b.c');
    expect(run('pagelens-opt-my+tools-bin-x86_64-linux-gnu-g++-12')).toBe(
      '|/opt/my+tools/bin/x86_64-linux-gnu-g++-12|c++ -c a b.c',
    );
  });

  test('a part of another word is no compiler', () => {
    const compilers = ['/usr/bin/gcc'];
    const text = 'a = /usr/bin/gcc-ar\nb = /x/usr/bin/gcc\nc = /usr/bin/gcc -O2\nd = ccache /usr/bin/gcc\n';
    expect(withReplacements(text, compilers)).toBe(
      'a = /usr/bin/gcc-ar\nb = /x/usr/bin/gcc\nc = pagelens-usr-bin-gcc -O2\nd = ccache pagelens-usr-bin-gcc\n',
    );
  });
});

test('the environment of a build puts the wrappers before the compilers that the user prefers', () => {
  const environment = buildEnvironment({
    launcher: '/l/bin',
    environment: { PATH: '/usr/bin', CC: 'clang', HOME: '/h', GONE: undefined },
    sources: ['/mirror', '/work'],
  });
  expect(environment).toEqual({
    PATH: '/l/bin:/usr/bin',
    HOME: '/h',
    CC: 'pagelens cc',
    CXX: 'pagelens c++',
    FC: 'pagelens fc',
    PAGELENS_CC: 'clang',
    PAGELENS_PREFIX_MAP: '/mirror=/work',
  });
});

describe('a mirror of the sources', () => {
  const mirror = () => path.join(folder, 'mirror');
  const sources = () => path.join(folder, 'sources');
  const update = (outputs: string[] = [], tracked: string[] = []) =>
    mirrorSources(sources(), mirror(), { outputs: new Set(outputs), tracked: new Set(tracked) });
  const has = (name: string) => existsSync(path.join(mirror(), name));

  test('links sources and leaves out what was built', async () => {
    for (const name of ['main.c', 'lib/util.c', 'main.o', 'libvendor.a', 'config.h', '.git/HEAD', 'vendor/blob.a'])
      write(`sources/${name}`, name);
    await update(['config.h'], ['vendor/blob.a']);
    expect(readlinkSync(path.join(mirror(), 'lib/util.c'))).toBe(path.join(sources(), 'lib/util.c'));
    expect(readFileSync(path.join(mirror(), 'vendor/blob.a'), 'utf8')).toBe('vendor/blob.a');
    for (const name of ['main.o', 'libvendor.a', 'config.h', '.git']) expect(has(name), name).toBe(false);
  });

  test('an executable of an earlier build is no source, a script is', async () => {
    write('sources/run.sh', '#!/bin/sh\n');
    execFileSync('cp', ['/bin/true', path.join(sources(), 'app')]);
    execFileSync('chmod', ['+x', path.join(sources(), 'run.sh')]);
    await update();
    expect([has('app'), has('run.sh')]).toEqual([false, true]);
  });

  test('follows the sources, and keeps what was built in it', async () => {
    write('sources/old.c', '');
    await update();
    write('mirror/old.o', 'object');
    rmSync(path.join(sources(), 'old.c'));
    write('sources/new.c', '');
    await update();
    expect(has('new.c')).toBe(true);
    expect(has('old.o')).toBe(true);
    expect(() => lstatSync(path.join(mirror(), 'old.c'))).toThrow('ENOENT');
  });

  test('within the sources is not mirrored into itself', async () => {
    write('sources/main.c', '');
    const inside = path.join(sources(), 'storage/mirror');
    const empty = { outputs: new Set<string>(), tracked: new Set<string>() };
    await mirrorSources(sources(), inside, empty);
    await mirrorSources(sources(), inside, empty);
    expect(existsSync(path.join(inside, 'main.c'))).toBe(true);
    expect(existsSync(path.join(inside, 'storage'))).toBe(false);
  });
});

test('CMake answers with its executables and where they will be', async () => {
  write(
    'source/CMakeLists.txt',
    'cmake_minimum_required(VERSION 3.15)\nproject(p C)\nadd_library(util STATIC a.c)\nadd_executable(zoo a.c)\n' +
      'add_executable(app a.c)\nset_target_properties(app PROPERTIES RUNTIME_OUTPUT_DIRECTORY bin OUTPUT_NAME tool)\n',
  );
  write('source/a.c', 'int main(void) { return 0; }\n');
  const build = path.join(folder, 'build');
  expect(await readExecutables(build)).toBeNull();
  await askForTargets(build);
  execFileSync('cmake', ['-S', path.join(folder, 'source'), '-B', build], { stdio: 'ignore' });
  expect(await readExecutables(build)).toEqual([
    { target: 'app', file: path.join(build, 'bin/tool') },
    { target: 'zoo', file: path.join(build, 'zoo') },
  ]);
});

test('Meson tells its executables, wherever in the project they are, and where they will be', async () => {
  write('source/meson.build', "project('p', 'c')\nexecutable('zoo', 'a.c')\nsubdir('tools')\nlibrary('util', 'a.c')\n");
  write('source/a.c', 'int main(void) { return 0; }\n');
  write('source/tools/meson.build', "executable('zoo', '../a.c')\n");
  const build = path.join(folder, 'build');
  expect(isMesonProject(path.join(folder, 'source'))).toBe(true);
  expect(isMesonProject(folder)).toBe(false);
  expect(await readMesonExecutables(build)).toBeNull();
  execFileSync('meson', ['setup', build, path.join(folder, 'source')], { stdio: 'ignore' });
  expect(await readMesonExecutables(build)).toEqual([
    { target: 'tools/zoo:executable', file: path.join(build, 'tools/zoo') },
    { target: 'zoo:executable', file: path.join(build, 'zoo') },
  ]);
});

describe('launch configurations', () => {
  test('of every native debugger, with arguments and environment in their forms', () => {
    const configurations = [
      {
        name: 'cpp',
        type: 'cppdbg',
        request: 'launch',
        program: '${workspaceFolder}/app',
        args: ['-n', 3],
        environment: [{ name: 'A', value: '1' }],
        cwd: '${workspaceFolder}/data',
      },
      { name: 'code', type: 'lldb', request: 'launch', program: 'b', args: "-x 'two words' a\\ b", env: { B: '2' } },
      { name: 'dap', type: 'lldb-dap', request: 'launch', program: 'c', env: ['C=3=4', 'nonsense'] },
      { name: 'attach', type: 'cppdbg', request: 'attach', program: 'd' },
      { name: 'node', type: 'node', request: 'launch', program: 'e.js' },
      { name: 'cargo', type: 'lldb', request: 'launch', cargo: {} },
      null,
    ];
    expect(launchPrograms(configurations)).toEqual([
      {
        name: 'cpp',
        program: '${workspaceFolder}/app',
        arguments: ['-n', '3'],
        environment: { A: '1' },
        workingDirectory: '${workspaceFolder}/data',
      },
      {
        name: 'code',
        program: 'b',
        arguments: ['-x', 'two words', 'a b'],
        environment: { B: '2' },
        workingDirectory: '',
      },
      { name: 'dap', program: 'c', arguments: [], environment: { C: '3=4' }, workingDirectory: '' },
    ]);
    expect(launchPrograms(undefined)).toEqual([]);
  });

  test.each(['a b', "it\\'s 'q \"x\"' end", '"a \\" b" c', "x'y z'w", '  lead  '])(
    'words of %s are the shell’s',
    text => {
      const shell = execFileSync('sh', ['-c', `for word in ${text}; do printf '%s\\n' "$word"; done`], {
        encoding: 'utf8',
      });
      expect(shellWords(text)).toEqual(shell.split('\n').slice(0, -1));
    },
  );
});

describe('variables', () => {
  const context = {
    folder: '/work/app',
    folders: { lib: '/work/lib' },
    file: '/work/app/src/main.c',
    environment: { HOME: '/h' },
    commands: { 'cmake.launchTargetPath': '/b/app' },
  };
  test.each([
    ['${workspaceFolder}/x', '/work/app/x'],
    ['${workspaceFolderBasename} ${workspaceFolder:lib}', 'app /work/lib'],
    ['${file} ${fileDirname} ${fileBasename}', '/work/app/src/main.c /work/app/src main.c'],
    ['${fileBasenameNoExtension}${fileExtname} ${relativeFile}', 'main.c src/main.c'],
    ['[${env:HOME}] [${env:NOT_SET}]', '[/h] []'],
    ['${command:cmake.launchTargetPath}', '/b/app'],
    ['${userHome}', homedir()],
    ['${input:port} ${command:other} $HOME', '${input:port} ${command:other} $HOME'],
  ])('%s', (text, expected) => expect(expandVariables(text, context)).toBe(expected));

  test('those without a value are named', () => {
    expect(unknownVariables('${input:port} ${workspaceFolder} ${nonsense}', context)).toEqual([
      'input:port',
      'nonsense',
    ]);
    expect(unknownVariables('${file}', { ...context, file: undefined })).toEqual(['file']);
  });
});

describe('compiler messages', () => {
  test('of gcc and clang, in the folders that make enters', () => {
    const output = [
      "make[1]: Entering directory '/work/lib'",
      'util.c: In function ‘f’:',
      'util.c:3:5: error: expected ‘;’ before ‘}’ token',
      "make[1]: Leaving directory '/work/lib'",
      'main.c:7:1: warning: unused',
      '\u001b[1m/abs/x.h:2:\u001b[0m fatal error: y.h: No such file or directory',
      'main.c:9:2: note: here',
      '',
    ].join('\r\n');
    expect(compilerMessages(output, '/work')).toEqual([
      { file: '/work/lib/util.c', line: 3, column: 5, severity: 'error', text: 'expected ‘;’ before ‘}’ token' },
      { file: '/work/main.c', line: 7, column: 1, severity: 'warning', text: 'unused' },
      { file: '/abs/x.h', line: 2, column: 0, severity: 'error', text: 'y.h: No such file or directory' },
      { file: '/work/main.c', line: 9, column: 2, severity: 'note', text: 'here' },
    ]);
    expect(firstError(output, '/work')).toBe('util.c:3: expected ‘;’ before ‘}’ token');
  });

  test('of gfortran and the linker', () => {
    const output = 'heat.f90:4:7:\n\n    4 |   x = y\n      |       1\nError: Symbol ‘y’ has no IMPLICIT type\n';
    expect(compilerMessages(output, '/w')).toEqual([
      { file: '/w/heat.f90', line: 4, column: 7, severity: 'error', text: 'Symbol ‘y’ has no IMPLICIT type' },
    ]);
    expect(
      compilerMessages("/usr/bin/ld: /tmp/x.o: in function `main':\n/w/main.c:3: undefined reference to `f'", '/'),
    ).toEqual([{ file: '/w/main.c', line: 3, column: 0, severity: 'error', text: "undefined reference to `f'" }]);
  });

  test('without a place, the line that says what is wrong', () => {
    expect(firstError('cc -c a.c\nmake: *** No rule to make target `b.c`.  Stop.\n', '/w')).toBe(
      'make: *** No rule to make target `b.c`.  Stop.',
    );
    expect(firstError('all is well\n', '/w')).toBeNull();
  });
});

test('a compiler is installed by the command of the system', () => {
  const on = (release: string, name = 'g++') => installCommand(name, release);
  expect(on('PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n')).toBe('sudo apt-get install g++');
  expect(on('ID=linuxmint\nID_LIKE="ubuntu debian"\n')).toBe('sudo apt-get install g++');
  expect(on('ID="rocky"\nID_LIKE="rhel centos fedora"\n')).toBe('sudo dnf install gcc-c++');
  expect(on('ID=arch\n', 'gcc')).toBe('sudo pacman -S gcc');
  expect(on('')).toBe('sudo apt-get install g++');
});
