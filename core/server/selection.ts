/** The selection as it begins, and what is said of a profile that was opened. */
import { UsageError } from '../errors.js';
import * as l10n from '../model/l10n.js';
import type { SourceProfile } from '../model/profile.js';
import type { ProfileSummary, Selection } from '../protocol.js';
import { exitText } from './annotations.js';

export const nothingSelected: Selection = {
  profile: null,
  tracker: 'exact',
  tiers: '',
  tierChanges: [],
  policy: '',
  phase: null,
  window: null,
  focus: null,
  baseline: null,
};

export function nothingOpen(): UsageError {
  return new UsageError(l10n.t('no profile is open; run "Profile page accesses" or open a .pagelens file'));
}

/** What is selected of a profile that was just opened. */
export function firstSelection({ options, placement }: SourceProfile, id: string): Selection {
  return { ...nothingSelected, profile: id, tiers: options.tiers, policy: placement.recommended };
}

export function summaryOf(profile: SourceProfile, id: string): ProfileSummary {
  const { program, totals } = profile;
  return {
    profile: id,
    program: program.path,
    reads: totals.reads,
    writes: totals.writes,
    pages: totals.pagesTouched,
    complete: program.complete,
    ...(program.cut && { cut: program.cut }),
    exit: exitText(profile),
    warnings: profile.warnings.map(l10n.shown),
  };
}
