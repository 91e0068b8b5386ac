import * as l10n from './l10n.js';

/** Why recording stopped before the program ended, as a stable code: an editor chooses the next step by it. */
export const cutReasons = {
  'disk-full': l10n.kept('the disk is full'),
  'file-limit': l10n.kept('the trace reached the largest size that a file may have'),
  'trace-limit': l10n.kept('the trace reached the size that it may have'),
  'time-limit': l10n.kept('the program ran for as long as it was to be recorded'),
} as const;

export type CutReason = keyof typeof cutReasons;

/** `recording cut short: the disk is full`; without a reason where only the warnings have one. */
export function cutText(cut: CutReason | undefined): string {
  return cut ? l10n.kept('recording cut short: {0}', cutReasons[cut]) : l10n.kept('recording cut short');
}
