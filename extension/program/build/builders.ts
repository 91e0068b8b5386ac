/** Carries out build plans: what is run where, and which program comes out. One function a kind of plan. */
import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Core } from '../../core.js';
import { launcherFolder } from '../../launcher.js';
import { type BuildResult, type BuildStep, runBuild } from './buildTerminal.js';
import { askForTargets, type CMakeExecutable, readExecutables } from './cmakeFileApi.js';
import { buildEnvironment, makeFlags, wrappers } from './environment.js';
import { makefileArguments, readMakeDatabase, trackedFiles } from './makeTargets.js';
import { type MesonExecutable, mesonBuildType, readMesonExecutables } from './mesonTargets.js';
import { copyNinjaFiles, readNinja, writeReplacements } from './ninja.js';
import { type BuildPlan, titleOf } from './plan.js';
import { runQuietly } from './quietly.js';
import { mirrorSources } from './sourceMirror.js';
import { buildType, type CMakeProject, cmakeProject, makeOptions } from './toolSettings.js';

export interface Built extends BuildResult {
  /** The folder of the user's that `folder` is a mirror of, or `folder` itself. */
  readonly source: string;
  /** The program that the plan names; null when it names none. */
  readonly program: string | null;
  /** Where programs may have come out. */
  readonly outputs: string;
}

export class Builders {
  constructor(readonly core: Core) {}

