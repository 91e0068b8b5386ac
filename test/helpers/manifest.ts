/** The extension's manifest, as written and as users read it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../..');
const read = (name: string) => JSON.parse(readFileSync(path.join(root, name), 'utf8'));

export const manifest = read('package.json');

/** Texts of `package.nls.json` by key. */
export const texts: Readonly<Record<string, string>> = read('package.nls.json');

/** The manifest with `%key%` replaced by the text, as VS Code does it. */
export const localized = JSON.parse(JSON.stringify(manifest), (_, value) =>
  typeof value === 'string' && /^%[^%]+%$/.test(value) ? (texts[value.slice(1, -1)] ?? value) : value,
);
