/** Columns in memory that threads look at together: telling of a table costs the other thread nothing. */
import type { Profile, RestOfProfile, SourceProfile } from '../../model/profile.js';

/** A record, so that none can be forgotten. */
const largest: Readonly<Record<keyof RestOfProfile, true>> = {
  calls: true,
  siteTimes: true,
  pages: true,
  heat: true,
  trackers: true,
};

/** A profile less its largest tables. Does not look at these: they may be made when they are read. */
export function sourceOf(profile: SourceProfile): SourceProfile {
  const names = Object.keys(profile).filter(name => !Object.hasOwn(largest, name));
  return Object.fromEntries(
    names.map(name => [name, profile[name as keyof SourceProfile]]),
  ) as unknown as SourceProfile;
}

/** The same, in shared memory. */
export function sharedSource(profile: SourceProfile): SourceProfile {
  return shared(sourceOf(profile));
}

/** The profile with what the source needs in shared memory, once for all that is made of it. */
export function withSharedSource(profile: Profile): Profile {
  return { ...profile, ...sharedSource(profile) };
}

/** The value with its columns in shared memory; those that are there already stay. */
export function shared<T>(value: T): T {
  return copied(value) as T;
}

function copied(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return inSharedMemory(value as Uint8Array);
  // Arrays of text, and of what consists of it, are long and hold no columns: the first element tells.
  if (Array.isArray(value)) return holdsColumns(value[0]) ? value.map(copied) : value;
  if (typeof value !== 'object' || value === null || value instanceof Set) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copied(member)]));
}

function holdsColumns(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return ArrayBuffer.isView(value) || Object.values(value).some(holdsColumns);
}

function inSharedMemory(column: Uint8Array): Uint8Array {
  if (column.buffer instanceof SharedArrayBuffer) return column;
  const bytes = new Uint8Array(new SharedArrayBuffer(column.byteLength));
  bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  const Constructor = column.constructor as new (buffer: SharedArrayBuffer) => Uint8Array;
  return new Constructor(bytes.buffer);
}
