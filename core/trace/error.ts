import * as l10n from '../model/l10n.js';
import { systemReason } from '../model/systemReason.js';

/** A trace that cannot be read or written: one line that says what is wrong, where, and what to do (exit status 2). */
export class TraceError extends Error {
  override readonly name = 'TraceError';
}

/** What the system calls it when a file cannot grow: no room, no quota, the largest size that is allowed. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Whether an error, or what caused it, is that a file cannot grow. */
export function isFull(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return (typeof code === 'string' && FULL.has(code)) || isFull(cause);
}

/** A system error in words, with the file it concerns. */
export function ioError(action: 'read' | 'write', path: string, error: unknown): TraceError {
  const why = systemReason(action, error);
  const text =
    action === 'read' ? l10n.kept('cannot read {0}: {1}', path, why) : l10n.kept('cannot write {0}: {1}', path, why);
  return new TraceError(text, { cause: error });
}
