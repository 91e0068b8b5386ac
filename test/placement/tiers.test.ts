/** Tier sets: presets against the figures they cite, files against hostile input, capacities. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../core/errors.js';
import { kinds, parseCapacity, presets, sizedTiers, tierSet, tiersFromJson } from '../../core/placement/tiers.js';

const schema = JSON.parse(readFileSync(path.resolve(__dirname, '../../core/placement/tiers.schema.json'), 'utf8'));
const valid = new Ajv2020({ strict: true }).compile(schema);

const tier = (id: string, more: object = {}) => ({
  id,
  readLatencyNs: 100,
  writeLatencyNs: 100,
  readBandwidthGBps: 100,
  writeBandwidthGBps: 100,
  ...more,
});
const two = { tiers: [tier('fast', { capacity: '1GiB' }), tier('slow')] };

function complaint(text: string): string {
  try {
    tiersFromJson(text, 'tiers.json');
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).not.toContain('\n');
    return (error as Error).message;
  }
  return 'accepted';
}

describe('presets', () => {
  // mechanisms.md I.1 and I.2, typed in again.
  test.each([
    ['hbm', 130, 130, 700, 350],
    ['dram', 111, 111, 246, 200],
    ['remote', 193, 193, 120, 100],
    ['cxl', 214, 214, 24, 24],
    ['cxl-d', 239, 239, 52, 52],
    ['optane', 305, 300, 39.4, 13.9],
  ] as const)('%s has the published or marked figures', (id, read, write, readBandwidth, writeBandwidth) => {
    const kind = kinds[id];
    expect([kind.readLatencyNs, kind.writeLatencyNs]).toEqual([read, write]);
    expect([kind.readBandwidthGBps, kind.writeBandwidthGBps]).toEqual([readBandwidth, writeBandwidth]);
    for (const source of Object.values(kind.sources)) expect(source.from.length).toBeGreaterThan(3);
  });

  test.each(Object.keys(presets))('%s has two to five tiers of different ids, the last without a limit', id => {
    const { tiers } = tierSet(id);
    expect(tiers.length).toBeGreaterThanOrEqual(2);
    expect(tiers.length).toBeLessThanOrEqual(5);
    expect(new Set(tiers.map(t => t.id)).size).toBe(tiers.length);
    expect(tiers.map(t => t.capacity === null)).toEqual(tiers.map((_, index) => index === tiers.length - 1));
  });

  test('an unknown one is refused with the list of those known', () => {
    expect(() => tierSet('dram-tape')).toThrow('--tiers dram-tape: unknown; known: dram-cxl, ');
    expect(() => tierSet('constructor')).toThrow(UsageError);
  });
});

describe('files', () => {
  test('a file of three tiers is read; names and costs have defaults', () => {
    const file = path.join(os.tmpdir(), `pagelens-tiers-${process.pid}.json`);
    writeFileSync(
      file,
      JSON.stringify({
        $schema: 'tiers.schema.json',
        label: 'Ours',
        tiers: [
          tier('near', { name: 'Near memory', capacity: '20%', relativeCostPerGB: 3 }),
          tier('mid', { capacity: 4096 }),
          tier('far', { readLatencyNs: 512.5 }),
        ],
      }),
    );
    try {
      const { id, label, tiers } = tierSet(file);
      expect([id, label]).toEqual([file, 'Ours']);
      expect(tiers.map(t => [t.name, t.relativeCostPerGB, t.capacity])).toEqual([
        ['Near memory', 3, { percent: 20 }],
        ['mid', 1, { bytes: 4096 }],
        ['far', 1, null],
      ]);
      expect(tiers[2].readLatencyNs).toBe(512.5);
    } finally {
      rmSync(file);
    }
  });

  test('a missing file is told by its name', () => {
    expect(() => tierSet('/nowhere/tiers.json')).toThrow('--tiers /nowhere/tiers.json: cannot be read');
  });

  test.each([
    ['', 'is not JSON'],
    ['{"tiers":', 'is not JSON'],
    ['null', 'the file must be an object'],
    ['[]', 'the file must be an object'],
    ['{}', '"tiers" must be a list of 2 to 5 tiers'],
    [JSON.stringify({ tiers: [tier('one')] }), '"tiers" must be a list of 2 to 5 tiers'],
    [JSON.stringify({ tiers: 'abcdef'.split('').map(id => tier(id, { capacity: 1 })) }), '"tiers" must be a list'],
    [JSON.stringify({ ...two, tier: 1 }), 'unknown field "tier"'],
    [JSON.stringify({ tiers: [tier('a', { latency: 1, capacity: 1 }), tier('b')] }), 'tiers[0] has the unknown field'],
    [JSON.stringify({ tiers: [tier('a', { capacity: 1 }), tier('a')] }), 'the tier id "a" is used twice'],
    [JSON.stringify({ tiers: [tier('A', { capacity: 1 }), tier('b')] }), 'tiers[0].id must be lower-case'],
    [JSON.stringify({ tiers: [tier('a'), tier('b')] }), 'tiers[0].capacity must be bytes, a size'],
    [JSON.stringify({ tiers: [tier('a', { capacity: '200%' }), tier('b')] }), 'tiers[0].capacity must be'],
    [JSON.stringify({ tiers: [tier('a', { capacity: -1 }), tier('b')] }), 'tiers[0].capacity must be'],
    [
      JSON.stringify({ tiers: [tier('a', { capacity: 1 }), tier('b', { readLatencyNs: 0 })] }),
      'tiers[1].readLatencyNs',
    ],
    [JSON.stringify(two).replace('"readLatencyNs":100', '"readLatencyNs":1e999'), 'tiers[0].readLatencyNs must be'],
    [
      JSON.stringify({ tiers: [tier('a', { capacity: 1, name: 'x\ny' }), tier('b')] }),
      'tiers[0].name must be one line',
    ],
    ['{"__proto__": {"tiers": []}}', 'unknown field "__proto__"'],
    [`{"tiers": ${'['.repeat(40_000)}`, 'is not JSON'],
    [' '.repeat(70_000), '70000 characters are too many'],
  ])('%#: bad files are refused in one line that names the field', (text, expected) => {
    expect(complaint(text)).toContain(expected);
  });

  test('the reader and the schema accept and refuse the same files', () => {
    const figure = fc.oneof(fc.double(), fc.constantFrom<unknown>(1, 100, 1e9, 1e10, 0, -1, '5', null));
    const capacity = fc.oneof(
      fc.constantFrom<unknown>(
        '20%',
        '100%',
        '100.5%',
        '007%',
        '1GiB',
        '1.5g',
        '64 MiB',
        '1kb',
        'x',
        '',
        0,
        4096,
        1.5,
        null,
      ),
      fc.integer(),
      fc.string({ maxLength: 6 }),
    );
    const odd: Record<string, fc.Arbitrary<unknown>> = {
      id: fc.constantFrom<unknown>('a', 'b', 'cxl-2', '-a', 'A', '', 7),
      name: fc.constantFrom<unknown>('Near', '', 5, 'a\u0000b'),
      capacity,
      readLatencyNs: figure,
      writeLatencyNs: figure,
      readBandwidthGBps: figure,
      writeBandwidthGBps: figure,
      relativeCostPerGB: figure,
      extra: fc.constant(1),
    };
    // Mostly good tiers with one odd field here and there, so that both answers occur.
    const likely = fc.oneof(
      { weight: 3, arbitrary: fc.constant({}) },
      ...Object.entries(odd).map(([name, value]) => ({ weight: 1, arbitrary: fc.record({ [name]: value }) })),
    );
    const anyTier = likely.map(one => ({ ...tier('x', { capacity: '5%' }), ...one }));
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(anyTier, { minLength: 1, maxLength: 6 }), list => {
        const tiers = list.map((entry, index) => (entry.id === 'x' ? { ...entry, id: `x${index}` } : entry));
        const text = JSON.stringify({ tiers });
        const ids = tiers.map(entry => entry.id);
        // Two things that a schema cannot say: ids differ, and all but the last need a capacity.
        const beyond = new Set(ids).size !== ids.length || tiers.slice(0, -1).some(entry => !('capacity' in entry));
        const result = complaint(text) === 'accepted';
        if (result) accepted++;
        expect(result).toBe(valid(JSON.parse(text)) && !beyond);
      }),
      { numRuns: 1500, seed: 5 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  test('any text is refused or read, never anything else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map(json => `{"tiers":${json}}`),
        ),
        text => {
          complaint(text);
        },
      ),
      { numRuns: 500, seed: 6 },
    );
  });
});

describe('capacities', () => {
  test.each([
    ['4096', { bytes: 4096 }],
    ['64MiB', { bytes: 64 * 2 ** 20 }],
    ['64m', { bytes: 64 * 2 ** 20 }],
    ['1.5G', { bytes: 1.5 * 2 ** 30 }],
    ['2 kB', { bytes: 2048 }],
    ['20%', { percent: 20 }],
    ['0.5 %', { percent: 0.5 }],
    ['101%', null],
    ['-1', null],
    ['1e3', null],
    ['9999999999999999T', null],
    ['MiB', null],
  ])('%s', (text, expected) => {
    expect(parseCapacity(text)).toEqual(expected);
  });

  test('shares are of the touched bytes, overrides replace from the fastest, the last holds the rest', () => {
    const set = tierSet('hbm-dram-cxl');
    expect(sizedTiers(set, [], 1_000_000).map(t => t.capacityBytes)).toEqual([100_000, 400_000, 1_000_000]);
    expect(sizedTiers(set, [{ bytes: 5 }], 1_000_000).map(t => t.capacityBytes)).toEqual([5, 400_000, 1_000_000]);
    expect(sizedTiers(set, [{ percent: 0 }, { percent: 33.3 }], 1000).map(t => t.capacityBytes)).toEqual([
      0, 333, 1000,
    ]);
  });

  test('one override too many is told', () => {
    const overrides = [{ bytes: 1 }, { bytes: 1 }];
    expect(() => sizedTiers(tierSet('dram-cxl'), overrides, 1)).toThrow(
      '--capacity: 2 values, but dram-cxl takes 1 (dram)',
    );
  });
});
