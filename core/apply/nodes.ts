/** The machine's memory nodes, and which of them stands for a tier. */
import { readFileSync } from 'node:fs';
import { UsageError } from '../errors.js';
import type { PlacedTier } from './placementFile.js';

/** Nodes with memory, ascending; one node, 0, where the kernel does not say. */
export function memoryNodes(file = '/sys/devices/system/node/has_memory'): number[] {
  try {
    const nodes = parseNodes(readFileSync(file, 'utf8'));
    return nodes.length > 0 ? nodes : [0];
  } catch {
    return [0];
  }
}

/** The kernel's list of numbers: `0-1,4`. */
export function parseNodes(text: string): number[] {
  const nodes: number[] = [];
  for (const part of text.trim().split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!match) continue;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    for (let node = first; node <= last && nodes.length < 1024; node++) nodes.push(node);
  }
  return nodes;
}

/**
 * A node for each tier: what the user says, else what the file says, else the nodes in their order, the fastest tier
 * first; tiers beyond the last node share it.
 * @param given of `--nodes`: one for each tier
 * @throws UsageError for another number of nodes than tiers, or a node that the machine does not have.
 */
export function nodesOfTiers(
  tiers: readonly PlacedTier[],
  nodes: readonly number[],
  given: string | undefined,
): number[] {
  const chosen = given === undefined ? tiers.map(({ node }) => node) : given.split(',').map(Number);
  if (chosen.length !== tiers.length)
    throw new UsageError(
      `--nodes ${given}: ${chosen.length} nodes for ${tiers.length} tiers (${tiers.map(({ id }) => id).join(', ')})`,
    );
  return chosen.map((node, tier) => {
    if (node === null) return nodes[Math.min(tier, nodes.length - 1)]!;
    if (!nodes.includes(node))
      throw new UsageError(
        `node ${node} of tier ${tiers[tier]!.id} is none of this machine's memory nodes (${nodes.join(', ')})`,
      );
    return node;
  });
}
