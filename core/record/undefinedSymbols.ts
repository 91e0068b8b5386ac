/**
 * A source file that does not link alone: which symbols are missing, and which files beside it seem to define them, so
 * that the user is told what to add.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

/** What GNU ld, gold and lld say; their messages are in English when LC_MESSAGES is, else nothing is found here. */
const UNDEFINED = /undefined (?:reference to|symbol:?)\s+[`'‘"“]?([^\n`'’"”]+)/g;

/** A folder with more files, or a larger file, is no hand-written program of a few sources. */
const MOST_FILES = 300;
const LARGEST_BYTES = 1 << 20;

/** Each once, sorted: linkers differ in their order. */
export function undefinedSymbols(messages: string): string[] {
  const names = [...messages.matchAll(UNDEFINED)].map(match => match[1]!.trim());
  return [...new Set(names)].sort();
}

/** Files beside `source` of its kind that have no main and define one of the symbols. */
export function definingSiblings(source: string, symbols: readonly string[]): string[] {
  const folder = path.dirname(source);
  const extension = path.extname(source);
  const names = readdirSync(folder).filter(name => path.extname(name) === extension && name !== path.basename(source));
  const wanted = symbols.map(definition);
  return names
    .sort()
    .slice(0, MOST_FILES)
    .map(name => path.join(folder, name))
    .filter(file => {
      const text = contentOf(file);
      return !definition('main').test(text) && wanted.some(pattern => pattern.test(text));
    });
}

function contentOf(file: string): string {
  try {
    return statSync(file).size > LARGEST_BYTES ? '' : readFileSync(file, 'utf8').replaceAll(COMMENT, '');
  } catch {
    // Unreadable or gone: it defines nothing.
    return '';
  }
}

const COMMENT = /\/\*[\s\S]*?\*\/|\/\/.*$/gm;

/**
 * A function with its body, or a variable, that begins in the first column, which nothing within a block does; not after
 * `extern`. C++ names arrive demangled: `geometry::area(int)` is looked for as `area`.
 */
function definition(symbol: string): RegExp {
  const name = symbol.replace(/\(.*$/, '').split('::').at(-1)!.replaceAll(/\W/g, '\\$&');
  return new RegExp(
    // Bounded, since a table of numbers is one long run of such characters.
    String.raw`^(?=\S)(?!extern|return|#)[\w\s*&:<>,]{0,200}?\b${name}\s*(?:\([^;{}]*\)[^;{}]*\{|(?:\[[^\]]*\]\s*)*[=;])`,
    'm',
  );
}
