/** Tables are sorted by what they count, since who reads a row number reads a rank: their order when counts change. */
import { NONE } from '../model/columns.js';
import type { SourceColumns } from '../model/profile.js';

/** Rows from most accesses to fewest; equal ones as they were. */
export function byAccesses(table: SourceColumns): Uint32Array {
  const accesses = table.reads.map((reads, row) => reads + table.writes[row]);
  return Uint32Array.from({ length: table.count }, (_, row) => row).sort((a, b) => accesses[b] - accesses[a] || a - b);
}

/** Where each row goes. */
export function inverse(order: Uint32Array): Uint32Array {
  const rows = new Uint32Array(order.length);
  for (const [to, from] of order.entries()) rows[from] = to;
  return rows;
}

/** The table with its rows in another order: every column that it has, whatever its name. */
export function inOrder<T extends SourceColumns>(table: T, order: Uint32Array): T {
  const columns = Object.entries(table).map(([name, column]) => {
    if (Array.isArray(column)) return [name, Array.from(order, row => column[row])];
    if (!ArrayBuffer.isView(column)) return [name, column];
    const from = column as Float64Array;
    return [name, from.slice().map((_, to) => from[order[to]])];
  });
  return Object.fromEntries(columns) as T;
}

/** Row numbers of another table in that table's new order; `order` is that of the rows that hold them. */
export function renamed(column: Uint32Array, rowOf: Uint32Array, order?: Uint32Array): Uint32Array {
  return column.map((_, to) => {
    const row = column[order ? order[to] : to];
    return row === NONE ? NONE : rowOf[row];
  });
}
