/** Generated machines and traces, and the real machine and the brute-force one side by side on them. */
import fc from 'fast-check';
import {
  P_CORES,
  P_EPT_LEAF,
  P_EPT_PSC_ENTRIES,
  P_EPT_ROOT,
  P_EPT_SHARE_1G,
  P_EPT_SHARE_2M,
  P_GUEST_LEAF,
  P_GUEST_ROOT,
  P_GUEST_SHARE_1G,
  P_GUEST_SHARE_2M,
  P_L1_TLB_SETS,
  P_L1_TLB_WAYS,
  P_L2_TLB_SETS,
  P_L2_TLB_WAYS,
  P_LARGE_TLBS,
  P_NESTED_TLB_ENTRIES,
  P_PML_KEEP,
  P_PSC_ENTRIES,
} from '../../core/kernel/abi-machine.js';
import type { MachineOptions, ParameterOverrides } from '../../core/machine/machine.js';
import { BruteMachine, type Geometry, type Observer, type Shares } from './brute.js';
import { ACCESSED, type Access, DIRTY, Emulated } from './emulated.js';

/** Process of each vCPU. */
export const PROCESSES = [0, 0, 1];

/** Sizes of pages that the run counts, of the guest's and of the EPT's leaves; of smaller EPT leaves, nested alone. */
const equalOrLargerEpt = [
  [1, 1, 1],
  [2, 2, 2],
  [1, 1, 2],
  [1, 1, 3],
  [1, 2, 2],
  [1, 2, 3],
  [1, 3, 3],
  [2, 2, 3],
] as const;
const smallerEpt = [
  [1, 2, 1],
  [1, 3, 1],
  [1, 3, 2],
  [2, 3, 2],
] as const;

/** Per cent of the larger ranges that one page maps: half of the machines have pages of one size. */
const shares = fc.oneof(
  fc.constant({ of2m: 0, of1g: 0 }),
  fc.record({ of2m: fc.constantFrom(0, 20, 50, 70, 100), of1g: fc.constantFrom(0, 20, 50, 70) }),
);

/** L1 and L2 of the larger pages: of their own, or (null) those of the smallest. An L2 may have no entries at all. */
const shape = (leastWays: number) =>
  fc.option(fc.record({ sets: fc.constantFrom(1, 2), ways: fc.integer({ min: leastWays, max: 3 }) }));
const large = fc.tuple(fc.tuple(shape(1), shape(0)), fc.tuple(shape(1), shape(0)));

function geometryOf(
  leaves: readonly (readonly [number, number, number])[],
  guestShares: fc.Arbitrary<Shares>,
): fc.Arbitrary<Geometry> {
  const psc = fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 2 }), fc.nat({ max: 2 }), fc.nat({ max: 2 }));
  return fc
    .record({
      l1Sets: fc.constantFrom(1, 2, 4),
      l1Ways: fc.integer({ min: 1, max: 6 }),
      l2Sets: fc.constantFrom(1, 2, 8),
      l2Ways: fc.integer({ min: 1, max: 9 }),
      psc,
      eptPsc: psc,
      nestedTlb: fc.nat({ max: 7 }),
      pmlEntries: fc.integer({ min: 1, max: 9 }),
      root: fc.constantFrom(4, 5),
      eptRoot: fc.constantFrom(4, 5),
      cores: fc.constantFrom(0, 0, 1, 2),
      leaves: fc.constantFrom(...leaves),
      shares: guestShares,
      eptShares: shares,
      large,
    })
    .map(({ leaves: [counted, leaf, eptLeaf], ...g }) => ({
      ...g,
      leaf,
      eptLeaf,
      countedSize: 4096 * 512 ** (counted - 1),
    }));
}

/** Machines that all modes can run on, some of them with guests of one page size only; and those that mode nested can. */
export const commonGeometry = fc.oneof(
  geometryOf(equalOrLargerEpt, fc.constant({ of2m: 0, of1g: 0 })),
  geometryOf([[1, 1, 2]], fc.record({ of2m: fc.constantFrom(20, 50, 70), of1g: fc.constant(0) })),
  geometryOf(
    [
      [1, 1, 3],
      [2, 2, 3],
    ],
    shares,
  ),
);
export const nestedGeometry = geometryOf([...equalOrLargerEpt, ...smallerEpt], shares);

/** Pages that share tables of every level, and pages that do not; offsets that straddle. */
export const address = fc
  .tuple(
    fc.constantFrom(0x1000, 0x7000_0000_0000, 0x5555_5555_0000, 0x4000_0000),
    fc.constantFrom(0, 1, 2, 3, 5, 511, 512, 513, 1024, 512 * 512, 512 * 512 * 3 + 7),
    fc.constantFrom(0, 8, 56, 60, 4032, 4090, 4095),
  )
  .map(([base, page, offset]) => base + page * 4096 + offset);

const vcpu = fc.nat({ max: PROCESSES.length - 1 });

