/** What the user told CMake Tools and Makefile Tools about a folder's build, whether those are installed or not. */
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { expand, variableContext } from '../../config.js';
import { expandVariables } from '../variables.js';
import type { MakeOptions } from './makeTargets.js';

export interface CMakeProject {
  readonly cmake: string;
  /** Folder of the top CMakeLists.txt. */
  readonly source: string;
  /** Arguments of the configuration that are the user's. */
  readonly arguments: readonly string[];
  /** Added to the environment while it is configured, and while it is built. */
  readonly configureEnvironment: Readonly<Record<string, string>>;
  readonly buildEnvironment: Readonly<Record<string, string>>;
}

/** Optimised, since a debug build accesses memory where a release does not. */
export const buildType = 'RelWithDebInfo';

/**
 * By the settings of CMake Tools (vscode-cmake-tools docs/cmake-settings.md). null: the folder is no CMake project.
 */
export function cmakeProject(folder: vscode.WorkspaceFolder): CMakeProject | null {
  const settings = vscode.workspace.getConfiguration('cmake', folder.uri);
  const own = { buildType, workspaceRootFolderName: path.basename(folder.uri.fsPath) };
  const context = { ...variableContext(folder.uri), own };
  const text = (value: string) => expandVariables(cmakeEnvironmentStyle(value), context);
  // CMake Tools allows several source folders; the first is the one that it starts with.
  const given = settings.get<string | string[]>('sourceDirectory', '');
  const source = path.resolve(folder.uri.fsPath, text((Array.isArray(given) ? given[0] : given) || '.'));
  if (!existsSync(path.join(source, 'CMakeLists.txt'))) return null;
  const cmake = settings.get<string>('cmakePath', '');
  const cache = settings.get<Record<string, unknown>>('configureSettings') ?? {};
  const environment = (...names: readonly string[]) => {
    const variables = names.flatMap(name => Object.entries(settings.get<Record<string, unknown>>(name) ?? {}));
    return Object.fromEntries(variables.map(([name, value]) => [name, text(String(value))]));
  };
  return {
    // `auto` and such are names of a search that only CMake Tools knows.
    cmake: path.isAbsolute(cmake) ? cmake : 'cmake',
    source,
    arguments: [
      ...Object.entries(cache).map(([name, value]) => `-D${name}=${text(cacheValue(value))}`),
      ...(settings.get<string[]>('configureArgs') ?? []).map(text),
    ],
    configureEnvironment: environment('environment', 'configureEnvironment'),
    buildEnvironment: environment('environment', 'buildEnvironment'),
  };
}

/** CMake Tools also writes `${env.NAME}`. */
function cmakeEnvironmentStyle(value: string): string {
  return value.replaceAll('${env.', '${env:');
}

/** As CMake Tools writes them: a list is joined by semicolons, a Boolean is TRUE or FALSE. */
function cacheValue(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  if (Array.isArray(value)) return value.map(cacheValue).join(';');
  return typeof value === 'object' && value !== null && 'value' in value ? cacheValue(value.value) : String(value);
}

export function makeOptions(folder: vscode.WorkspaceFolder): MakeOptions {
  const settings = vscode.workspace.getConfiguration('makefile', folder.uri);
  const root = folder.uri.fsPath;
  const text = (name: string) => expand(settings.get<string | null>(name) ?? '', folder.uri);
  const directory = path.resolve(root, text('makeDirectory'));
  const makefile = text('makefilePath');
  return {
    make: text('makePath') || 'make',
    folder: directory,
    makefile: makefile ? path.resolve(root, makefile) : undefined,
  };
}
