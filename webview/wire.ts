/** Columns from the wire: base64 of little-endian numbers, into the typed array that their type names. */
import type { WireColumn } from '../core/protocol.js';

export type Numbers = Uint8Array | Uint32Array | Float32Array | Float64Array;

/** @throws RangeError when the bytes are not whole numbers of the type */
export function column({ type, base64 }: WireColumn): Numbers {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  switch (type) {
    case 'u8':
      return bytes;
    case 'u32':
      return new Uint32Array(bytes.buffer);
    case 'f32':
      return new Float32Array(bytes.buffer);
    case 'f64':
      return new Float64Array(bytes.buffer);
  }
}

/** 0 where there are none. */
export function greatest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]!);
  return most;
}
