/** libCacheSim's oracleGeneral: records made by hand from its definition (oracleGeneralBin.h). */
import { expect, test } from 'vitest';
import { pagesOf, profileOf, recognised, refusal, survivesDamage } from './importing.js';

/** Requests of objects in order; each record says which request (from 1) comes to its object next. */
function oracleGeneral(objects: readonly bigint[]): Buffer {
  return Buffer.concat(
    objects.map((object, i) => {
      const record = Buffer.alloc(24);
      record.writeUInt32LE(1000 + i, 0);
      record.writeBigUInt64LE(object, 4);
      record.writeUInt32LE(512, 12);
      const next = objects.indexOf(object, i + 1);
      record.writeBigInt64LE(BigInt(next < 0 ? -1 : next + 1), 16);
      return record;
    }),
  );
}

const file = oracleGeneral([7n, 9n, 7n, 0x28f1a09n, 7n]);

test('a request is a read of the page that stands for its object', async () => {
  const profile = await profileOf(file);
  expect(pagesOf(profile)).toEqual(['7: 3/0', '9: 1/0', '28f1a09: 1/0']);
  expect(profile.program).toMatchObject({ imported: 'libcachesim', complete: true });
  expect(profile.warnings.join()).toContain('Requests of a cache, not memory accesses');
});

test('distances are those of the objects', async () => {
  // Of a b a c a: each later a has one other object between, so that two pages hold it and one does not.
  const { missRatio } = await profileOf(file);
  expect([...missRatio.pages]).toEqual([1, 2, 3]);
  expect([...missRatio.missRatio]).toEqual([1, 3 / 5, 3 / 5]);
});

test('long object numbers are hashed, which is told', async () => {
  const profile = await profileOf(oracleGeneral([2n ** 63n + 5n, 3n, 2n ** 63n + 5n]));
  expect(profile.pages.count).toBe(2);
  expect(profile.warnings.join()).toContain('hashed to 45');
});

test('it has no magic number: what it says of itself must be true', () => {
  expect(recognised(file)).toBe('libcachesim');
  const lie = Buffer.from(file);
  lie.writeBigInt64LE(2n, 16);
  expect(recognised(lie)).toBeNull();
  expect(recognised(file.subarray(0, 100))).toBeNull();
  expect(recognised(Buffer.alloc(2400))).toBeNull();
});

test('a cut request is told of', async () => {
  const { program, totals } = await profileOf(file.subarray(0, 60), { from: 'libcachesim' });
  expect(program.complete).toBe(false);
  expect(totals.reads).toBe(2);
});

test('text, and nothing, are refused', async () => {
  expect(await refusal('a line of text '.repeat(8), { from: 'libcachesim' })).toMatch(/FILE is a text file, while/);
  expect(await refusal('', { from: 'libcachesim' })).toMatch(/FILE holds no access/);
});

test('damage of any kind is survived', () => survivesDamage(file, 'libcachesim'));
