/** Sites through time, in both halves: beside counting access by access, and beside the epochs' own sums of traffic. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergedSiteTimes, readSiteTimes } from '../../core/machine/siteTimes.js';
import { type Access, Emulated } from './emulated.js';

/** Pages enough that the last-level cache of the small machine misses, in few enough epochs that they double. */
const access = fc.record({
  vcpu: fc.constant(0),
  address: fc.tuple(fc.nat(3000), fc.nat(63)).map(([page, line]) => 0x10000000 + page * 4096 + line * 64),
  write: fc.boolean(),
  size: fc.constantFrom(1, 2, 4, 8),
});

const siteOf = ({ size = 8, write }: Access) => Math.log2(size) * 2 + (write ? 1 : 0);

test('each bin has what its accesses did, whatever epochs and bins merged (generated)', () => {
  fc.assert(
    fc.property(
      fc.array(access, { minLength: 1, maxLength: 3000 }),
      fc.constantFrom(1, 3, 16, 100),
      fc.constantFrom(2, 8, 512),
      (accesses, epoch, epochs) => {
        const run = new Emulated();
        for (const half of [run.kernel.exports, run.half.exports]) half.setEpochLimits(BigInt(epoch), epochs, 1 << 20);
        run.replay(accesses);
        const traffic = run.finish();
        const counted = readSiteTimes(run.kernel.exports);
        const times = mergedSiteTimes(counted, traffic.siteTimes);

        const perBin = Number(run.kernel.exports.epochLength.value) * times.epochsPerBin;
        const bins = Math.ceil(accesses.length / perBin);
        expect(times.start).toHaveLength(bins + 1);
        expect(traffic.siteTimes.start).toHaveLength(bins + 1);
        expect(bins).toBeLessThanOrEqual(512);
        for (let bin = 0; bin < bins; bin++) {
          const expected = new Map<number, number>();
          for (const one of accesses.slice(bin * perBin, (bin + 1) * perBin))
            expected.set(siteOf(one), (expected.get(siteOf(one)) ?? 0) + 1);
          const rows = Array.from(
            { length: times.start[bin + 1]! - times.start[bin]! },
            (_, i) => times.start[bin]! + i,
          );
          const found = rows.filter(row => times.accesses[row]! > 0);
          expect(new Map(found.map(row => [times.site[row]!, times.accesses[row]!]))).toEqual(expected);
          expect(rows.map(row => times.site[row])).toEqual(
            [...new Set(rows.map(row => times.site[row]!))].sort((a, b) => a - b),
          );

          const sum = (column: Float64Array) => rows.reduce((all, row) => all + column[row]!, 0);
          const ofEpochs = (column: Float64Array) =>
            column
              .subarray(bin * times.epochsPerBin, (bin + 1) * times.epochsPerBin)
              .reduce((all, one) => all + one, 0);
          expect(sum(times.trafficReads)).toBe(ofEpochs(traffic.epochs.first));
          expect(sum(times.trafficWrites)).toBe(ofEpochs(traffic.epochs.second));
        }
      },
    ),
    { numRuns: 60 },
  );
});
