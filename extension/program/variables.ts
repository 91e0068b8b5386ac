/** `${workspaceFolder}` and the like in settings and launch configurations, replaced as VS Code itself does it. */
import { homedir } from 'node:os';
import * as path from 'node:path';

export interface VariableContext {
  /** Absolute; undefined without an open folder. */
  readonly folder: string | undefined;
  /** Of the other folders of the workspace, by name: `${workspaceFolder:NAME}`. */
  readonly folders?: Readonly<Record<string, string>>;
  /** The file on screen. */
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Variables of the tool whose setting it is. */
  readonly own?: Readonly<Record<string, string | undefined>>;
  /** Results of `${command:ID}`, for those that may be asked. */
  readonly commands?: Readonly<Record<string, string>>;
}

const variable = /\$\{([^{}]+)\}/g;

/** Names of the variables in a text that have no value here, such as `input:port`. */
export function unknownVariables(text: string, context: VariableContext): string[] {
  return [...text.matchAll(variable)].map(match => match[1]!).filter(name => lookUp(name, context) === undefined);
}

/** What is unknown stays as it is, so that a message about it can name it. */
export function expandVariables(text: string, context: VariableContext): string {
  return text.replaceAll(variable, (whole, name: string) => lookUp(name, context) ?? whole);
}

function lookUp(name: string, context: VariableContext): string | undefined {
  const { folder, file, environment } = context;
  if (context.own && Object.hasOwn(context.own, name)) return context.own[name];
  const colon = name.indexOf(':');
  if (colon > 0) {
    const rest = name.slice(colon + 1);
    switch (name.slice(0, colon)) {
      case 'env':
        // As in VS Code, a variable that is not set is empty.
        return environment[rest] ?? '';
      case 'command':
        return context.commands?.[rest];
      case 'workspaceFolder':
        return context.folders?.[rest];
    }
    return undefined;
  }
  switch (name) {
    case 'workspaceFolder':
    case 'workspaceRoot':
    case 'cwd':
      return folder;
    case 'workspaceFolderBasename':
      return folder && path.basename(folder);
    case 'userHome':
      return homedir();
    case 'pathSeparator':
    case '/':
      return path.sep;
    case 'file':
      return file;
    case 'fileDirname':
      return file && path.dirname(file);
    case 'fileBasename':
      return file && path.basename(file);
    case 'fileBasenameNoExtension':
      return file && path.basename(file, path.extname(file));
    case 'fileExtname':
      return file && path.extname(file);
    case 'relativeFile':
      return file && folder && path.relative(folder, file);
    case 'relativeFileDirname':
      return file && folder && path.relative(folder, path.dirname(file));
  }
  return undefined;
}
