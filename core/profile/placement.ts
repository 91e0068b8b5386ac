/**
 * A placement file (docs/apply.md): the tier of each allocation site and global, for `pagelens apply` and for whoever
 * reads JSON. Only what can be placed whole is in it: thread stacks are not, and what the profile has no stack for.
 */
import { version } from '../assets.js';
import type { PolicyResult, Profile } from '../model/profile.js';

const PLACEABLE: ReadonlySet<string> = new Set(['heap', 'anonymous', 'file', 'global']);
/** Of `PolicyResult.tierOfObject`: the object is in several tiers. */
const SPLIT = 255;

export function toPlacementFile(profile: Profile): string {
  const { objects, placement, program } = profile;
  const policy = decidingPolicy(placement.policies, placement.recommended);
  const rows = [];
  for (let object = 0; object < objects.count; object++) {
    const kind = objects.kind[object]!;
    const tier = placement.tiers[policy.tierOfObject[object]!];
    const stack = objects.stack[object]!.map(frameOf);
    if (!PLACEABLE.has(kind) || policy.tierOfObject[object] === SPLIT || !tier) continue;
    if (kind !== 'global' && stack.length === 0) continue;
    rows.push({
      kind,
      name: objects.name[object]!,
      tier: tier.id,
      bytes: objects.bytes[object]!,
      traffic: { reads: objects.trafficReads[object]!, writes: objects.trafficWrites[object]! },
      stack: kind === 'global' ? [] : stack,
    });
  }
  const file = {
    schema: 'pagelens-placement/1',
    tool: { version: version() },
    program: program.path,
    policy: policy.id,
    modelledSlowdown: policy.modelledSlowdown,
    modelledSlowdownRange: policy.modelledSlowdownRange,
    tiers: placement.tiers.map(({ id, name, capacityBytes }) => ({
      id,
      name,
      capacityBytes: Number.isFinite(capacityBytes) ? capacityBytes : null,
      node: nodeOf(id),
    })),
    objects: rows,
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Tiers that were made from a machine's nodes (core/placement/hostTiers.ts) are named after them. */
export function nodeOf(tier: string): number | null {
  const number = /^node(\d{1,4})$/.exec(tier)?.[1];
  return number === undefined ? null : Number(number);
}

/** What places whole objects is what can be applied to allocations. */
function decidingPolicy(policies: readonly PolicyResult[], recommended: string): PolicyResult {
  return (
    policies.find(({ id }) => id === 'static-optimal') ?? policies.find(({ id }) => id === recommended) ?? policies[0]!
  );
}

/** The text of a frame, `function /file:line` (core/attribution/naming.ts), in its parts. */
function frameOf(text: string): { function: string; file?: string; line?: number } {
  const match = /^(.*) (\/.*):(\d+)$/.exec(text);
  return match ? { function: match[1]!, file: match[2]!, line: Number(match[3]) } : { function: text };
}
