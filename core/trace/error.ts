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
  const { code, message } = error as NodeJS.ErrnoException;
  const reason: Record<string, string> = {
    ENOENT: action === 'read' ? 'there is no such file' : 'its folder does not exist',
    EACCES: 'permission denied',
    EISDIR: 'it is a directory',
    ENOTDIR: 'a part of the path is not a directory',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full; free some space or choose another place',
    EDQUOT: 'the disk quota is used up; free some space or choose another place',
    EFBIG: 'the file grew past the allowed size',
    EMFILE: 'too many files are open',
  };
  return new TraceError(`cannot ${action} ${path}: ${(code && reason[code]) ?? message}`, { cause: error });
}
