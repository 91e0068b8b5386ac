/** CTest's list of tests as read, and its rules for what passes, beside CTest's documentation. */
import { describe, expect, test } from 'vitest';
import { judge, parseTests, type Rules } from '../../extension/testing/ctest.js';

/** As ctest 3.25 prints it, shortened. */
const listed = JSON.stringify({
  kind: 'ctestInfo',
  version: { major: 1, minor: 0 },
  backtraceGraph: {
    commands: ['add_test', 'set_tests_properties'],
    files: ['/w/CMakeLists.txt', '/w/tests/CMakeLists.txt'],
    nodes: [{ file: 0 }, { command: 0, file: 1, line: 7, parent: 0 }],
  },
  tests: [
    {
      name: 'scan',
      command: ['/w/build/tests/scan', '--rows', '3'],
      backtrace: 1,
      properties: [
        { name: 'ENVIRONMENT', value: ['MODE=fast', 'FLAGS=a=b'] },
        {
          name: 'ENVIRONMENT_MODIFICATION',
          value: ['PATH=path_list_prepend:/w/bin', 'MODE=string_append:er', 'OLD=unset:'],
        },
        { name: 'WORKING_DIRECTORY', value: '/w/build/tests' },
        { name: 'WILL_FAIL', value: true },
        { name: 'SKIP_RETURN_CODE', value: 77 },
        { name: 'PASS_REGULAR_EXPRESSION', value: ['total [0-9]+'] },
      ],
    },
    { name: 'not built', properties: [{ name: 'DISABLED', value: true }] },
  ],
});

test('a test has its command, place, folder, environment and rules', () => {
  const [scan, other] = parseTests(listed, '/w/build', { PATH: '/bin', OLD: 'x' });
  expect(scan).toEqual({
    name: 'scan',
    command: ['/w/build/tests/scan', '--rows', '3'],
    workingDirectory: '/w/build/tests',
    environment: { MODE: 'faster', FLAGS: 'a=b', PATH: '/w/bin:/bin', OLD: '' },
    location: { file: '/w/tests/CMakeLists.txt', line: 7 },
    disabled: false,
    rules: { willFail: true, pass: ['total [0-9]+'], fail: [], skip: [], skipStatus: 77 },
  });
  expect(other).toMatchObject({ command: [], workingDirectory: '/w/build', location: null, disabled: true });
  expect(() => parseTests('{}', '/w', {})).toThrow(TypeError);
  expect(() => parseTests('ctest: no such option', '/w', {})).toThrow(SyntaxError);
});

describe('a test passes', () => {
  const plain: Rules = { willFail: false, pass: [], fail: [], skip: [], skipStatus: null };
  test.each<[string, Partial<Rules>, string, string, string]>([
    ['with status 0', {}, 'exit status 0', '', 'passed'],
    ['not with another', {}, 'exit status 1', '', 'failed'],
    ['not by a signal', {}, 'ended by SIGSEGV', '', 'failed'],
    ['not by a signal, even when it is meant to fail', { willFail: true }, 'ended by SIGSEGV', '', 'failed'],
    ['when it fails and is meant to', { willFail: true }, 'exit status 3', '', 'passed'],
    ['not when it succeeds and is meant to fail', { willFail: true }, 'exit status 0', '', 'failed'],
    ['with the output it must have, whatever the status', { pass: ['ok$'] }, 'exit status 9', 'all ok', 'passed'],
    ['not without that output', { pass: ['ok$'] }, 'exit status 0', 'ok?', 'failed'],
    ['not with output it must not have', { fail: ['ERROR'] }, 'exit status 0', 'an ERROR', 'failed'],
    ['is skipped by its status', { skipStatus: 77 }, 'exit status 77', '', 'skipped'],
    ['is skipped by its output', { skip: ['no device'] }, 'exit status 1', 'no device here', 'skipped'],
    ['with an expression that is none of ours taken literally', { pass: ['a(b'] }, 'exit status 0', 'a(b', 'passed'],
  ])('%s', (_name, rules, exit, output, kind) => {
    expect(judge({ ...plain, ...rules }, exit, output).kind).toBe(kind);
  });

  test('because of its exit or of its output', () => {
    expect(judge(plain, 'exit status 1', '')).toEqual({ kind: 'failed', because: 'exit', expressions: [] });
    const because = (rules: Partial<Rules>, output: string) => {
      const { because, expressions } = judge({ ...plain, ...rules }, 'exit status 0', output);
      return [because, ...expressions];
    };
    expect(because({ fail: ['OK', 'ERR'] }, 'ERR')).toEqual(['matches', 'ERR']);
    expect(because({ pass: ['a', 'b'] }, 'c')).toEqual(['matchesNone', 'a', 'b']);
  });
});
