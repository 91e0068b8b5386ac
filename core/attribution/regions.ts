/** Raw regions -> the table of what the program called parts of its run: in order, their stretches in epochs. */
import type { EpochTable, RegionTable } from '../model/profile.js';
import type { RawRegions } from '../model/raw.js';

/** Rows by accesses, descending, then kind and name. */
export function regionTable(raw: RawRegions, epochs: EpochTable): RegionTable {
  const accesses = raw.reads.map((reads, row) => reads + raw.writes[row]!);
  const label = (row: number) => `${raw.kind[row]}\0${raw.name[row]}`;
  const order = Array.from({ length: raw.count }, (_, row) => row).sort(
    (a, b) => accesses[b]! - accesses[a]! || (label(a) < label(b) ? -1 : 1),
  );
  const rowOf = new Uint32Array(raw.count);
  for (const [row, of] of order.entries()) rowOf[of] = row;
  const column = (values: Float64Array) => Float64Array.from(order, row => values[row]!);
  return {
    count: raw.count,
    kind: order.map(row => raw.kind[row]!),
    name: order.map(row => raw.name[row]!),
    times: column(raw.times),
    reads: column(raw.reads),
    writes: column(raw.writes),
    pages: column(raw.pages),
    trafficReads: column(raw.trafficReads),
    trafficWrites: column(raw.trafficWrites),
    stretches: raw.stretches
      .map(({ row, from, to }) => ({
        row: rowOf[row]!,
        from: Math.floor(from / epochs.accesses),
        to: Math.ceil(to / epochs.accesses),
        accesses: to - from,
      }))
      .sort((a, b) => a.from - b.from || a.row - b.row || a.to - b.to),
  };
}
