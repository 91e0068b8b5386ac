/** Tables: columns by name, by number, and what is said of tables that do not tell enough. */
import { describe, expect, test } from 'vitest';
import { pagesOf, profileOf, recognised, refusal, survivesDamage } from './importing.js';

const named = `time,Address,size,op,pc,tid
1,0x5000,8,R,0x401000,1
2,20488,8,w,0x401004,2
3,0x6ffc,8,store,0x401004,1
`;

test('the usual names are found, in any case; numbers are decimal or 0x', async () => {
  const profile = await profileOf(named);
  expect(pagesOf(profile)).toEqual(['5: 1/1', '6: 0/1', '7: 0/0']);
  expect(profile.program).toMatchObject({ imported: 'csv', threads: 2 });
  expect(profile.warnings).toEqual([]);
});

test('columns are given by number, a table may lack names, sizes and what is done', async () => {
  const profile = await profileOf('a\t5000\na\t6000\n', { columns: 'address=2,base=16' });
  expect(pagesOf(profile)).toEqual(['5: 1/0', '6: 1/0']);
  expect(profile.warnings.join('\n')).toMatch(/no sizes[\s\S]*all are reads/);
});

test('blocks of a disk: units, and words for writes', async () => {
  const table = 'version,op,size,lbn\n1,2a,512,8\n1,28,4096,16\n';
  const profile = await profileOf(table, { columns: 'address=lbn,unit=512,size=size,op=op,write=2a' });
  // Sector 8 is byte 4096; 512 bytes are 8 lines, 4096 bytes 64.
  expect(pagesOf(profile)).toEqual(['1: 0/8', '2: 64/0']);
});

test('numbers of pages', async () => {
  expect(pagesOf(await profileOf('7\n9\n7\n', { columns: 'page=1' }))).toEqual(['7: 2/0', '9: 1/0']);
});

test.each([
  ['semicolons', 'addr;op\n0x1000;r\n'],
  ['tabs', 'addr\top\n0x1000\tr\n'],
  ['blanks', 'addr op\n0x1000 r\n'],
  ['quotes', '"addr","op","note"\n"0x1000","r","a ""b"", c"\n'],
  ['no last line end', 'addr,op\n0x1000,r'],
  ['line ends of another system', 'addr,op\r\n0x1000,r\r\n'],
])('%s', async (_, table) => {
  expect(pagesOf(await profileOf(table, { from: 'csv' }))).toEqual(['1: 1/0']);
});

test('a line that is none is passed over and told of', async () => {
  const { warnings, totals } = await profileOf(`${named}4,much,8,R,0x401000,1\n`);
  expect(totals).toMatchObject({ reads: 1, writes: 2 });
  expect(warnings).toEqual([
    '1 line was passed over, the first behind record 3: cells that are no numbers, or an unknown word for what was done',
  ]);
});

describe('what is refused, in one line', () => {
  test.each([
    ['a,b\n1,2\n', { from: 'csv' }, /does not name a column of addresses: say which it is/],
    ['a,b\n1,2\n', { columns: 'address=c' }, /--columns address=c: FILE has no such column; it has a, b/],
    ['1,2\n', { columns: 'address=3' }, /has no such column; it has 2 without names/],
    ['1,2\n', { columns: 'wings=3' }, /--columns wings=3: must be NAME=COLUMN; known names: address, page, /],
    ['1,2\n', { columns: 'address=1,unit=0' }, /unit=0: must be a whole number above 0/],
    ['x,y\nz,z\n', { columns: 'address=1' }, /FILE holds no access/],
    ['', { from: 'csv' }, /FILE holds no access/],
  ])('%j %j', async (table, texts, message) => {
    expect(await refusal(table, texts)).toMatch(message);
  });
});

test('an absurd size is cut, and told of; binary data has no columns', async () => {
  const { totals, warnings } = await profileOf('addr,size,op\n0x1000,99999999999999,w\n');
  expect(totals.writes).toBe((4 << 20) / 64);
  expect(warnings.join()).toContain('1 accesses claim more than 4 MiB');
  expect(await refusal(Buffer.from([0, 1, 2, 255, 254, 10, 3]), { from: 'csv' })).toMatch(/does not name a column/);
});

test('it is told by its names alone', () => {
  expect(recognised(named)).toBe('csv');
  expect(recognised('colour,taste\n1,2\n')).toBeNull();
});

test('damage of any kind is survived', () => survivesDamage(Buffer.from(named), 'csv'));
