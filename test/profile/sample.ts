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
