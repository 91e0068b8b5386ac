/** The run of the attribution tests with a placement: a whole profile of which every figure is known. */
import { attribute } from '../../core/attribution/attribute.js';
import { withPlacement } from '../../core/attribution/placement.js';
import type { Placement, Profile } from '../../core/model/profile.js';
import { options, rawReplay, trace } from '../attribution/run.js';

const policy = (id: string, tierOfObject: number[], slowdown: number) => ({
  id,
  modelledSlowdown: slowdown,
  modelledSlowdownRange: [slowdown, slowdown + 1 / 3] as const,
  fastTierHitRatio: 1 / 3,
  migratedPages: 7,
  tierOfObject: Uint8Array.from(tierOfObject),
  bytesInTier: Float64Array.of(4096, 12288),
});

export const placement: Placement = {
  tiers: [
    {
      id: 'dram',
      name: 'DDR5',
      capacityBytes: 8192,
      readLatencyNs: 90,
      writeLatencyNs: 90,
      readBandwidthGBps: 100,
      writeBandwidthGBps: 80,
      relativeCostPerGB: 1,
    },
    {
      id: 'cxl',
      name: 'CXL memory',
      capacityBytes: Number.POSITIVE_INFINITY,
      readLatencyNs: 250,
      writeLatencyNs: 260,
      readBandwidthGBps: 30,
      writeBandwidthGBps: 25,
      relativeCostPerGB: 0.5,
    },
  ],
  policies: [
    policy('first-touch', [1, 1, 1, 1], 1.5),
    { ...policy('static-optimal', [0, 1, 1, 255], 1.25), modelledSlowdownBound: 1.2 },
  ],
  oracle: policy('oracle', [255, 255, 255, 255], 1.125),
  recommended: 'static-optimal',
  fastestTier: 1,
  assumptions: ['Four misses are in flight at once.'],
};

export const sample: Profile = withPlacement(attribute(rawReplay(), trace, options), placement);

/**
 * The same run in four epochs: in the first two `dot` (site 1) reads what `parse_scene` allocated (page row 0), in the
 * others `main` (site 0) is at work on the global `palette` (page row 2).
 */
export const inPhases: Profile = {
  ...sample,
  epochs: {
    ...sample.epochs,
    ...{ count: 4, accesses: 300, endNs: Float64Array.of(0.5e6, 1e6, 1.75e6, 2e6) },
    ...{ reads: Float64Array.of(300, 300, 200, 45), writes: Float64Array.of(0, 0, 100, 55) },
    ...{ trafficReads: Float64Array.of(4, 4, 8, 0), trafficWrites: Float64Array.of(0, 0, 1, 3) },
    ...{ pages: Float64Array.of(1, 1, 1, 1), pagesRead: Float64Array.of(1, 1, 1, 1) },
    ...{ pagesWritten: Float64Array.of(0, 0, 1, 1), entered: Float64Array.of(1, 0, 1, 0) },
    left: Float64Array.of(0, 0, 1, 0),
  },
  siteTimes: {
    ...{ epochsPerBin: 1, start: Uint32Array.of(0, 1, 2, 3, 4), site: Uint32Array.of(1, 1, 0, 0) },
    ...{ accesses: Float64Array.of(300, 300, 300, 100) },
    ...{ trafficReads: Float64Array.of(4, 4, 8, 0), trafficWrites: Float64Array.of(0, 0, 1, 3) },
  },
  heat: {
    ...{ epochsPerBin: 1, start: Float64Array.of(0, 1, 2, 3, 4), page: Uint32Array.of(0, 0, 2, 2) },
    ...{ reads: Uint32Array.of(300, 300, 200, 45), writes: Uint32Array.of(0, 0, 100, 55) },
    ...{ trafficReads: Uint32Array.of(4, 4, 8, 0), trafficWrites: Uint32Array.of(0, 0, 1, 3) },
  },
};
