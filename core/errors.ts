/** Errors that a user can act on. Each is one line that says what happened and what to do; the status is the CLI's. */

/** Wrong usage or bad input: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Text of any thrown value, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, '; ');
}
