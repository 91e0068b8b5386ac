/** The few words that answers hold instead of sentences: ids that stand in texts as words of the reader's language. */
import * as l10n from './l10n.js';

const words: ReadonlyMap<string, () => string> = new Map([
  ['hot', () => l10n.t('hot')],
  ['warm', () => l10n.t('warm')],
  ['cold', () => l10n.t('cold')],
  ['heap', () => l10n.t('heap')],
  ['global', () => l10n.t('global')],
  ['stack', () => l10n.t('stack')],
  ['file', () => l10n.t('file')],
  ['anonymous', () => l10n.t('anonymous')],
  ['unattributed', () => l10n.t('unattributed')],
  ['mixed', () => l10n.t('mixed')],
  ['accesses', () => l10n.t('accesses')],
  ['reads', () => l10n.t('reads')],
  ['writes', () => l10n.t('writes')],
  ['source', () => l10n.t('source')],
  ['machine', () => l10n.t('machine')],
]);

/** A name, such as a tier's or an object's, stays as it is. */
export function word(text: string): string {
  return words.get(text)?.() ?? text;
}
