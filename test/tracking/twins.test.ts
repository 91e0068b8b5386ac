/** Trackers beside plain twins of theirs (twins.ts), on generated runs and parameters: every reading of every page. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { heardBy, heardOf, type Reference, replayed, stepsOver } from './generatedRuns.js';
import { Damon, HotPageUnit, Ibs, NeoProf, Pebs, UnflushedFlags, type Values } from './twins.js';

/** Seconds: each reading of the clock that moved, or some of them; a second is 1,000 modelled ns, about ten accesses. */
const seconds = fc.constantFrom(1e-6, 0.3, 1, 4);

const generated = {
  'ept-ad-scan-no-flush': fc.record({ periodSeconds: seconds }),
  damon: fc.record({
    sampleSeconds: fc.constantFrom(1e-6, 0.2),
    // Checks of an aggregation: these over the time of a sample.
    aggregateSeconds: fc.constantFrom(1e-6, 3e-6, 1.2e-5, 0.2, 1),
    updateSeconds: seconds,
    leastRegions: fc.integer({ min: 3, max: 12 }),
    mostRegions: fc.integer({ min: 3, max: 60 }),
  }),
  pebs: fc.record({
    loadPeriod: fc.integer({ min: 16, max: 20 }),
    storePeriod: fc.integer({ min: 16, max: 20 }),
    thresholdCycles: fc.constantFrom(3, 8, 16, 64),
    bufferRecords: fc.integer({ min: 1, max: 3 }),
  }),
  ibs: fc.record({ period: fc.integer({ min: 144, max: 200 }), l3MissOnly: fc.nat({ max: 1 }) }),
  chmu: fc.record({
    alwaysOn: fc.nat({ max: 1 }),
    operations: fc.integer({ min: 1, max: 3 }),
    threshold: fc.integer({ min: 1, max: 8 }),
    epochSeconds: seconds,
    readSeconds: seconds,
    listEntries: fc.integer({ min: 1, max: 12 }),
  }),
  neoprof: fc.record({
    width: fc.constantFrom(5, 16, 200),
    rows: fc.integer({ min: 1, max: 3 }),
    bufferEntries: fc.integer({ min: 1, max: 8 }),
    clearSeconds: seconds,
    thresholdSeconds: seconds,
    readSeconds: seconds,
    firstPercent: fc.constantFrom(0.1, 10, 40),
    leastPercent: fc.constantFrom(0.01, 5),
    mostPercent: fc.constantFrom(6, 50),
    alpha: fc.constantFrom(0, 1, 2),
    deviceGBps: fc.constantFrom(0.5, 24),
  }),
} satisfies Record<string, fc.Arbitrary<Values>>;

type Id = keyof typeof generated;
const ids = Object.keys(generated) as Id[];

const twins: Readonly<Record<Id, (values: Values) => Reference>> = {
  'ept-ad-scan-no-flush': values => new UnflushedFlags(values),
  damon: values => new Damon(values),
  pebs: values => new Pebs(values),
  ibs: values => new Ibs(values),
  chmu: values => new HotPageUnit(values),
  neoprof: values => new NeoProf(values),
};

test.each([4096, 2097152] as const)('agree with their twins, with pages of %i bytes', async pageSize => {
  await fc.assert(
    fc.asyncProperty(stepsOver(24, 400), fc.record(generated), async (run, values) => {
      // The test runner wants to hear of the worker now and then.
      await nextTurn();
      const parameters = Object.fromEntries(
        ids.flatMap(id => Object.entries<number>(values[id]).map(([name, value]) => [`${id}.${name}`, value])),
      );
      const { told, own, times } = replayed(ids, run, pageSize, parameters);
      const heard = heardOf(run);
      for (const id of ids) {
        const twin = heardBy(twins[id](values[id]), heard, times);
        expect({ told: told[id], own: own[id] }, id).toMatchObject({ told: twin.told, own: twin.own });
        expect(Object.keys(told[id]).sort(), id).toEqual(Object.keys(twin.told).sort());
      }
    }),
    { numRuns: 100 },
  );
});
