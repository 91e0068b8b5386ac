/** What the manifest says of the first minute: the walkthrough, tasks and their problem matcher. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { commands, contexts, taskType, views } from '../../extension/ids.js';
import { manifest, texts } from '../helpers/manifest.js';

const root = path.resolve(__dirname, '../..');
const { contributes } = manifest;
const text = (key: string) => texts[key.slice(1, -1)]!;

interface Step {
  readonly id: string;
  readonly description: string;
  readonly media: { readonly image: Readonly<Record<string, string>> };
  readonly completionEvents: readonly string[];
}

describe('the walkthrough', () => {
  const [walkthrough] = contributes.walkthroughs;
  const steps = walkthrough.steps as Step[];

  test('goes from the sample over the source and the dashboard to a program of the user', () => {
    expect(steps.map(({ id }) => id)).toEqual(['sample', 'lens', 'dashboard', 'own']);
  });

  test.each(steps)('step $id has a button to a command that exists, and an event that completes it', step => {
    const known = new Set<string>([
      ...Object.values(commands),
      ...Object.values(views).map(view => `${view}.focus`),
      'workbench.action.openSettings',
    ]);
    const linked = [...text(step.description).matchAll(/\(command:([\w.]+)/g)].map(match => match[1]!);
    expect(linked.length).toBeGreaterThan(0);
    for (const command of linked) expect(known).toContain(command);

    const events = new Set([
      ...Object.values(commands).map(command => `onCommand:${command}`),
      ...Object.values(views).map(view => `onView:${view}`),
      ...Object.values(contexts).map(key => `onContext:${key}`),
    ]);
    expect(step.completionEvents.length).toBeGreaterThan(0);
    for (const event of step.completionEvents) expect(events).toContain(event);
  });

  test.each(steps)('step $id has a picture for each kind of theme, small enough for the package', ({ media }) => {
    expect(Object.keys(media.image)).toEqual(['dark', 'light', 'hc', 'hcLight']);
    for (const file of Object.values(media.image)) {
      expect(existsSync(path.join(root, file)), file).toBe(true);
      expect(readFileSync(path.join(root, file)).length, file).toBeLessThan(200_000);
    }
  });
});

test('empty views offer the sample', () => {
  const start = contributes.viewsWelcome.find(({ when }: { when: string }) => when.includes('!pagelens.running'));
  expect(text(start.contents)).toContain(`(command:${commands.profileSample})`);
});

test('tasks have the type of the code, and a setting behind each property that is left out', () => {
  const [definition] = contributes.taskDefinitions;
  expect(definition.type).toBe(taskType);
  expect(definition.required).toEqual(['task']);
  const { task: _, ...properties } = definition.properties;
  // Windows of recording are of the one task alone.
  const windows = ['startAt', 'stopAt', 'startAfter', 'stopAfter', 'paused'];
  expect(Object.keys(properties)).toEqual(['command', 'program', 'args', 'env', 'cwd', ...windows]);
});

describe('the problem matcher', () => {
  const [{ pattern, ...matcher }] = contributes.problemMatchers;
  const expression = new RegExp(pattern.regexp);
  const match = (line: string) => {
    const parts = expression.exec(line);
    return parts && ['file', 'line', 'column', 'severity', 'message'].map(field => parts[pattern[field]]);
  };

  test('has the name under which tasks of users find it', () => {
    expect(matcher).toMatchObject({ name: 'pagelens-gcc', owner: 'pagelens' });
  });
  test.each([
    ['src/a.c:3:14: error: expected ‘;’', ['src/a.c', '3', '14', 'error', 'expected ‘;’']],
    ['/w/a b.cc:12: warning: unused', ['/w/a b.cc', '12', undefined, 'warning', 'unused']],
    ['a.h:1:10: fatal error: b.h: No such file', ['a.h', '1', '10', 'error', 'b.h: No such file']],
    ['a.c:3:14: note: here', ['a.c', '3', '14', 'note', 'here']],
    ['In file included from a.c:3:', null],
    ['make: *** [Makefile:3: a.o] Error 1', null],
  ])('%s', (line, expected) => expect(match(line)).toEqual(expected));
});
