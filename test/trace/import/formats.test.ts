/** All imported formats together: what the command line lists, what documentation says, and any bytes at all. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TraceError } from '../../../core/trace/error.js';
import { importFormats, recognise } from '../../../core/trace/import/formats.js';
import { pagelens, root } from '../../helpers/cli.js';
import { profileOf, refusal } from './importing.js';

const ids = Object.keys(importFormats);

test('each is listed, with what it is', async () => {
  const { stdout } = await pagelens(['list', 'formats', '--json']);
  const listed = JSON.parse(stdout) as { id: string; label: string; summary: string }[];
  expect(listed.map(({ id }) => id)).toEqual(['pltrace', ...ids]);
  for (const { label, summary } of listed) expect([label, summary]).not.toContain('');
});

test.each(ids)('%s has a section in the documentation', id => {
  expect(readFileSync(path.join(root, 'docs/imports.md'), 'utf8')).toContain(`\n## ${id}\n`);
});

test('what is of no known format is refused with the list of those that are', async () => {
  const message = await refusal('what is this?\n');
  for (const id of ['.pltrace', ...ids]) expect(message).toContain(id);
});

test('no bytes make a format’s recognition fail', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, whole) => {
      expect([null, ...ids]).toContain(recognise(bytes, whole));
    }),
    { numRuns: 2000 },
  );
});

test.each(ids)('any bytes said to be %s are refused in one line, or read', async from => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ maxLength: 300 })), async content => {
      try {
        await profileOf(typeof content === 'string' ? content : Buffer.from(content), { from });
      } catch (error) {
        expect(error).toBeInstanceOf(TraceError);
        expect((error as Error).message).not.toContain('\n');
      }
    }),
    { numRuns: 15 },
  );
});

test('an absurd size is cut, and told of', async () => {
  const { totals, warnings } = await profileOf('I  1000,3\n L 5000,99999999999999\n');
  expect(totals.reads).toBe(65536);
  expect(warnings.join()).toContain('1 accesses claim more than 4 MiB');
});

test('addresses up to the last byte are taken', async () => {
  const { totals } = await profileOf('I  1000,3\n L ffffffffffffffff,8\n S fffffffffffff000,4096\n L 0,1\n');
  expect(totals).toMatchObject({ reads: 2, writes: 1 });
});

test('two traces of other tools can be compared', async () => {
  const { writeFileSync } = await import('node:fs');
  const { scratchFolder } = await import('../../helpers/records.js');
  const folder = scratchFolder('compared');
  const [before, now] = ['before.csv', 'now.csv'].map(name => path.join(folder, name)) as [string, string];
  writeFileSync(before, 'addr,op\n0x1000,r\n');
  writeFileSync(now, 'addr,op\n0x1000,r\n0x2000,r\n');
  const { status, stdout } = await pagelens(['diff', '--json', '-', before, now]);
  expect(status).toBe(0);
  expect(JSON.stringify(JSON.parse(stdout))).toContain('"before":1');
});

test.each([
  ['blanks', ' '.repeat(2000)],
  ['numbers', '1 '.repeat(1000)],
  ['hexadecimal words', `app 1 1.5: 1 loads: ${'a '.repeat(950)}`],
  ['opening brackets', `app 1 1.5: 1 loads: 1 2 x${' ('.repeat(950)}`],
  ['open sources', `app 1 1.5: 1 loads: 1 2 |OP LOAD${'|LVL '.repeat(370)}`],
  ['names with pluses', `app 1 1.5: 1 loads: 1 2 x${'+0x1'.repeat(470)}`],
  ['half an event of DAMON', 'damon:damon_aggregated: '.repeat(80)],
  ['quotes', `addr,op\n${'"a",'.repeat(400)}`],
])(
  'a line that matches in very many ways, %s, costs no more than others',
  async (_, line) => {
    const many = `${line}\n`.repeat(50);
    for (const from of ['perf', 'damon', 'csv', 'lackey', 'pinatrace']) {
      recognise(Buffer.from(many), true);
      await profileOf(many, { from }).catch(error => expect(error).toBeInstanceOf(TraceError));
    }
  },
  20_000,
);
