/** Every text that VS Code shows of the extension can be translated. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { collect, textsOf } from '../../l10n/collect.mjs';
import { manifest, texts } from '../helpers/manifest.js';

/** Fields of contributions that users read. Categories and titles that are the product's name stay as they are. */
const shown =
  /^(title|shortTitle|description|markdownDescription|deprecationMessage|markdownDeprecationMessage|label|name|contents|displayName|userDescription|contextualTitle|enumDescriptions|markdownEnumDescriptions|enumItemLabels|aliases)$/;

/** Strings under a field that users read, however deep, with their path. */
function shownTexts(value: unknown, at: string, read: boolean): [string, string][] {
  if (typeof value === 'string') return read ? [[at, value]] : [];
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, child]) =>
    shownTexts(child, `${at}.${key}`, Array.isArray(value) ? read : shown.test(key)),
  );
}

test('the manifest has its texts in package.nls.json: none is missing, none is unused', () => {
  const used = new Set([...JSON.stringify(manifest).matchAll(/"%([^%"]+)%"/g)].map(match => match[1]!));
  expect([...used].filter(key => !(key in texts))).toEqual([]);
  expect(Object.keys(texts).filter(key => !used.has(key))).toEqual([]);
});

test('what users read in the manifest is a key, but for the name of the product', () => {
  const literal = shownTexts(manifest.contributes, 'contributes', false).filter(
    ([at, text]) => !/^%[^%]+%$/.test(text) && text !== 'Pagelens' && !notForUsers.test(at),
  );
  expect(literal).toEqual([]);
});

/** Names that are ids, and what a chat's model reads, which is written in English. */
const notForUsers = /\.(problemMatchers|problemPatterns|languageModelTools)\.\d+\.name$|\.inputSchema\./;

test('the bundle holds the texts of the code', async () => {
  const bundle = JSON.parse(readFileSync(path.resolve(__dirname, '../../l10n/bundle.l10n.json'), 'utf8'));
  expect(bundle).toEqual(await collect());
});

test('texts are found in either quotes, over lines and with arguments; others are refused', () => {
  const source = `a(vscode.l10n.t('One {0}', x)); b(l10n.t(\n  "It's two",\n)); c(l10n.t('It\\'s\\nthree'));`;
  expect(textsOf(source, 'a.ts')).toEqual(['One {0}', "It's two", "It's\nthree"]);
  const forms = "l10n.plural(rows[f(1, 2)], '{0} page', '{0} pages', x)";
  expect(textsOf(`${forms}; l10n.t('Copy\\u2026')`, 'a.ts')).toEqual(['{0} page', '{0} pages', 'Copy…']);
  expect(() => textsOf("l10n.plural(n, '{0} page', many)", 'a.ts')).toThrow('a.ts:1');
  expect(() => textsOf('\nl10n.t(`ended`)', 'a.ts')).toThrow('a.ts:2');
  expect(() => textsOf('l10n.t(message)', 'a.ts')).toThrow('a.ts:1');
});
