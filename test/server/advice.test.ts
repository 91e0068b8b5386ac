/** Each rule on a profile made for it: when it speaks, when it is silent, and the gain worked out by hand. */
import { describe, expect, test } from 'vitest';
import type { PolicyResult, Profile } from '../../core/model/profile.js';
import { type Advice, runNs, waitNs } from '../../core/server/advice/advice.js';
import { coldInFast } from '../../core/server/advice/coldInFast.js';
import { hugePages } from '../../core/server/advice/hugePages.js';
import { neverUsed } from '../../core/server/advice/neverUsed.js';
import { packSparse } from '../../core/server/advice/packSparse.js';
import { placeByTraffic } from '../../core/server/advice/placeByTraffic.js';
import { bestAdvice } from '../../core/server/advice/rules.js';
import { writeHeavy } from '../../core/server/advice/writeHeavy.js';
import { ProfileIndex } from '../../core/server/profileIndex.js';
import { profileOf } from '../helpers/profile.js';

const FAST = 0;
const SLOW = 1;

/**
 * Two allocations of 1 MiB: `hot` with 9,000 of the run's 10,000 accesses and all of its traffic, `idle` with the rest;
 * and the stack. 1 ms of modelled time.
 */
const base = profileOf({
  file: '/a.c',
  sha256: '',
  functions: { main: 1 },
  lines: [
    { line: 2, function: 'main', object: 'hot', reads: 9000, trafficReads: 1000 },
    { line: 3, function: 'main', object: 'idle', reads: 50 },
    { line: 4, function: 'main', object: 'stack', writes: 950 },
  ],
  objects: [
    { name: 'hot', page: 0x1000, pages: 256, hotness: 0 },
    { name: 'idle', page: 0x2000, pages: 256, hotness: 2 },
    { name: 'stack', kind: 'stack', page: 0x9000, pages: 1 },
  ],
  epochs: 1,
});
const row = (name: string) => base.objects.name.indexOf(name);

const tier = (id: string, readLatencyNs: number, writeLatencyNs: number, capacityBytes: number) => ({
  id,
  name: id.toUpperCase(),
  capacityBytes,
  readLatencyNs,
  writeLatencyNs,
  // So wide that latency alone counts.
  readBandwidthGBps: 1e6,
  writeBandwidthGBps: 1e6,
  relativeCostPerGB: 1,
});

function policy(id: string, slowdown: number, places: Readonly<Record<string, number>>): PolicyResult {
  return {
    id,
    modelledSlowdown: slowdown,
    modelledSlowdownRange: [1 + (slowdown - 1) / 2, 1 + (slowdown - 1) * 2],
    fastTierHitRatio: 0,
    migratedPages: 0,
    tierOfObject: Uint8Array.from(base.objects.name, name => places[name] ?? SLOW),
    bytesInTier: new Float64Array(2),
  };
}

function placed(policies: readonly PolicyResult[], change: Partial<Profile> = {}): Profile {
  return {
    ...base,
    placement: {
      tiers: [tier('dram', 100, 100, 2 ** 20), tier('cxl', 200, 400, 2 ** 30)],
      policies,
      oracle: policy('oracle', 1, {}),
      recommended: policies[0]!.id,
      fastestTier: FAST,
      assumptions: [],
    },
    ...change,
  };
}

const say = (rule: (facts: Parameters<typeof placeByTraffic>[0]) => Advice[], profile: Profile) =>
  rule({ index: new ProfileIndex(profile), profile, policy: profile.placement.policies[0]! });

describe('place by traffic', () => {
  const good = policy('static-optimal', 1.1, { hot: FAST });

  test('where first touch leaves the busy allocation out of the fast tier, it is to be put there', () => {
    const [advice] = say(placeByTraffic, placed([good, policy('first-touch', 1.5, { idle: FAST })]));
    expect(advice).toMatchObject({ action: 'Put hot into DRAM', object: row('hot'), view: 'placement' });
    // Ranges: first touch 1.25 to 2, placed 1.05 to 1.2: 1 - 1.05 / 1.25 = 16 %, 1 - 1.2 / 2 = 40 %.
    expect(advice!.gain).toEqual({ kind: 'time', low: expect.closeTo(0.16, 9), high: expect.closeTo(0.4, 9) });
    expect(advice!.evidence).toContain('hot (100 %)');
    expect(advice!.evidence).toContain('1.50 × of everything in the fastest tier');
  });

  test('within a hundredth of each other neither is better, and nothing is said', () => {
    expect(say(placeByTraffic, placed([good, policy('first-touch', 1.105, { idle: FAST })]))).toEqual([]);
  });

  test('without both policies there is nothing to compare', () => {
    expect(say(placeByTraffic, placed([good]))).toEqual([]);
  });
});

