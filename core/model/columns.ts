/**
 * Columns: the one shape in which bulk data crosses every boundary (worker, language server, webview, file).
 *
 * A table is a set of typed arrays of equal length. The garbage collector sees a few arrays instead of millions of
 * objects, a loop touches only the columns that it needs, and saving or posting a table is a copy of its buffers.
 */

export type Column = Uint8Array | Int32Array | Uint32Array | BigUint64Array | Float32Array | Float64Array;

/** Row number in the table named by the property that holds it; `NONE` stands for "no row". */
export type Row = number;

/** "No row" in a Uint32Array of row numbers. */
export const NONE = 0xffff_ffff;
