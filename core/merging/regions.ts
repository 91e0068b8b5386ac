/** Regions and phases of several runs: equal names are one row; pages add up, since no two runs share one. */
import type { Profile, RegionTable } from '../model/profile.js';
import { reordered, summed, unite } from './union.js';

/** Stretches are of one run's time and are left out. @returns undefined where no run names any */
export function mergedRegions(profiles: readonly Profile[]): RegionTable | undefined {
  const tables = profiles.flatMap(({ regions }) => regions ?? []);
  if (tables.length === 0) return undefined;
  const named = unite(
    tables.map(({ count }) => count),
    (table, row) => `${tables[table]!.kind[row]}\0${tables[table]!.name[row]}`,
  );
  const all = columnsOf(tables, named);
  const accesses = all.reads.map((reads, row) => reads + all.writes[row]!);
  const order = Array.from(accesses.keys()).sort((a, b) => accesses[b]! - accesses[a]! || a - b);
  const rows = reordered(named, order);
  return {
    count: rows.count,
    kind: rows.first.map(([table, row]) => tables[table]!.kind[row]!),
    name: rows.first.map(([table, row]) => tables[table]!.name[row]!),
    ...columnsOf(tables, rows),
    stretches: [],
  };
}

function columnsOf(tables: readonly RegionTable[], rows: Parameters<typeof summed>[0]) {
  const total = (column: (table: RegionTable) => Float64Array) => summed(rows, tables.map(column));
  return {
    times: total(table => table.times),
    reads: total(table => table.reads),
    writes: total(table => table.writes),
    pages: total(table => table.pages),
    trafficReads: total(table => table.trafficReads),
    trafficWrites: total(table => table.trafficWrites),
  };
}
