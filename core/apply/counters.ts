/** What the preload library counted (preload/plan.h), and how it reads. */
import type { PlacedObject } from './placementFile.js';
import type { Plan } from './plan.js';

export const COUNTS = 10;
const COUNTS_OF_OBJECT = 2;

export interface Applied {
  /** Processes of the run that loaded the library. */
  readonly processes: number;
  /** Blocks and bytes asked for by allocations that the placement names. A global counts once a process. */
  readonly matched: { readonly blocks: number; readonly bytes: number };
  /** Allocations that it does not name: they lie where they would have lain. */
  readonly others: { readonly blocks: number; readonly bytes: number };
  /** Allocations that several objects of different tiers fit equally well: left where they would have lain. */
  readonly undecided: { readonly blocks: number; readonly bytes: number };
  /** Matched bytes that the library could not allocate itself. */
  readonly refusedBytes: number;
  /** Bytes of globals in pages that they share with others. */
  readonly sharedGlobalBytes: number;
  /** Bytes of address space whose pages the kernel was asked to keep on a node, and what it refused. */
  readonly boundBytes: number;
  readonly bindFailures: number;
  /** errno of the last refusal; 0: none. */
  readonly bindError: number;
  readonly objects: readonly {
    readonly object: PlacedObject;
    readonly blocks: number;
    readonly bytes: number;
    /** No call and no symbol of this build can be it. */
    readonly impossible: boolean;
  }[];
}

export function bytesOfCounters(plan: Plan): number {
  return (COUNTS + COUNTS_OF_OBJECT * plan.objects.length) * 8;
}

/** @param bytes content of the file that the processes shared */
export function readCounters(bytes: Buffer, plan: Plan, objects: readonly PlacedObject[]): Applied {
  const at = (index: number) => Number(bytes.readBigUInt64LE(index * 8));
  const impossible = new Set(plan.impossible);
  const rows = plan.objects.map((index, i) => ({
    object: objects[index]!,
    blocks: at(COUNTS + COUNTS_OF_OBJECT * i),
    bytes: at(COUNTS + COUNTS_OF_OBJECT * i + 1),
    impossible: impossible.has(index),
  }));
  const sum = (column: 'blocks' | 'bytes') => rows.reduce((total, row) => total + row[column], 0);
  return {
    processes: at(0),
    matched: { blocks: sum('blocks'), bytes: sum('bytes') },
    others: { blocks: at(1), bytes: at(2) },
    undecided: { blocks: at(3), bytes: at(4) },
    refusedBytes: at(5),
    boundBytes: at(6),
    bindFailures: at(7),
    bindError: at(8),
    sharedGlobalBytes: at(9),
    objects: rows,
  };
}
