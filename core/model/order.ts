/** Rows in the order of a column, for tables of a million rows: a stable radix sort, as its cost is the same for all data. */

/** @param keys not NaN; rows with equal keys keep their order, also when the order is descending */
export function orderBy(keys: Float64Array, descending: boolean): Uint32Array {
  const count = keys.length;
  const bits = sortableBits(keys);
  let order = Uint32Array.from({ length: count }, (_, row) => row);
  let next = new Uint32Array(count);
  // Four digits of 16 bits, the least significant first.
  for (let digit = 0; digit < 4; digit++) {
    const start = new Uint32Array(65_537);
    for (let row = 0; row < count; row++) start[place(bits[4 * row + digit], descending) + 1]++;
    // Where all rows have the same digit, as in the low bits of small counts, nothing moves.
    if (count > 0 && start[place(bits[digit], descending) + 1] === count) continue;
    for (let value = 0; value < 65_536; value++) start[value + 1] += start[value];
    for (let i = 0; i < count; i++) next[start[place(bits[4 * order[i] + digit], descending)]++] = order[i];
    [order, next] = [next, order];
  }
  return order;
}

/**
 * Four digits of 16 bits a key, the least significant first, that sort as the keys do: the bits of doubles from 0 up sort
 * as whole numbers, those of negative ones the other way round.
 */
function sortableBits(keys: Float64Array): Uint16Array {
  // Adding 0 turns a negative zero into a positive one.
  const bits = new Uint16Array(keys.map(key => key + 0).buffer);
  for (let top = 3; top < bits.length; top += 4) {
    if (bits[top] < 0x8000) bits[top] ^= 0x8000;
    else for (let digit = top - 3; digit <= top; digit++) bits[digit] ^= 0xffff;
  }
  return bits;
}

const place = (digit: number, descending: boolean) => (descending ? 65_535 - digit : digit);

/** For each text its place in the alphabet, so that texts sort as numbers do. */
export function alphabetically(texts: readonly string[]): Float64Array {
  const distinct = [...new Set(texts)].sort((a, b) => (a < b ? -1 : 1));
  const rank = new Map(distinct.map((text, i) => [text, i]));
  return Float64Array.from(texts, text => rank.get(text)!);
}
