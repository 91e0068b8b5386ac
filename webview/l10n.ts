/**
 * The page's words in the editor's language: by the bundle that the extension puts into the page, which holds the same
 * translations as its own `vscode.l10n`. A text without one stays as it is, in English.
 *
 * `l10n/collect.mjs` finds the texts by the names of these functions; each must get them in quotes.
 */

/** Ids of the page's element with the bundle; see dashboardHtml.ts. */
const bundleId = 'l10n-bundle';

type Part = string | number;

/** The page in Node, where pure parts are tested, has neither bundle nor language. */
const page = globalThis.document as Document | undefined;
const bundle: Readonly<Record<string, string>> = JSON.parse(page?.getElementById(bundleId)?.textContent || '{}');

/** Of the editor, as BCP 47 writes it. */
export const language = page?.documentElement.lang || 'en';

/** The text with `{0}`, `{1}`, ... replaced by the parts. */
export function t(text: string, ...parts: readonly Part[]): string {
  return filled(bundle[text] ?? text, parts);
}

/**
 * The text for so many, which is `{0}` in it. A language that has more forms than English gives them in its bundle as
 * `OTHER#few`, `OTHER#many`, ..., by the names of CLDR's plural rules, OTHER being the text for many.
 */
export function plural(count: number, one: string, other: string, ...parts: readonly Part[]): string {
  const form = rules.select(count);
  const english = form === 'one' ? one : other;
  return filled(bundle[`${other}#${form}`] ?? bundle[english] ?? english, [number(count), ...parts]);
}

/** A whole number with the separators of the language. */
export function number(value: number): string {
  return whole.format(value);
}

/** Without translations the texts are English, and so are their forms. */
const rules = new Intl.PluralRules(Object.keys(bundle).length > 0 ? language : 'en');
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });

const signs = new Intl.NumberFormat(language).formatToParts(12345.6);
export const decimalSign = signs.find(({ type }) => type === 'decimal')?.value ?? '.';
export const groupSign = signs.find(({ type }) => type === 'group')?.value ?? ',';

function filled(text: string, parts: readonly Part[]): string {
  return text.replaceAll(/\{(\d+)\}/g, (place, index) => String(parts[Number(index)] ?? place));
}
