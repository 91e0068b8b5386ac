/** The window of the selection in words: every number says what time it is of. */

/** `the whole run`, or `epochs 3 to 9`. */
export function windowText(window: readonly [number, number] | null): string {
  if (window === null) return 'the whole run';
  const [from, to] = window;
  return to - from === 1 ? `epoch ${from}` : `epochs ${from} to ${to - 1}`;
}