  async build(plan: BuildPlan, token: vscode.CancellationToken): Promise<Built> {
    const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(plan.folder));
    const prepared = await this.#prepare(plan);
    const result = await runBuild(titleOf(plan), folder, prepared.steps, token);
    return { ...result, ...(await prepared.outcome()), source: prepared.source(result.folder) };
  }

  /** The executables of a CMake project. Configures it when that has not been done; rejects with the output else. */
  async cmakeExecutables(project: CMakeProject, signal: AbortSignal): Promise<CMakeExecutable[]> {
    const { build, configure } = await this.#cmake(project);
    const known = await readExecutables(build);
    if (known) return known;
    await runQuietly(configure, signal);
    return (await readExecutables(build)) ?? [];
  }

  /** The executables of a Meson project. Sets it up when that has not been done; rejects with the output else. */
  async mesonExecutables(project: string, signal: AbortSignal): Promise<MesonExecutable[]> {
    const { build, setUp } = await this.#meson(project);
    const known = await readMesonExecutables(build);
    if (known) return known;
    await runQuietly(setUp, signal);
    return (await readMesonExecutables(build)) ?? [];
  }

  /** What a plan runs, for a terminal of the caller's. */
  async steps(plan: BuildPlan): Promise<readonly BuildStep[]> {
    return (await this.#prepare(plan)).steps();
  }

  /** Where `cmake` plans of a project are built. */
  async cmakeBuildFolder(project: CMakeProject): Promise<string> {
    return (await this.#cmake(project)).build;
  }

  async #prepare(plan: BuildPlan): Promise<Prepared> {
    switch (plan.kind) {
      case 'command':
        return this.#command(plan.command, plan.folder);
      case 'make':
        return this.#make(plan.folder, plan.goal);
      case 'ninja':
        return this.#ninja(plan.folder, plan.target);
      case 'cmake':
        return this.#cmakeTarget(plan.folder, plan.target);
      case 'meson':
        return this.#mesonTarget(plan.folder, plan.target);
    }
  }

  /** The user's command runs where the user has it run; what it leaves there is the user's wish. */
  #command(command: string, folder: string): Prepared {
    const environment = this.#environment({});
    const step = { command, folder, environment: { ...environment, MAKEFLAGS: makeFlags(environment.MAKEFLAGS) } };
    return {
      steps: async () => [step],
      outcome: async () => ({ program: null, outputs: folder }),
      source: at => at,
    };
  }

  async #make(root: string, goal: string | null): Promise<Prepared> {
    const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(root));
    const options = folder ? makeOptions(folder) : { make: 'make', folder: root, makefile: undefined };
    // Makefiles reach into folders beside theirs: the whole workspace folder is there.
    const within = options.folder === root || options.folder.startsWith(root + path.sep);
    const sources = within ? root : options.folder;
    const mirror = path.join(await this.#storage('make', sources), path.basename(sources));
    const at = path.join(mirror, path.relative(sources, options.folder));
    const steps = async (): Promise<readonly BuildStep[]> => {
      const [database, tracked] = await Promise.all([readMakeDatabase(options), trackedFiles(sources)]);
      const outputs = database.outputs.map(name => path.relative(sources, path.resolve(options.folder, name)));
      await mirrorSources(sources, mirror, { outputs: new Set(outputs), tracked });
      const variables = Object.entries(wrappers).map(([name, wrapper]) => `${name}=${wrapper}`);
      return [
        {
          command: [options.make, ...makefileArguments(options), ...(goal === null ? [] : [goal]), ...variables],
          folder: at,
          environment: this.#environment({ sources: [mirror, sources] }),
        },
      ];
    };
    return {
      steps,
      outcome: async () => ({ program: goal === null ? null : path.resolve(at, goal), outputs: mirror }),
      source: folder => sources + folder.slice(mirror.length),
    };
  }

  async #ninja(folder: string, target: string): Promise<Prepared> {
    const storage = await this.#storage('ninja', folder);
    const mirror = path.join(storage, path.basename(folder));
    const replacements = path.join(storage, 'compilers');
    const environment = this.#environment({ sources: [mirror, folder] });
    const steps = async (): Promise<readonly BuildStep[]> => {
      const [{ outputs, compilers }, tracked] = await Promise.all([readNinja(folder), trackedFiles(folder)]);
      await mirrorSources(folder, mirror, { outputs: new Set(outputs), tracked });
      await copyNinjaFiles(folder, mirror, compilers);
      await writeReplacements(replacements, compilers, environment.PATH!);
      const PATH = replacements + path.delimiter + environment.PATH;
      return [{ command: ['ninja', target], folder: mirror, environment: { ...environment, PATH } }];
    };
    return {
      steps,
      outcome: async () => ({ program: path.resolve(mirror, target), outputs: mirror }),
      source: at => folder + at.slice(mirror.length),
    };
  }

  async #cmakeTarget(root: string, target: string): Promise<Prepared> {
    const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(root));
    const project = folder && cmakeProject(folder);
    if (!project) throw new Error(vscode.l10n.t('{0} has no CMakeLists.txt any more', root));
    const { build, configure } = await this.#cmake(project);
    const command = [project.cmake, '--build', build, '--target', target, '--parallel', String(availableParallelism())];
    return {
      steps: async () => [
        configure,
        {
          command: command as [string, ...string[]],
          folder: build,
          environment: this.#environment({ added: project.buildEnvironment }),
        },
      ],
      outcome: async () => {
        const executables = (await readExecutables(build)) ?? [];
        return { program: executables.find(found => found.target === target)?.file ?? null, outputs: build };
      },
      source: at => at,
    };
  }

  async #cmake(project: CMakeProject): Promise<{ build: string; configure: BuildStep }> {
    const build = path.join(await this.#storage('cmake', project.source), 'build');
    await askForTargets(build);
    // The user's own arguments come later, and win.
    const command = [project.cmake, '-S', project.source, '-B', build, `-DCMAKE_BUILD_TYPE=${buildType}`] as const;
    return {
      build,
      configure: {
        command: [...command, ...project.arguments],
        folder: build,
        environment: this.#environment({ added: project.configureEnvironment }),
      },
    };
  }

  async #mesonTarget(project: string, target: string): Promise<Prepared> {
    const { build, setUp } = await this.#meson(project);
    const environment = this.#environment({});
    return {
      // What was set up is set up anew by ninja when the project's files have changed.
      steps: async () => [
        ...((await readMesonExecutables(build)) ? [] : [setUp]),
        { command: ['meson', 'compile', '-C', build, target], folder: build, environment },
      ],
      outcome: async () => {
        const executables = (await readMesonExecutables(build)) ?? [];
        return { program: executables.find(found => found.target === target)?.file ?? null, outputs: build };
      },
      source: at => at,
    };
  }

  async #meson(project: string): Promise<{ build: string; setUp: BuildStep }> {
    const build = path.join(await this.#storage('meson', project), 'build');
    await mkdir(build, { recursive: true });
    const command = ['meson', 'setup', '--buildtype', mesonBuildType, build, project] as const;
    return { build, setUp: { command, folder: build, environment: this.#environment({}) } };
  }

  /** @param added the user's own variables; compilers among them are those behind the wrappers */
  #environment({ sources, added }: EnvironmentOptions): Record<string, string> {
    return buildEnvironment({
      launcher: launcherFolder(this.core.context),
      environment: { ...process.env, ...added },
      ...(sources && { sources }),
    });
  }

  /** A folder for the builds of one project; the same project has the same again. */
  async #storage(kind: string, project: string): Promise<string> {
    const name = createHash('sha256').update(project).digest('hex').slice(0, 16);
    const folder = path.join(this.core.storage, kind, name);
    await mkdir(folder, { recursive: true });
    // The compiler names the folder as the system does, and that is what is mapped back.
    return realpath(folder);
  }
}

interface EnvironmentOptions {
  readonly sources?: readonly [mirror: string, folder: string];
  readonly added?: Readonly<Record<string, string>>;
}

interface Prepared {
  steps(): Promise<readonly BuildStep[]>;
  outcome(): Promise<Pick<Built, 'program' | 'outputs'>>;
  source(folder: string): string;
}