describe('write-heavy', () => {
  const written = { ...base.objects, trafficReads: new Float64Array(3), trafficWrites: Float64Array.of(1000, 0, 0) };
  const slow = policy('static-optimal', 1, {});
  const totals = { ...base.totals, trafficReads: 0, trafficWrites: 1000 };

  test('an allocation whose lines are stored in a tier slow to write gains what the fast tier saves', () => {
    const profile = placed([slow], { objects: written, totals });
    const [advice] = say(writeHeavy, profile);
    expect(advice).toMatchObject({ action: 'Keep hot out of CXL, which is slow to write', object: row('hot') });
    // 1,000 lines of 400 ns against 100 ns: with 10 in flight 40 and 10 us, alone 400 and 100 us.
    expect(waitNs(profile, row('hot'), SLOW, 10)).toBeCloseTo(40e3);
    expect(waitNs(profile, row('hot'), FAST, 1)).toBeCloseTo(100e3);
    // A run of 1 ms of compute and 1,000 stores in the fastest tier: 1.01 ms, and 1.1 ms.
    expect(runNs(profile, slow, 10)).toBeCloseTo(1.01e6);
    expect(runNs(profile, slow, 1)).toBeCloseTo(1.1e6);
    expect(advice!.gain).toEqual({
      kind: 'time',
      low: expect.closeTo(30e3 / 1.01e6, 9),
      high: expect.closeTo(300e3 / 1.1e6, 9),
    });
  });

  test('read mostly, or in a tier that stores as fast as it loads, it may stay', () => {
    expect(say(writeHeavy, placed([slow]))).toEqual([]);
    const even = placed([slow], { objects: written, totals });
    const tiers = [even.placement.tiers[0]!, tier('cxl', 400, 400, 2 ** 30)];
    expect(say(writeHeavy, { ...even, placement: { ...even.placement, tiers } })).toEqual([]);
    expect(say(writeHeavy, placed([policy('static-optimal', 1, { hot: FAST })], { objects: written, totals }))).toEqual(
      [],
    );
  });
});

describe('huge pages', () => {
  const walks = (overheadPercent: number) => [
    {
      mode: 'native',
      tlbMisses: 4000,
      l1TlbMisses: 5000,
      walkReferences: 9000,
      vmExits: {},
      cycles: 1,
      relayCycles: 0,
      own: {},
      overheadPercent,
    },
  ];
  const large = { ...base.objects, touchedBytes: Float64Array.from(base.objects.touchedBytes, size => size * 4) };
  const some = [policy('static-optimal', 1, {})];

  test('a run that waits for translation may gain up to all of that, no more', () => {
    const [advice] = say(hugePages, placed(some, { translation: walks(12), objects: large }));
    expect(advice).toMatchObject({
      action: 'Try pages of 2 MiB for hot',
      gain: { kind: 'time', low: 0, high: 0.12 },
      object: row('hot'),
    });
    expect(advice!.evidence).toContain('12 % of the modelled run time');
  });

  test('little translation, small allocations and pages that are large already are no ground', () => {
    expect(say(hugePages, placed(some, { translation: walks(0.9), objects: large }))).toEqual([]);
    expect(say(hugePages, placed(some, { translation: walks(12) }))).toEqual([]);
    const options = { ...base.options, pageSize: 2097152 as const };
    expect(say(hugePages, placed(some, { translation: walks(12), objects: large, options }))).toEqual([]);
    expect(say(hugePages, placed(some, { translation: [], objects: large }))).toEqual([]);
  });
});

