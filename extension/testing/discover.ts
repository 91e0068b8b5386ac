/** Where a folder's CTest tests are: in our own build of it, which has access hooks, else in the user's latest. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { type CMakeProject, cmakeProject } from '../program/build/toolSettings.js';
import { type CTest, parseTests } from './ctest.js';

export interface TestFolder {
  readonly folder: vscode.WorkspaceFolder;
  readonly project: CMakeProject;
  /** The build directory. */
  readonly build: string;
  /** It is ours, so everything in it is built with hooks. */
  readonly own: boolean;
  readonly tests: readonly CTest[];
}

/** Listing tests reads files that CMake wrote; it takes long only where something is wrong. */
const timeLimitMs = 20_000;
const maxOutput = 64 << 20;
/** Build directories looked at; a workspace with more of them has them from elsewhere. */
const maxCaches = 20;

/** null: the folder is no CMake project, or nothing of it is configured yet. Rejects when ctest cannot be run. */
export async function findTests(
  folder: vscode.WorkspaceFolder,
  ownBuild: (project: CMakeProject) => Promise<string>,
): Promise<TestFolder | null> {
  const project = cmakeProject(folder);
  if (!project) return null;
  const own = await ownBuild(project);
  const build = isTestFolder(own) ? own : await latestBuild(folder);
  if (!build) return null;
  return { folder, project, build, own: build === own, tests: await listTests(project, build) };
}

export async function listTests({ cmake }: CMakeProject, build: string): Promise<CTest[]> {
  const ctest = path.isAbsolute(cmake) ? path.join(path.dirname(cmake), 'ctest') : 'ctest';
  const options = { cwd: build, timeout: timeLimitMs, maxBuffer: maxOutput };
  const { stdout } = await promisify(execFile)(ctest, ['--show-only=json-v1'], options);
  return parseTests(stdout, build, process.env);
}

/** CMake writes this file into a build directory for which tests are enabled. */
function isTestFolder(build: string): boolean {
  return existsSync(path.join(build, 'CTestTestfile.cmake'));
}

/** Of several build directories (debug, release), the one that was configured last. */
async function latestBuild(folder: vscode.WorkspaceFolder): Promise<string | null> {
  // Build directories are often hidden from search, so nothing is left out here.
  const pattern = new vscode.RelativePattern(folder, '{*,*/*,*/*/*}/CMakeCache.txt');
  const caches = await vscode.workspace.findFiles(pattern, null, maxCaches);
  const builds = caches.map(({ fsPath }) => path.dirname(fsPath)).filter(isTestFolder);
  const times = await Promise.all(builds.map(async build => (await stat(path.join(build, 'CMakeCache.txt'))).mtimeMs));
  return builds.length > 0 ? builds[times.indexOf(Math.max(...times))]! : null;
}
