/** Arms: when each kind fires, on which pages, and that neither machine nor other trackers notice. */
import fc from 'fast-check';
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
  P_NESTED_TLB_ENTRIES,
} from '../../core/kernel/abi-machine.js';
import { ACCESSED, DIRTY, Emulated } from '../machine/emulated.js';

const PAGE = 4096;
const TRACKER = 27;
const NAMES = ['access', 'write', 'walk', 'walkWrite'] as const;

/** Two pages in the TLB at most. */
const small = { [P_L1_TLB_SETS]: 1, [P_L1_TLB_WAYS]: 2, [P_L2_TLB_SETS]: 1, [P_L2_TLB_WAYS]: 2 };

/** What fired for the tracker since the last call: page, then the arms. */
function firedIn(e: Emulated, tracker = TRACKER): [number, ...string[]][] {
  const count = e.inspect.eventsCount();
  const words = new Uint32Array(e.inspect.memory.buffer, e.inspect.eventsStart(), (count * EVENT_BYTES) / 4).slice();
  e.inspect.eventsClear();
  return Array.from({ length: count }, (_, i): [number, ...string[]] => [
    words[8 * i],
    ...NAMES.filter((_name, kind) => words[8 * i + 4 + kind] & (1 << tracker)),
  ]);
}

describe('arms', () => {
  let e: Emulated;
  beforeEach(() => {
    e = new Emulated({}, small);
    e.write(0);
    e.write(PAGE);
  });

  const fired = (tracker?: number) => firedIn(e, tracker);

  function list(pages: readonly number[]): number {
    const at = e.inspect.pageList(pages.length);
    new Uint32Array(e.inspect.memory.buffer, at, pages.length).set(pages);
    return pages.length;
  }

  test('after a clear with a flush: the next access fires, once, though the page is in the TLB', () => {
    e.inspect.trackerArm(TRACKER, ARM_ACCESS);
    e.read(0);
    e.read(0);
    e.write(0);
    expect(fired()).toEqual([[0, 'access']]);
    expect(e.machine.counts().tlbMisses).toBe(2);
  });

  test('for writes: reads pass, the next write fires, though the dirty flag is cached', () => {
    e.inspect.trackerArm(TRACKER, ARM_WRITE);
    e.read(0);
    expect(fired()).toEqual([]);
    e.write(0);
    e.write(0);
    expect(fired()).toEqual([[0, 'write']]);
    expect(e.machine.counts().dirtyWalks).toBe(0);
  });

  test('after a clear without a flush: hits do not fire, the next walk does', () => {
    e.inspect.trackerArm(TRACKER, ARM_WALK | ARM_WALK_WRITE);
    e.read(0);
    e.write(0);
    expect(fired()).toEqual([]);
    e.read(2 * PAGE);
    e.read(3 * PAGE);
    // Both first pages have left the TLB. A walk for a read sets A alone, one for a write both.
    e.read(0);
    e.write(PAGE);
    expect(fired()).toEqual([
      [2, 'walk'],
      [3, 'walk'],
      [0, 'walk'],
      [1, 'walk', 'walkWrite'],
    ]);
  });

  test('after a clear without a flush: a read that walks loads the cleared dirty flag, so the next write fires', () => {
    e.inspect.trackerArm(TRACKER, ARM_WALK | ARM_WALK_WRITE);
    e.read(2 * PAGE);
    e.read(3 * PAGE);
    e.read(0);
    fired();
    e.write(0);
    e.write(0);
    expect(fired()).toEqual([[0, 'write']]);
    // The flag is set: nothing is left to fire at a later walk.
    e.read(2 * PAGE);
    e.read(3 * PAGE);
    fired();
    e.write(0);
    expect(fired()).toEqual([]);
  });

  test('after a clear without a flush: once a vCPU has walked, writes of all fire, whoever else looks', () => {
    for (const others of [false, true]) {
      const two = new Emulated({}, small, [0, 0]);
      for (const vcpu of [0, 0, 1]) two.write(0, vcpu);
      two.read(2 * PAGE, 1);
      two.read(3 * PAGE, 1);
      two.inspect.trackerArm(TRACKER, ARM_WALK | ARM_WALK_WRITE);
      if (others) two.inspect.trackerArm(TRACKER + 1, ARM_ACCESS);
      two.read(0, 1);
      two.write(0, 0);
      expect(firedIn(two).filter(([page, ...arms]) => page === 0 && arms.length > 0)).toEqual([
        [0, 'walk'],
        [0, 'write'],
      ]);
    }
  });

  test('cover pages that are touched for the first time later', () => {
    e.inspect.trackerArm(TRACKER, ARM_ACCESS | ARM_WRITE);
    e.write(5000 * PAGE);
    expect(fired()).toEqual([[2, 'access', 'write']]);
  });

  test('of listed pages fire on these alone, also on a page that is touched for the first time later', () => {
    e.inspect.trackerArmPages(TRACKER, ARM_ACCESS, list([1, 3]));
    for (const page of [0, 1, 2, 3, 4]) e.read(page * PAGE);
    expect(fired()).toEqual([
      [1, 'access'],
      [3, 'access'],
    ]);
  });

  test('can be taken back, on listed pages and on all', () => {
    e.inspect.trackerArm(TRACKER, ARM_ACCESS | ARM_WRITE);
    e.inspect.trackerDisarmPages(TRACKER, ARM_ACCESS, list([0]));
    e.write(0);
    expect(fired()).toEqual([[0, 'write']]);
    e.inspect.trackerDisarm(TRACKER, ARM_ACCESS | ARM_WRITE);
    e.write(PAGE);
    e.write(2 * PAGE);
    expect(fired()).toEqual([]);
  });

  test('of one tracker leave those of the others alone', () => {
    e.inspect.trackerArm(0, ARM_ACCESS);
    e.inspect.trackerArm(31, ARM_ACCESS | ARM_WRITE);
    e.inspect.trackerDisarm(0, ARM_ACCESS);
    e.write(0);
    expect(fired(31)).toEqual([[0, 'access', 'write']]);
    e.inspect.trackerArmPages(0, ARM_ACCESS, list([0]));
    e.write(0);
    expect(fired(0)).toEqual([[0, 'access']]);
  });

  test('of another thread fire on the access of whichever comes first', () => {
    const other = e.kernel.createThread(0);
    e.read(0, other);
    e.inspect.trackerArm(TRACKER, ARM_ACCESS);
    e.read(0, other);
    e.read(0, 0);
    expect(fired()).toEqual([[0, 'access']]);
  });
});