describe('pack what is sparse', () => {
  const some = [policy('static-optimal', 1, {})];
  const density = (...values: number[]) => ({ ...base.objects, density: Float64Array.from(values) });

  test('an allocation that uses an eighth of its lines could free up to the rest', () => {
    const [advice] = say(packSparse, placed(some, { objects: density(0.125, 1, 1) }));
    expect(advice).toMatchObject({
      object: row('hot'),
      gain: { kind: 'memory', low: 0, high: 2 ** 20 * 0.875, of: 'touched memory' },
    });
  });

  test('a dense one, a hardly used one and a stack stay as they are', () => {
    expect(say(packSparse, placed(some, { objects: density(0.5, 0.01, 0.01) }))).toEqual([]);
  });
});

describe('cold in the fast tier', () => {
  test('a cold allocation that first touch put there is left to the slow one', () => {
    const [advice] = say(coldInFast, placed([policy('first-touch', 1.5, { idle: FAST })]));
    expect(advice).toMatchObject({
      action: 'Leave idle to CXL',
      gain: { kind: 'memory', low: 2 ** 20, high: 2 ** 20, of: 'DRAM' },
      object: row('idle'),
    });
    expect(advice!.evidence).toContain('100 % of DRAM');
  });

  test('one that has traffic to wait for stays, and so does one that is elsewhere already', () => {
    const busy = {
      ...base.objects,
      trafficReads: Float64Array.from(base.objects.name, name => (name === 'idle' ? 1000 : 0)),
    };
    expect(say(coldInFast, placed([policy('first-touch', 1.5, { idle: FAST })], { objects: busy }))).toEqual([]);
    expect(say(coldInFast, placed([policy('first-touch', 1.5, {})]))).toEqual([]);
  });
});

describe('allocated and never used', () => {
  /** `idle` alive with so many bytes at most; 1 MiB of them lie in pages that were touched. */
  const idle = (mebibytes: number, change: Partial<Profile['objects']> = {}) => ({
    objects: {
      ...base.objects,
      bytes: Float64Array.from(base.objects.name, name => (name === 'idle' ? mebibytes * 2 ** 20 : 2 ** 20)),
      ...change,
    },
  });

  test('an allocation four times as large as what is touched of it should be smaller', () => {
    const [advice, ...others] = say(neverUsed, placed([policy('first-touch', 1, {})], idle(4)));
    expect(others).toEqual([]);
    expect(advice).toMatchObject({
      action: 'Allocate less for idle',
      gain: { kind: 'memory', low: 0, high: 3 * 2 ** 20, of: 'allocated memory' },
      object: row('idle'),
    });
    expect(advice!.evidence).toContain('3 MiB of the 4 MiB that it has alive at once at most (75 %)');
  });

  test('one that is used for the most part, and one whose size is not known, stay as they are', () => {
    expect(say(neverUsed, placed([policy('first-touch', 1, {})], idle(1.9)))).toEqual([]);
    const unknown = idle(4, { bytesAtMost: Uint8Array.from(base.objects.name, () => 1) });
    expect(say(neverUsed, placed([policy('first-touch', 1, {})], unknown))).toEqual([]);
  });
});

describe('the best of all rules', () => {
  test('time comes before memory, and each rule speaks once', () => {
    const profile = placed([policy('static-optimal', 1.1, { hot: FAST }), policy('first-touch', 1.5, { idle: FAST })], {
      objects: { ...base.objects, density: Float64Array.of(0.125, 1, 1) },
    });
    const facts = { index: new ProfileIndex(profile), profile, policy: profile.placement.policies[0]! };
    // Freeing 1 MiB for certain comes before freeing 0 to 0.9 MiB.
    expect(bestAdvice(facts, 3).map(({ rule }) => rule)).toEqual(['place-by-traffic', 'cold-in-fast', 'pack-sparse']);
    expect(bestAdvice(facts, 1)).toHaveLength(1);
  });

  test('a run that is fine gets none', () => {
    const profile = placed([policy('static-optimal', 1, { hot: FAST }), policy('first-touch', 1, { hot: FAST })]);
    const facts = { index: new ProfileIndex(profile), profile, policy: profile.placement.policies[0]! };
    expect(bestAdvice(facts, 3)).toEqual([]);
  });
});
