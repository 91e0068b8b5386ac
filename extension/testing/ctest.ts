/**
 * CTest's own description of its tests (`ctest --show-only=json-v1`), and its rules for what passes: those of
 * cmCTestRunTest, by the properties that the project set (cmake-properties(7), "Properties on Tests"). Pure.
 */
import * as path from 'node:path';

export interface CTest {
  readonly name: string;
  /** Program and arguments; empty where the program is not built yet or the test is disabled. */
  readonly command: readonly string[];
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Where `add_test` stands; 1-based. */
  readonly location: { readonly file: string; readonly line: number } | null;
  readonly disabled: boolean;
  readonly rules: Rules;
}

/** What decides whether it passed. */
export interface Rules {
  readonly willFail: boolean;
  readonly pass: readonly string[];
  readonly fail: readonly string[];
  readonly skip: readonly string[];
  readonly skipStatus: number | null;
}

export interface Verdict {
  readonly kind: 'passed' | 'failed' | 'skipped';
  /** What decided: how the program ended, or which expression of the project its output matches, or does not. */
  readonly because: 'exit' | 'matches' | 'matchesNone';
  readonly expressions: readonly string[];
}

interface Document {
  readonly tests?: readonly {
    readonly name: string;
    readonly command?: readonly string[];
    readonly backtrace?: number;
    readonly properties?: readonly { readonly name: string; readonly value: unknown }[];
  }[];
  readonly backtraceGraph?: {
    readonly files?: readonly string[];
    readonly nodes?: readonly { readonly file?: number; readonly line?: number }[];
  };
}

/**
 * @param folder the build directory: what relative names refer to
 * @param inherited the environment that the project's changes start from
 * @throws SyntaxError when the text is no JSON, TypeError when it is not of CTest
 */
export function parseTests(
  text: string,
  folder: string,
  inherited: Readonly<Record<string, string | undefined>>,
): CTest[] {
  const { tests, backtraceGraph } = JSON.parse(text) as Document;
  if (!Array.isArray(tests)) throw new TypeError('CTest listed no tests');
  return (tests as NonNullable<Document['tests']>).map(({ name, command = [], backtrace, properties = [] }) => {
    const property = (wanted: string) => properties.find(candidate => candidate.name === wanted)?.value;
    const node = backtrace === undefined ? undefined : backtraceGraph?.nodes?.[backtrace];
    const file = node?.file === undefined ? undefined : backtraceGraph?.files?.[node.file];
    const skipStatus = property('SKIP_RETURN_CODE');
    return {
      name,
      command,
      workingDirectory: path.resolve(folder, String(property('WORKING_DIRECTORY') ?? '')),
      environment: {
        ...assignments(texts(property('ENVIRONMENT'))),
        ...modifications(texts(property('ENVIRONMENT_MODIFICATION')), {
          ...inherited,
          ...assignments(texts(property('ENVIRONMENT'))),
        }),
      },
      location: file ? { file: path.resolve(folder, file), line: node?.line ?? 1 } : null,
      disabled: property('DISABLED') === true,
      rules: {
        willFail: property('WILL_FAIL') === true,
        pass: texts(property('PASS_REGULAR_EXPRESSION')),
        fail: texts(property('FAIL_REGULAR_EXPRESSION')),
        skip: texts(property('SKIP_REGULAR_EXPRESSION')),
        skipStatus: typeof skipStatus === 'number' ? skipStatus : null,
      },
    };
  });
}

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.map(String) : [];
}

function assignments(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines
      .filter(line => line.includes('='))
      .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** `VARIABLE=operation:value`. A variable cannot be taken from the program's environment, so it is emptied. */
function modifications(
  lines: readonly string[],
  inherited: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const changed: Record<string, string> = {};
  for (const line of lines) {
    const [, name = '', operation = '', value = ''] = /^([^=]+)=(\w+):(.*)$/s.exec(line) ?? [];
    const now = changed[name] ?? inherited[name] ?? '';
    const joined = (separator: string, parts: readonly string[]) => parts.filter(Boolean).join(separator);
    const results: Readonly<Record<string, string>> = {
      set: value,
      unset: '',
      reset: inherited[name] ?? '',
      string_append: now + value,
      string_prepend: value + now,
      path_list_append: joined(path.delimiter, [now, value]),
      path_list_prepend: joined(path.delimiter, [value, now]),
      cmake_list_append: joined(';', [now, value]),
      cmake_list_prepend: joined(';', [value, now]),
    };
    const result = results[operation];
    if (result !== undefined) changed[name] = result;
  }
  return changed;
}

/** @param exit as a profile's summary says it: `exit status 0`, or how the program was ended */
export function judge(rules: Rules, exit: string, output: string): Verdict {
  const matching = (expressions: readonly string[]) =>
    expressions.filter(expression => pattern(expression).test(output));
  const byExit = (kind: Verdict['kind']): Verdict => ({ kind, because: 'exit', expressions: [] });
  const skip = matching(rules.skip);
  if (skip.length > 0) return { kind: 'skipped', because: 'matches', expressions: skip };
  const status = Number(/^exit status (\d+)$/.exec(exit)?.[1] ?? Number.NaN);
  // A crash is no result, also for a test that is meant to fail.
  if (Number.isNaN(status)) return byExit('failed');
  if (status === rules.skipStatus) return byExit('skipped');
  const kind = (success: boolean) => (success === rules.willFail ? 'failed' : 'passed');
  const fail = matching(rules.fail);
  if (fail.length > 0) return { kind: kind(false), because: 'matches', expressions: fail };
  if (rules.pass.length === 0) return byExit(kind(status === 0));
  // An output that is asked for is all that counts then, whatever the status.
  const pass = matching(rules.pass);
  if (pass.length > 0) return { kind: kind(true), because: 'matches', expressions: pass };
  return { kind: kind(false), because: 'matchesNone', expressions: rules.pass };
}

/** CMake's expressions are a part of ours; what is not one matches itself. */
function pattern(expression: string): RegExp {
  try {
    return new RegExp(expression);
  } catch {
    return new RegExp(expression.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  }
}
