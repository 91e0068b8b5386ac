/** Why recording stopped before the program ended, as a stable code: an editor chooses the next step by it. */
export const cutReasons = {
  'disk-full': 'the disk is full',
  'file-limit': 'the trace reached the largest size that a file may have',
} as const;

export type CutReason = keyof typeof cutReasons;

/** `recording cut short: the disk is full`; without a reason where only the warnings have one. */
export function cutText(cut: CutReason | undefined): string {
  return cut ? `recording cut short: ${cutReasons[cut]}` : 'recording cut short';
}
