/** C, C++ and Fortran programs of `launch.json`, whichever debugger they are for, as what to run and how. */

export interface LaunchProgram {
  readonly name: string;
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** '': none is given. */
  readonly workingDirectory: string;
}

/** Debug types of native programs: Microsoft's C/C++, CodeLLDB, LLVM's own, GDB's own, Native Debug. */
const nativeTypes = new Set(['cppdbg', 'lldb', 'lldb-dap', 'lldb-vscode', 'gdb', 'lldb-mi']);

/** What launches a native program; whatever else is in the file is passed over. Variables stay as they are written. */
export function launchPrograms(configurations: unknown): LaunchProgram[] {
  if (!Array.isArray(configurations)) return [];
  return configurations.filter(isNativeLaunch).map(configuration => ({
    name: String(configuration.name ?? configuration.program),
    program: configuration.program,
    arguments: argumentsOf(configuration.args ?? configuration.arguments),
    environment: environmentOf(configuration),
    workingDirectory: typeof configuration.cwd === 'string' ? configuration.cwd : '',
  }));
}

interface Configuration {
  readonly program: string;
  readonly [key: string]: unknown;
}

function isNativeLaunch(value: unknown): value is Configuration {
  if (typeof value !== 'object' || value === null) return false;
  const { type, request, program } = value as Record<string, unknown>;
  return request === 'launch' && nativeTypes.has(String(type)) && typeof program === 'string' && program !== '';
}

/** A list; or one text, which CodeLLDB and Native Debug split as a shell does. */
function argumentsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'string' ? shellWords(value) : [];
}

/** `[{ name, value }]` (cppdbg), an object (CodeLLDB, gdb) or `NAME=value` texts (lldb-dap). */
function environmentOf({ environment, env }: Configuration): Record<string, string> {
  const found: [string, string][] = [];
  for (const given of [environment, env]) {
    if (Array.isArray(given)) found.push(...given.flatMap(variableOf));
    else if (typeof given === 'object' && given !== null)
      found.push(...Object.entries(given).map(([name, value]): [string, string] => [name, String(value)]));
  }
  return Object.fromEntries(found);
}

function variableOf(value: unknown): [string, string][] {
  if (typeof value === 'string') {
    const equals = value.indexOf('=');
    return equals > 0 ? [[value.slice(0, equals), value.slice(equals + 1)]] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  const { name, value: text } = value as Record<string, unknown>;
  return typeof name === 'string' ? [[name, String(text ?? '')]] : [];
}

/** Words between blanks; quotes keep blanks, a backslash keeps the next character (not between single quotes). */
export function shellWords(text: string): string[] {
  const word = /(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs;
  const part = /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs;
  return [...text.matchAll(word)].map(([found]) =>
    found.replaceAll(part, (_, escaped?: string, double?: string, single?: string) =>
      double === undefined ? (escaped ?? single ?? '') : double.replaceAll(/\\(["\\$`])/g, '$1'),
    ),
  );
}
