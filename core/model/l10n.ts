/**
 * Texts in the language of whoever reads them. An editor hands over its translations once (`speak`), in each thread and in
 * the dashboard's page; until then, and so on the command line, everything is English. A text without a translation stays
 * English, too.
 *
 * Reports, traces and profiles are the same bytes everywhere, so what they keep is English (`kept`), and is translated
 * where it is shown (`shown`), by the pattern that it was made of.
 *
 * `l10n/collect.mjs` finds the texts by the names of these functions; each must get them in quotes.
 */

/** Translations as VS Code's l10n has them: by the English text, with `{0}`, `{1}`, ... for parts. */
export type Bundle = Readonly<Record<string, string>>;

type Part = string | number;

let language = 'en';
let bundle: Bundle = {};
/** Made with the first need: the rules of languages take tens of milliseconds to load, which English can do without. */
let rules: Rules | null = null;
let patterns: readonly Pattern[] | null = null;

interface Rules {
  readonly forms: Intl.PluralRules;
  readonly whole: Intl.NumberFormat;
  readonly decimalSign: string;
  readonly groupSign: string;
}

/**
 * @param code of the editor's language, as BCP 47 writes it
 * @param bundle translations into it; none: texts are English, with the numbers of the language
 */
export function speak(code: string, translations: Bundle): void {
  language = code;
  bundle = translations;
  rules = null;
  patterns = null;
}

const isEnglish = (): boolean => language === 'en';

function rulesOf(): Rules {
  if (rules) return rules;
  const signs = new Intl.NumberFormat(language).formatToParts(12345.6);
  const sign = (type: string, otherwise: string) => signs.find(part => part.type === type)?.value ?? otherwise;
  rules = {
    // Without translations the texts are English, and so are their forms.
    forms: new Intl.PluralRules(Object.keys(bundle).length > 0 ? language : 'en'),
    whole: new Intl.NumberFormat(language, { maximumFractionDigits: 0 }),
    decimalSign: sign('decimal', '.'),
    groupSign: sign('group', ','),
  };
  return rules;
}

/** The text with `{0}`, `{1}`, ... replaced by the parts. */
export function t(text: string, ...parts: readonly Part[]): string {
  return filled(bundle[text] ?? text, parts);
}

/**
 * The text for so many, which is `{0}` in it. A language that has more forms than English gives them in its bundle as
 * `OTHER#few`, `OTHER#many`, ..., by the names of CLDR's plural rules, OTHER being the text for many.
 */
export function plural(count: number, one: string, other: string, ...parts: readonly Part[]): string {
  const form = isEnglish() ? (count === 1 ? 'one' : 'other') : rulesOf().forms.select(count);
  const english = form === 'one' ? one : other;
  return filled(bundle[`${other}#${form}`] ?? bundle[english] ?? english, [number(count), ...parts]);
}

/** A whole number with the separators of the language. */
export function number(value: number): string {
  if (!isEnglish()) return rulesOf().whole.format(value);
  return Math.round(value)
    .toString()
    .replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** A number as English writes it, with the language's own signs. */
export function local(text: string): string {
  if (isEnglish()) return text;
  const { decimalSign, groupSign } = rulesOf();
  return text.replaceAll(/[.,]/g, sign => (sign === '.' ? decimalSign : groupSign));
}

/** A sentence for a file: English, whatever is spoken. */
export function kept(text: string, ...parts: readonly Part[]): string {
  return filled(text, parts);
}

/** A sentence that was `kept`, in the language that is spoken; as it is where it was made of no pattern that is known. */
export function shown(sentence: string): string {
  const exactly = bundle[sentence];
  if (exactly !== undefined) return exactly;
  patterns ??= patternsOf();
  for (const { form, order, translation } of patterns) {
    const found = form.exec(sentence);
    if (!found) continue;
    const parts: string[] = [];
    for (const [i, place] of order.entries()) parts[place] = shown(found[i + 1] ?? '');
    return filled(translation, parts);
  }
  return sentence;
}

function filled(text: string, parts: readonly Part[]): string {
  return text.replaceAll(/\{(\d+)\}/g, (place, index) => String(parts[Number(index)] ?? place));
}

interface Pattern {
  readonly form: RegExp;
  /** Which part each group of the form is. */
  readonly order: readonly number[];
  readonly translation: string;
}

/** Fewer letters beside the places could be anybody's sentence. */
const leastLetters = 7;

/** Texts with places for parts: those that begin with words of their own first, then those that say most. */
function patternsOf(): readonly Pattern[] {
  const begins = (text: string) => (text.startsWith('{') ? 1 : 0);
  const own = (text: string) => text.replaceAll(/\{\d+\}/g, '');
  return Object.entries(bundle)
    .filter(([text]) => /\{\d+\}/.test(text) && own(text).replaceAll(/[^a-z]/gi, '').length >= leastLetters)
    .sort(([a], [b]) => begins(a) - begins(b) || own(b).length - own(a).length || (a < b ? -1 : 1))
    .map(([text, translation]) => ({
      form: new RegExp(
        `^${text
          .split(/\{\d+\}/)
          .map(escaped)
          .join('(.+?)')}$`,
        's',
      ),
      order: [...text.matchAll(/\{(\d+)\}/g)].map(match => Number(match[1])),
      translation,
    }));
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
