/** Rows of several tables as rows of one: rows with equal keys are the same. */

export interface Union {
  readonly count: number;
  /** Row of the union, of each row of each table. */
  readonly rowOf: readonly Uint32Array[];
  /** Of each row of the union: the table in which it was first seen, and its row there. */
  readonly first: readonly (readonly [table: number, row: number])[];
}

/** The union's rows are in the order of their keys, so that the order of the tables does not matter. */
export function unite(counts: readonly number[], key: (table: number, row: number) => string): Union {
  const keys = new Map<string, readonly [number, number]>();
  const keysOf = counts.map((count, table) =>
    Array.from({ length: count }, (_, row) => {
      const text = key(table, row);
      if (!keys.has(text)) keys.set(text, [table, row]);
      return text;
    }),
  );
  return numbered(
    keysOf,
    [...keys].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function numbered(
  keysOf: readonly (readonly string[])[],
  ordered: readonly (readonly [string, readonly [number, number]])[],
): Union {
  const rows = new Map(ordered.map(([text], row) => [text, row]));
  return {
    count: ordered.length,
    rowOf: keysOf.map(texts => Uint32Array.from(texts, text => rows.get(text)!)),
    first: ordered.map(([, place]) => place),
  };
}

/** The union with its rows in another order: the numbers of the rows now, in the order that they are to have. */
export function reordered(union: Union, order: readonly number[]): Union {
  const place = new Uint32Array(union.count);
  for (const [now, before] of order.entries()) place[before] = now;
  return {
    count: union.count,
    rowOf: union.rowOf.map(rows => rows.map(row => place[row]!)),
    first: order.map(row => union.first[row]!),
  };
}

/** The sums of a column of every table; with weights, of its products with them. */
export function summed(
  union: Union,
  columns: readonly ArrayLike<number>[],
  weight: (table: number, row: number) => number = () => 1,
): Float64Array {
  const sums = new Float64Array(union.count);
  for (const [table, rows] of union.rowOf.entries())
    for (let row = 0; row < rows.length; row++) sums[rows[row]!]! += columns[table]![row]! * weight(table, row);
  return sums;
}
