/**
 * Whole objects, placed once for the whole run, so that the time waited for memory is least: what a programmer can do
 * with an allocator per tier. Hot bytes are what counts: an object's worth is the wait that a faster tier saves, reads
 * and writes each at their own latency, per byte that it occupies.
 */
import { assign } from './assign.js';
import type { PolicyKind } from './policy.js';

export const staticOptimal: PolicyKind = {
  label: 'Static, by object',
  summary: 'Whole objects where their traffic per byte saves most, decided once: the best that allocations can do.',
  yardstick: false,
  decide({ objects, costs, capacity, rest }) {
    const { tier, boundNs } = assign(objects, costs, capacity, rest);
    return { unit: 'object', tier, boundNs };
  },
};