export type Step =
  | { readonly kind: 'access'; readonly access: Access }
  /** Accesses to `pages` pages, `stride` pages from one to the next. */
  | { readonly kind: 'scan'; readonly access: Access; readonly pages: number; readonly stride: number }
  | { readonly kind: 'unmap'; readonly process: number; readonly address: number; readonly pages: number }
  | { readonly kind: 'clear'; readonly process: number; readonly address: number; readonly flags: number }
  | { readonly kind: 'invept' };

const access = fc.record({ vcpu, address, write: fc.boolean(), size: fc.constantFrom(1, 8, 64) });

/** What programs do. */
export const programSteps: fc.WeightedArbitrary<Step>[] = [
  { weight: 20, arbitrary: access.map(one => ({ kind: 'access', access: one }) as const) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('scan' as const),
      access,
      pages: fc.integer({ min: 20, max: 45 }),
      stride: fc.constantFrom(1, 1, 512),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('unmap' as const),
      process: fc.nat({ max: 1 }),
      address,
      pages: fc.constantFrom(1, 2, 40, 1024, 512 * 512 * 4),
    }),
  },
];

/** What a monitor does to the EPT's flags. */
export const monitorSteps: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('clear' as const),
      process: fc.nat({ max: 1 }),
      address,
      flags: fc.constantFrom(ACCESSED, DIRTY, ACCESSED | DIRTY),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'invept' } as const) },
];

function overridesOf(g: Geometry): ParameterOverrides {
  const slots = (first: number, values: readonly number[]) =>
    Object.fromEntries(values.map((value, i) => [first + i, value]));
  return {
    [P_L1_TLB_SETS]: g.l1Sets,
    [P_L1_TLB_WAYS]: g.l1Ways,
    [P_L2_TLB_SETS]: g.l2Sets,
    [P_L2_TLB_WAYS]: g.l2Ways,
    ...slots(P_PSC_ENTRIES, g.psc),
    ...slots(P_EPT_PSC_ENTRIES, g.eptPsc),
    [P_NESTED_TLB_ENTRIES]: g.nestedTlb,
    [P_GUEST_ROOT]: g.root,
    [P_GUEST_LEAF]: g.leaf,
    [P_EPT_ROOT]: g.eptRoot,
    [P_EPT_LEAF]: g.eptLeaf,
    [P_CORES]: g.cores ?? 0,
    [P_GUEST_SHARE_2M]: g.shares?.of2m ?? 0,
    [P_GUEST_SHARE_1G]: g.shares?.of1g ?? 0,
    [P_EPT_SHARE_2M]: g.eptShares?.of2m ?? 0,
    [P_EPT_SHARE_1G]: g.eptShares?.of1g ?? 0,
    ...slots(P_LARGE_TLBS, g.large?.flat().flatMap(tlb => (tlb ? [tlb.sets, tlb.ways] : [0, 0])) ?? []),
    [P_PML_KEEP]: 1,
  };
}

/** Both machines, which take the same steps. */
export class SideBySide {
  readonly real: Emulated;
  readonly brute: BruteMachine;
  /** PageIndex by process and page: order of first touch. */
  readonly index = new Map<string, number>();

  constructor(
    readonly g: Geometry,
    options: Partial<MachineOptions> = {},
    observer: Observer | null = null,
    overrides: ParameterOverrides = {},
  ) {
    this.real = realMachine(g, options, overrides);
    this.brute = new BruteMachine(g, PROCESSES, observer);
  }

  take(step: Step): void {
    const { real, brute, g } = this;
    const counted = g.countedSize;
    switch (step.kind) {
      case 'access':
        this.#access(step.access);
        break;
      case 'scan':
        for (let i = 0; i < step.pages; i++)
          this.#access({ ...step.access, address: step.access.address + i * step.stride * counted });
        break;
      case 'unmap': {
        const first = Math.floor(step.address / counted);
        real.inspect.unmapPages(step.process, BigInt(first), BigInt(step.pages));
        brute.unmap(step.process, first * counted, (first + step.pages) * counted);
        break;
      }
      case 'clear': {
        const page = this.index.get(`${step.process}:${Math.floor(step.address / counted)}`);
        if (page === undefined) break;
        real.inspect.eptClear(page, step.flags);
        const flags = brute.eptFlags(step.process, step.address);
        if (flags && step.flags & ACCESSED) flags.a = false;
        if (flags && step.flags & DIRTY) flags.d = false;
        break;
      }
      case 'invept':
        real.inspect.invept();
        brute.invept();
        break;
    }
  }

  #access(access: Access): void {
    this.real.replay([access]);
    this.brute.access(access.vcpu, access.address, access.write, access.size);
    for (const at of [access.address, access.address + access.size! - 1]) {
      const key = `${PROCESSES[access.vcpu]}:${Math.floor(at / this.g.countedSize)}`;
      if (!this.index.has(key)) this.index.set(key, this.index.size);
    }
  }
}

/** The real machine with this geometry alone. */
export function realMachine(
  g: Geometry,
  options: Partial<MachineOptions> = {},
  overrides: ParameterOverrides = {},
): Emulated {
  const pageSize = g.countedSize === 4096 ? 4096 : 2097152;
  return new Emulated(
    { pageSize, pmlEntries: g.pmlEntries, ...options },
    { ...overridesOf(g), ...overrides },
    PROCESSES,
  );
}
