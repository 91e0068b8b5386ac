/** The stable code of any thrown value, which travels as `data` of the error reply. */
import type { Failure, FailureCode } from '../model/failure.js';

/** What the system calls it (errno) -> what it is to the user. */
const systemCodes: Readonly<Record<string, FailureCode>> = {
  EACCES: 'not-permitted',
  EPERM: 'not-permitted',
  EROFS: 'not-permitted',
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
};

export function failureOf(error: unknown): Failure {
  if (typeof error !== 'object' || error === null) return { code: 'other' };
  const { failure, code, cause } = error as { failure?: Failure; code?: unknown; cause?: unknown };
  if (failure) return failure;
  const known = typeof code === 'string' ? systemCodes[code] : undefined;
  // A message of ours in words has the system's error as its cause.
  return known ? { code: known } : cause === undefined ? { code: 'other' } : failureOf(cause);
}
