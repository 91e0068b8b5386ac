/**
 * The texts that the extension shows, as VS Code's l10n wants them: `bundle.l10n.json`, from which translations are made
 * (`bundle.l10n.de.json`, ...). The build writes it, so that it is never behind the code.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const bundle = path.join(here, 'bundle.l10n.json');

/** A call, and its text when that is a literal without anything put in: what can be found without running the code. */
const calls = /\bl10n\.t\(\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")?/g;

/** Texts of one source file; a text that is put together at run time could not be translated, so it is refused. */
export function textsOf(source, name) {
  return [...source.matchAll(calls)].map(({ 1: single, 2: double, index }) => {
    const text = single ?? double;
    if (text === undefined) {
      const line = source.slice(0, index).split('\n').length;
      throw new Error(`${name}:${line}: l10n.t needs a text in quotes as its first argument`);
    }
    return text.replaceAll(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character));
  });
}

/** The bundle of all sources in `folder`, sorted, so that it does not change with the order of the code. */
export async function collect(folder = path.join(here, '../extension')) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
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
