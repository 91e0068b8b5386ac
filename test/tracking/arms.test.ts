/** Arms: when each kind fires, and that the machine does not notice. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  ARM_ACCESS,
  ARM_WALK,
  ARM_WALK_WRITE,
  ARM_WRITE,
  EVENT_BYTES,
  P_L1_TLB_SETS,
  P_L1_TLB_WAYS,
  P_L2_TLB_SETS,
  P_L2_TLB_WAYS,
} from '../../core/kernel/abi-machine.js';
import { Emulated } from '../machine/emulated.js';

const PAGE = 4096;
const TRACKER = 2;
const bit = (kind: number) => 1 << (kind + TRACKER);

/** Two pages in the TLB at most. */
const small = { [P_L1_TLB_SETS]: 1, [P_L1_TLB_WAYS]: 2, [P_L2_TLB_SETS]: 1, [P_L2_TLB_WAYS]: 2 };

describe('arms', () => {
  let e: Emulated;
  beforeEach(() => {
    e = new Emulated({}, small);
    e.write(0);
    e.write(PAGE);
  });

  /** Fired arms since the last call, as [page, arms]. */
  function fired(): number[][] {
    const events = new Uint32Array(
      e.inspect.memory.buffer,
      e.inspect.eventsStart(),
      (e.inspect.eventsCount() * EVENT_BYTES) / 4,
    );
    const list = Array.from({ length: e.inspect.eventsCount() }, (_, i) => [events[i * 4], events[i * 4 + 1] | 0]);
    e.inspect.eventsClear();
    return list;
  }

  test('after a clear with a flush: the next access fires, once, though the page is in the TLB', () => {
    e.inspect.trackersArm(bit(ARM_ACCESS));
    e.read(0);
    e.read(0);
    e.write(0);
    expect(fired()).toEqual([[0, bit(ARM_ACCESS)]]);
    expect(e.machine.counts().tlbMisses).toBe(2);
  });

  test('for writes: reads pass, the next write fires, though the dirty flag is cached', () => {
    e.inspect.trackersArm(bit(ARM_WRITE));
    e.read(0);
    expect(fired()).toEqual([]);
    e.write(0);
    e.write(0);
    expect(fired()).toEqual([[0, bit(ARM_WRITE)]]);
    expect(e.machine.counts().dirtyWalks).toBe(0);
  });

  test('after a clear without a flush: hits do not fire, the next walk does', () => {
    e.inspect.trackersArm(bit(ARM_WALK) | bit(ARM_WALK_WRITE));
    e.read(0);
    e.write(0);
    expect(fired()).toEqual([]);
    e.read(2 * PAGE);
    e.read(3 * PAGE);
    // Both first pages have left the TLB. A walk for a read sets A alone, one for a write both.
    e.read(0);
    e.write(PAGE);
    expect(fired()).toEqual([
      [2, bit(ARM_WALK)],
      [3, bit(ARM_WALK)],
      [0, bit(ARM_WALK)],
      [1, bit(ARM_WALK) | bit(ARM_WALK_WRITE)],
    ]);
  });

  test('cover pages that are touched for the first time later', () => {
    e.inspect.trackersArm(bit(ARM_ACCESS) | bit(ARM_WRITE));
    e.write(5000 * PAGE);
    expect(fired()).toEqual([[2, bit(ARM_ACCESS) | bit(ARM_WRITE)]]);
  });

  test('of another thread fire on the access of whichever comes first', () => {
    const other = e.kernel.createThread(0);
    e.read(0, other);
    e.inspect.trackersArm(bit(ARM_ACCESS));
    e.read(0, other);
    e.read(0, 0);
    expect(fired()).toEqual([[0, bit(ARM_ACCESS)]]);
  });
});
