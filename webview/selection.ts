/** What changed of the selection: a view that pointed at a row itself need not ask for all its rows again. */
import type { Selection } from '../core/protocol.js';

/** False also where nothing changed: then what is selected may have new content, as when a program was profiled again. */
export function onlyFocusChanged(before: Selection | null, after: Selection): boolean {
  if (before === null || JSON.stringify(before.focus) === JSON.stringify(after.focus)) return false;
  return JSON.stringify({ ...before, focus: null }) === JSON.stringify({ ...after, focus: null });
}
