/** The table of policies: one file and one line each. Its order is that of lists and reports. */
import { allFast } from './all-fast.js';
import { allSlow } from './all-slow.js';
import { firstTouch } from './first-touch.js';
import { interleave } from './interleave.js';
import { oracle } from './oracle.js';
import type { PolicyKind } from './policy.js';
import { staticOptimal } from './static-optimal.js';

export const policies = {
  'static-optimal': staticOptimal,
  'first-touch': firstTouch,
  interleave,
  'all-fast': allFast,
  'all-slow': allSlow,
  oracle,
} as const satisfies Record<string, PolicyKind>;

export type PolicyId = keyof typeof policies;
