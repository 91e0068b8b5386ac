/**
 * Who may import whom, as a table. A rule in a table stays true; prose does not.
 *
 * The import of a name is what counts, a type-only one included: `import type` is erased by the bundler, so only this
 * test keeps the editor and the DOM out of core.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(__dirname, '..');

/** Folder (or file) -> prefixes it may import besides its own folder. `node:*` and packages are written as such. */
const table: Readonly<Record<string, readonly string[]>> = {
  'core/model': [],
  'core/errors.ts': [],
  'core/assets.ts': ['node:'],
  'core/threads.ts': ['core/assets', 'node:'],
  'core/kernel': [],
  'core/trace': ['core/model', 'core/errors', 'core/kernel/abi', 'node:'],
  'core/symbols': ['core/model', 'core/trace/blocks', 'core/errors', 'core/kernel/abi', 'node:'],
  'core/record': [
    'core/model',
    'core/trace',
    'core/symbols',
    'core/machine/encoder',
    'core/errors',
    'core/assets',
    'core/kernel/abi',
    'node:',
  ],
  'core/apply': [
    'core/model',
    'core/record',
    'core/symbols',
    'core/trace/blocks',
    'core/errors',
    'core/assets',
    'node:',
  ],
  // Of the trace, the machine knows the types of its blocks, not its reader.
  // What a parameter is, it shares with the trackers.
  'core/machine': [
    'core/model',
    'core/trace/blocks',
    'core/tracking/parameters',
    'core/kernel/abi',
    'core/assets',
    'core/errors',
    'node:',
  ],
  'core/tracking': ['core/model', 'core/machine', 'core/kernel/abi', 'core/hotness', 'core/errors'],
  'core/hotness': ['core/model', 'core/errors'],
  'core/placement': ['core/model', 'core/errors', 'core/machine', 'node:'],
  'core/attribution': ['core/model', 'core/trace/blocks', 'core/hotness', 'core/kernel/abi', 'core/errors'],
  'core/merging': ['core/model', 'core/hotness', 'core/errors', 'core/attribution/attribute', 'node:'],
  'core/profile': ['core/model', 'core/hotness', 'core/errors', 'core/assets', 'node:'],
  'core/protocol.ts': ['core/model'],
  extension: ['core/protocol', 'core/model', 'vscode', 'vscode-languageclient', 'node:'],
  webview: ['core/protocol', 'core/model', '@vscode/webview-ui-toolkit'],
};

/** In core, only these may reach everything: the entries with their subcommands and views, and the pipeline. */
const everything = /^core\/(cli|server|worker|replay|session|options)\.ts$|^core\/(cli|server|replay)\//;

function filesIn(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => path.relative(root, path.join(entry.parentPath, entry.name)));
}

/** `import a, { b } from 'm'`, `export * from 'm'`, `import 'm'` and `import('m')`; not the word within a text. */
const IMPORT = new RegExp(
  [
    String.raw`^\s*import\s(?:type\s)?[\w$*{}\s,]+?\sfrom\s*['"]([^'"]+)['"]`,
    String.raw`^\s*export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from\s*['"]([^'"]+)['"]`,
    String.raw`^\s*import\s*['"]([^'"]+)['"]`,
    String.raw`\bimport\s*\(\s*['"]([^'"]+)['"]\s*\)`,
  ].join('|'),
  'gm',
);

/** Every module named by an import, an export-from or a dynamic import, resolved to a path from the root. */
function importsOf(file: string): string[] {
  return importedNames(readFileSync(path.join(root, file), 'utf8')).map(name =>
    name.startsWith('.') ? path.relative(root, path.resolve(root, path.dirname(file), name)) : name,
  );
}

function importedNames(source: string): string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return [...code.matchAll(IMPORT)].map(match => match.slice(1).find(name => name !== undefined)!);
}

function ruleFor(file: string): readonly [string, readonly string[]] | undefined {
  return Object.entries(table).find(([folder]) => file === folder || file.startsWith(`${folder}/`));
}

describe('imports', () => {
  test('every form of an import is found, and no text that holds the word', () => {
    const source = [
      "import 'a';",
      "import b from 'b';",
      "import type { C } from 'c';",
      "import d, {\n  type D,\n  E as F,\n} from 'd';",
      "import * as e from 'e';",
      "export * from 'f';",
      "export type { G } from 'g';",
      "const later = await import('h');",
      "type Recorder = 'qemu' | 'import';\ninterface I { level: 'source' }",
      "line(from, 'x'); track.from('y');",
      "// import 'commented';",
      "/* import 'out'; */",
    ].join('\n');
    expect(importedNames(source).toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
  });

  const files = [...filesIn('core'), ...filesIn('extension'), ...filesIn('webview')];

  test.each(files.filter(file => !everything.test(file)))('%s imports only what the table allows', file => {
    const rule = ruleFor(file);
    expect(rule, `${file} is in no row of the table`).toBeDefined();
    const [folder, allowed] = rule!;
    const wrong = importsOf(file).filter(
      name =>
        name !== folder &&
        !name.startsWith(`${folder}/`) &&
        !allowed.some(prefix => name === prefix || name.startsWith(prefix)),
    );
    expect(wrong).toEqual([]);
  });

  test('core knows neither the editor nor a DOM', () => {
    const wrong = files
      .filter(file => file.startsWith('core/'))
      .flatMap(file => importsOf(file).filter(name => name === 'vscode'));
    expect(wrong).toEqual([]);
    const config = JSON.parse(readFileSync(path.join(root, 'core/tsconfig.json'), 'utf8'));
    expect(config.compilerOptions.lib).toEqual(['es2023']);
    expect(config.compilerOptions.types).toEqual(['node']);
  });

  test('the deprecated UI toolkit is imported by one file, so that a successor is a one-file change', () => {
    const users = files.filter(file => importsOf(file).some(name => name.startsWith('@vscode/webview-ui-toolkit')));
    expect(users).toEqual(['webview/toolkit.ts']);
  });
});
