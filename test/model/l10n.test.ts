/** Texts in another language; what files keep stays English and is translated by its pattern. */
import { afterEach, describe, expect, test } from 'vitest';
import { compact, pages, percent } from '../../core/model/format.js';
import { kept, plural, shown, speak, t } from '../../core/model/l10n.js';
import { word } from '../../core/model/words.js';

afterEach(() => speak('en', {}));

test('without translations texts and numbers are English', () => {
  expect(t('{0} of {1}', '3.8 %', 'accesses')).toBe('3.8 % of accesses');
  expect(plural(2104, '{0} page', '{0} pages')).toBe('2,104 pages');
  expect(percent(0.038)).toBe('3.8 %');
  expect(shown('too short: 1 period')).toBe('too short: 1 period');
});

test('texts, words and numbers are those of the language', () => {
  speak('de', { '{0} of {1}': '{0} aller {1}', accesses: 'Zugriffe', '{0} pages ({1})': '{0} Seiten ({1})' });
  expect(t('{0} of {1}', percent(0.038), word('accesses'))).toBe('3,8 % aller Zugriffe');
  expect(pages(2104, 4096)).toBe('2.104 Seiten (8,2 MiB)');
  expect(compact(1_234_567)).toBe('1,2 M');
  expect(word('malloc in main')).toBe('malloc in main');
});

describe('sentences of files', () => {
  const bundle = {
    'tracker {0}: {1}': 'Verfahren {0}: {1}',
    'too short: {0} at time scale {1}': 'zu kurz: {0} bei Zeitmaß {1}',
    '{0} periods of {1} s': '{0} Perioden von {1} s',
    '{1} before, {0} after': 'nachher {0}, vorher {1}',
    '{0}: {1}': 'falsch',
    'the disk is full': 'die Platte ist voll',
  };

  test('are kept in English whatever is spoken', () => {
    speak('de', bundle);
    expect(kept('{0} periods of {1} s', 3, 30)).toBe('3 periods of 30 s');
  });

  test('are shown translated, also where one holds another', () => {
    speak('de', bundle);
    const inner = kept('too short: {0} at time scale {1}', kept('{0} periods of {1} s', 3, 30), 1.5);
    expect(shown(kept('tracker {0}: {1}', 'damon', inner))).toBe(
      'Verfahren damon: zu kurz: 3 Perioden von 30 s bei Zeitmaß 1.5',
    );
    expect(shown('the disk is full')).toBe('die Platte ist voll');
    expect(shown(kept('{1} before, {0} after', 'b', 'a'))).toBe('nachher b, vorher a');
  });

  test('of no known pattern stay as they are, and a place alone is no pattern', () => {
    speak('de', bundle);
    expect(shown('gcc: 12.2')).toBe('gcc: 12.2');
    expect(shown('the disks are full')).toBe('the disks are full');
    expect(shown('')).toBe('');
  });
});
