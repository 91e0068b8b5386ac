/** The window of the selection in words: every number says what time it is of. */

import * as l10n from './l10n.js';

/** `the whole run`, or `epochs 3 to 9`. */
export function windowText(window: readonly [number, number] | null): string {
  if (window === null) return l10n.t('the whole run');
  const [from, to] = window;
  return to - from === 1 ? l10n.t('epoch {0}', from) : l10n.t('epochs {0} to {1}', from, to - 1);
}
