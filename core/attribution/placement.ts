/** Adds a placement to an attributed profile: every object gets the tier in which the recommended policy puts it. */
import type { Placement, Profile } from '../model/profile.js';
import type { ProfileWithoutPlacement } from './attribute.js';

/** `tier` of an object that a policy splits over tiers (`PolicyResult.tierOfObject`). */
const SPLIT = 255;

export function withPlacement(profile: ProfileWithoutPlacement, placement: Placement): Profile {
  const recommended = [...placement.policies, placement.oracle].find(policy => policy.id === placement.recommended);
  const tier = new Uint8Array(profile.objects.count).fill(SPLIT);
  if (recommended) tier.set(recommended.tierOfObject.subarray(0, tier.length));
  return { ...profile, objects: { ...profile.objects, tier }, placement };
}
