/** Columns in memory that threads look at together: telling of a table costs the other thread nothing. */
import type { Profile, RestOfProfile, SourceProfile } from '../../model/profile.js';

const rest: ReadonlySet<string> = new Set<keyof RestOfProfile>(['calls', 'pages', 'heat', 'trackers']);

/** A profile less its largest tables, in shared memory. Does not look at the others: they may be made when read. */
export function sharedSource(profile: SourceProfile): SourceProfile {
  const names = Object.keys(profile).filter(name => !rest.has(name));
  return Object.fromEntries(
    names.map(name => [name, shared(profile[name as keyof SourceProfile])]),
  ) as unknown as SourceProfile;
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
  // Arrays of text are long and hold no columns: the first element tells.
  if (Array.isArray(value)) return typeof value[0] === 'object' ? value.map(copied) : value;
  if (typeof value !== 'object' || value === null || value instanceof Set) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copied(member)]));
}

function inSharedMemory(column: Uint8Array): Uint8Array {
  if (column.buffer instanceof SharedArrayBuffer) return column;
  const bytes = new Uint8Array(new SharedArrayBuffer(column.byteLength));
  bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  const Constructor = column.constructor as new (buffer: SharedArrayBuffer) => Uint8Array;
  return new Constructor(bytes.buffer);
}
