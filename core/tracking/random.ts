/** Random numbers that depend on a name alone: every replay draws the same, whatever else runs. */

/** FNV-1a of the text, never 0. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0 || 1;
}

/** A generator of whole numbers from 0 to n - 1 (xorshift32, Marsaglia 2003). */
export function randomOf(text: string): (n: number) => number {
  let x = seedOf(text);
  return n => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    return Math.floor((x / 2 ** 32) * n);
  };
}
