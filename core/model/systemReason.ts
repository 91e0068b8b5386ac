/** Why a file could not be read or written, in words. */
import * as l10n from './l10n.js';

/** @param error of the system; any other error tells itself */
export function systemReason(action: 'read' | 'write', error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: action === 'read' ? l10n.kept('there is no such file') : l10n.kept('its folder does not exist'),
    EACCES: l10n.kept('permission denied'),
    EISDIR: l10n.kept('it is a directory'),
    ENOTDIR: l10n.kept('a part of the path is not a directory'),
    EROFS: l10n.kept('the file system is read-only'),
    ENOSPC: l10n.kept('the disk is full; free some space or choose another place'),
    EDQUOT: l10n.kept('the disk quota is used up; free some space or choose another place'),
    EFBIG: l10n.kept('the file grew past the allowed size'),
    EMFILE: l10n.kept('too many files are open'),
  };
  return (code && reasons[code]) ?? message;
}
