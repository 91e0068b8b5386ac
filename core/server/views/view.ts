/** A view of the dashboard in core: a pure function of the profile, the selection and what the view asks for. */
import type { Column } from '../../model/columns.js';
import { NONE } from '../../model/columns.js';
import type { Profile } from '../../model/profile.js';
import type { Location, Selection, ViewQuery, WireColumn } from '../../protocol.js';
import type { Baseline } from '../baseline.js';
import type { ProfileIndex } from '../profileIndex.js';

export type View = (
  index: ProfileIndex,
  query: ViewQuery,
  selection: Selection,
  /** The run that this one is compared with. */
  baseline?: Baseline | null,
) => { readonly facts: unknown; readonly columns?: Readonly<Record<string, WireColumn>> };

/** The most that one answer may hold, columns as base64 and facts as JSON together. */
export const maxAnswerBytes = 2 ** 20;

/** A typed array on its way to the webview. All machines we run on are little-endian, as the wire is. */
export function wire(column: Column): WireColumn {
  const base64 = Buffer.from(column.buffer, column.byteOffset, column.byteLength).toString('base64');
  if (column instanceof Uint8Array) return { type: 'u8', base64 };
  if (column instanceof Uint32Array) return { type: 'u32', base64 };
  if (column instanceof Float32Array) return { type: 'f32', base64 };
  if (column instanceof Float64Array) return { type: 'f64', base64 };
  throw new TypeError(`no wire type for ${column.constructor.name}`);
}

export function location(profile: Profile, file: number, line: number): Location | null {
  return file === NONE || line === 0 ? null : { file: profile.files[file].path, line };
}

/** A range asked for, cut to [0, count] and never empty unless `count` is 0; the whole without one. */
export function clampRange(asked: readonly [number, number] | undefined, count: number): [number, number] {
  if (!asked?.every(Number.isFinite)) return [0, count];
  const from = Math.max(0, Math.min(Math.floor(asked[0]), count - 1));
  return [from, Math.max(Math.min(Math.ceil(asked[1]), count), Math.min(from + 1, count))];
}
