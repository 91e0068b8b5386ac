/** Mean accesses per touched page per modelled second over the whole run; 0 where no page was touched. */
export function perPagePerSecond(accesses: Float64Array, pages: Float64Array, modelledNs: number): Float64Array {
  const seconds = modelledNs / 1e9;
  return accesses.map((count, row) => (pages[row]! > 0 && seconds > 0 ? count / pages[row]! / seconds : 0));
}