describe('arms beside a machine whose flags are really cleared', () => {
  const PAGES = 12;
  type Step = 'clear' | { readonly page: number; readonly write: boolean; readonly vcpu: number };
  const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
    {
      weight: 12,
      arbitrary: fc.record({ page: fc.nat({ max: PAGES - 1 }), write: fc.boolean(), vcpu: fc.nat({ max: 1 }) }),
    },
    { weight: 1, arbitrary: fc.constant('clear' as const) },
  );
  const steps = fc.array(step, { minLength: 50, maxLength: 400, size: 'max' });
  /**
   * Translations are looked up in the EPT at every walk: a cached one would skip its flags, and arms do not model that. One
   * level of TLB: walks that set a dirty flag again refresh the second level, which changes what it throws out.
   */
  const overrides = { ...small, [P_L1_TLB_WAYS]: 4, [P_L2_TLB_WAYS]: 0, [P_NESTED_TLB_ENTRIES]: 0 };

  /** Flags of all pages at each clear, the last at the end: from the EPT, and from what fired. */
  function flagsOf(run: readonly Step[], flush: boolean, vcpus: number) {
    const cleared = new Emulated({}, overrides, Array(vcpus).fill(0));
    const armed = new Emulated({}, overrides, Array(vcpus).fill(0));
    const arms = flush ? ARM_ACCESS | ARM_WRITE : ARM_WALK | ARM_WALK_WRITE;
    armed.inspect.trackerArm(TRACKER, arms);
    const real: number[][] = [];
    const shadow: number[][] = [];
    const all = Array.from({ length: PAGES }, (_, page) => page);
    for (const e of [cleared, armed]) for (const page of all) e.read(page * PAGE);
    const clear = () => {
      real.push(all.map(page => cleared.inspect.eptFlags(page)));
      for (const page of all) cleared.inspect.eptClear(page, ACCESSED | DIRTY);
      if (flush) cleared.inspect.invept();
      const flags = all.map(() => 0);
      for (const [page, ...kinds] of firedIn(armed)) {
        if (kinds.includes('access') || kinds.includes('walk')) flags[page] |= ACCESSED;
        if (kinds.includes('write') || kinds.includes('walkWrite')) flags[page] |= DIRTY;
      }
      shadow.push(flags);
      armed.inspect.trackerArm(TRACKER, arms);
    };
    for (const what of run) {
      if (what === 'clear') clear();
      else
        for (const e of [cleared, armed])
          e.replay([{ vcpu: what.vcpu % vcpus, address: what.page * PAGE, write: what.write }]);
    }
    clear();
    return { real, shadow };
  }

  test('with a flush: the same flags at every clear, on two vCPUs', () => {
    fc.assert(
      fc.property(steps, run => {
        const { real, shadow } = flagsOf(run, true, 2);
        expect(shadow).toEqual(real);
      }),
      { numRuns: 100 },
    );
  });

  test('without a flush: the same flags at every clear', () => {
    fc.assert(
      fc.property(steps, run => {
        const { real, shadow } = flagsOf(run, false, 1);
        expect(shadow).toEqual(real);
      }),
      { numRuns: 100 },
    );
  });
});
