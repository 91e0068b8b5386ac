/**
 * The texts that the extension, its dashboard and core show, as VS Code's l10n wants them: `bundle.l10n.json`, from which
 * translations are made (`bundle.l10n.de.json`, ...). The build writes it, so that it is never behind the code.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const bundle = path.join(here, 'bundle.l10n.json');

/** A call, and its text when that is a literal without anything put in: what can be found without running the code. */
const calls = /\bl10n\.(t|kept|plural)\(\s*/g;
/** Sentences in tables of core, which are shown as those of a file are. */
const properties = /^\s+(?:needs|warning):(?=\s*['"])/gm;
const literal = /\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")\s*(?=[,)])/y;
const brackets = { '(': 1, '[': 1, '{': 1, ')': -1, ']': -1, '}': -1 };

/** Texts of one source file; a text that is put together at run time could not be translated, so it is refused. */
export function textsOf(source, name) {
  const told = [...source.matchAll(calls)].flatMap(({ 0: call, 1: kind, index }) => {
    const at = index + call.length;
    // `plural` has the count before its two texts.
    const found = kind === 'plural' ? literals(source, afterArgument(source, at), 2) : literals(source, at, 1);
    if (found) return found;
    const line = source.slice(0, index).split('\n').length;
    throw new Error(`${name}:${line}: l10n.${kind} needs its text in quotes`);
  });
  const listed = [...source.matchAll(properties)].flatMap(
    ({ 0: property, index }) => literals(source, index + property.length, 1) ?? [],
  );
  return [...told, ...listed];
}

/** So many texts in quotes from a place on, with commas between them; null when something else stands there. */
function literals(source, from, count) {
  const texts = [];
  for (let at = from; texts.length < count; at = literal.lastIndex + 1) {
    literal.lastIndex = at;
    const match = literal.exec(source);
    if (!match) return null;
    texts.push(unescaped(match[1] ?? match[2]));
  }
  return texts;
}

function unescaped(text) {
  return text.replaceAll(/\\(?:u([0-9a-f]{4})|(.))/gi, (_, code, character) => {
    if (code) return String.fromCharCode(Number.parseInt(code, 16));
    return character === 'n' ? '\n' : character;
  });
}

/** Behind the comma that ends the argument which begins here. A count holds no text with brackets or commas. */
function afterArgument(source, from) {
  let depth = 0;
  for (let at = from; at < source.length; at++) {
    if (depth === 0 && source[at] === ',') return at + 1;
    depth += brackets[source[at]] ?? 0;
  }
  return source.length;
}

/** Whose texts the editor translates: the extension, and the page and core, which it gives its bundle to. */
const sources = ['extension', 'webview', 'core'].map(folder => path.join(here, '..', folder));

/** The bundle of all sources in `folders`, sorted, so that it does not change with the order of the code. */
export async function collect(folders = sources) {
  const listed = folders.map(folder => readdir(folder, { recursive: true, withFileTypes: true }));
  const entries = (await Promise.all(listed)).flat();
  const files = entries.filter(entry => entry.isFile() && entry.name.endsWith('.ts'));
  const texts = await Promise.all(
    files.map(async ({ parentPath, name }) => textsOf(await readFile(path.join(parentPath, name), 'utf8'), name)),
  );
  return Object.fromEntries([...new Set(texts.flat())].sort().map(text => [text, text]));
}

/** Writes the bundle when it changed. */
export async function writeBundle() {
  const text = `${JSON.stringify(await collect(), null, 2)}\n`;
  if (text !== (await readFile(bundle, 'utf8').catch(() => ''))) await writeFile(bundle, text);
}
