/** The parts of the extension that need no editor. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { launcherScript } from '../../core/model/shell.js';
import { Columns, widthOf } from '../../extension/annotations/columns.js';
import {
  type BarLevel,
  barLevel,
  barLevels,
  gutterIcon,
  type MarkKind,
  markKinds,
} from '../../extension/annotations/icons.js';
import { hasMain, isSourceFile } from '../../extension/program/sourceFile.js';
import { onLines } from '../../extension/program/terminalLink.js';
import { dashboardHtml } from '../../extension/views/dashboardHtml.js';

describe('end-of-line texts', () => {
  const marked = (...lines: [line: number, width: number][]) =>
    lines.map(([line, width]) => ({ built: line, line, width }));
  const at = (...lines: [line: number, width: number][]) => new Columns().spaces(marked(...lines));

  test('of neighbours begin in one column, three characters behind the longest line', () => {
    expect(at([1, 10], [2, 4], [3, 12])).toEqual([5, 11, 3]);
  });
  test('a line beyond column 80 does not push the others away', () => {
    expect(at([1, 10], [2, 140], [3, 20])).toEqual([13, 3, 3]);
    expect(at()).toEqual([]);
  });
  test('lines far apart do not wait for each other', () => {
    expect(at([1, 10], [5, 30], [11, 12], [12, 14])).toEqual([23, 3, 5, 3]);
  });
  test('a tab reaches to the next stop', () => {
    expect(widthOf('\tx', 4)).toBe(5);
    expect(widthOf('ab\tx', 4)).toBe(5);
    expect(widthOf('abcd\tx', 4)).toBe(9);
  });

  test('stay where they are while somebody types: a line that outgrows its column pushes its own text only', () => {
    const columns = new Columns();
    expect(columns.spaces(marked([1, 10], [2, 20]))).toEqual([13, 3]);
    expect(columns.spaces(marked([1, 15], [2, 20]))).toEqual([8, 3]);
    expect(columns.spaces(marked([1, 15], [2, 40]))).toEqual([8, 3]);
    expect(columns.spaces(marked([1, 15], [2, 12]))).toEqual([8, 11]);
  });

  test('of lines that were pushed down keep their column, and one that comes back joins it', () => {
    const columns = new Columns();
    columns.spaces(marked([1, 10], [2, 20], [3, 5]));
    const moved = [
      { built: 1, line: 2, width: 10 },
      { built: 2, line: 30, width: 20 },
    ];
    expect(columns.spaces(moved)).toEqual([13, 3]);
    expect(columns.spaces([...moved, { built: 7, line: 31, width: 5 }])).toEqual([13, 3, 18]);
  });
});

describe('gutter icons', () => {
  const drawn = (kind: MarkKind, level: BarLevel) =>
    Buffer.from(gutterIcon(kind, level, 'dark').split(',')[1]!, 'base64').toString();

  test('classes differ in shape, not only in colour', () => {
    const shapes = markKinds.map(kind => drawn(kind, 2).replaceAll(/#[0-9a-f]{6}/g, ''));
    expect(new Set(shapes).size).toBe(4);
  });

  test('the height is the share, on the scale that the legend states', () => {
    expect([0, 0.0099, 0.01, 0.03, 0.099, 0.1, 0.3, 1].map(barLevel)).toEqual([0, 0, 1, 2, 2, 3, 4, 4]);
    const heights = barLevels.map(level => Number(/height="([\d.]+)" fill/.exec(drawn('hot', level))?.[1]));
    expect(heights).toEqual([3, 6, 9, 12, 15]);
  });
});

test('the page loads nothing but its own script by nonce, its styles and its font', () => {
  const html = dashboardHtml({
    bundle: { Heat: '</script><b>' },
    cspSource: 'https://own',
    script: 'https://own/a.js',
    style: 'https://own/a.css',
    codicons: 'https://own/c.css',
    nonce: 'abc123',
    language: 'en',
  });
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1];
  expect(policy?.split('; ')).toEqual([
    "default-src 'none'",
    "script-src 'nonce-abc123'",
    'style-src https://own',
    'font-src https://own',
    'img-src https://own data: blob:',
  ]);
  expect(html).not.toMatch(/unsafe|<style|style=|onload|http:/);
  // The other holds data, which the policy does not let run; a translation cannot end it.
  expect(html.match(/<script[^>]*>/g)).toEqual([
    '<script type="application/json" id="l10n-bundle">',
    '<script nonce="abc123" src="https://own/a.js">',
  ]);
  expect(JSON.parse(/id="l10n-bundle">(.*?)<\/script>/s.exec(html)![1]!)).toEqual({ Heat: '</script><b>' });
});

test('the launcher passes arguments on untouched, whatever is in the paths', () => {
  const folder = mkdtempSync(path.join(tmpdir(), "page lens' "));
  const cli = path.join(folder, 'cli.cjs');
  writeFileSync(cli, 'console.log(JSON.stringify([process.env.ELECTRON_RUN_AS_NODE, ...process.argv.slice(2)]))');
  const script = path.join(folder, 'pagelens');
  writeFileSync(script, launcherScript(process.execPath, cli));
  chmodSync(script, 0o755);
  const output = execFileSync(script, ['profile', "it's", 'a b', '$HOME', '*'], { encoding: 'utf8' });
  expect(JSON.parse(output)).toEqual(['1', 'profile', "it's", 'a b', '$HOME', '*']);
});

describe('source files', () => {
  test.each(['a.c', 'a.CPP', 'x/b.cc', 'c.cxx', 'd.f90'])('%s can be built', file =>
    expect(isSourceFile(file)).toBe(true),
  );
  test.each(['a.h', 'a.rs', 'ac', 'a.c.txt'])('%s cannot', file => expect(isSourceFile(file)).toBe(false));

  test('a file with main starts a program, one that only talks of it does not', () => {
    expect(hasMain('int main(void) {')).toBe(true);
    expect(hasMain('int\nmain (int argc, char **argv)')).toBe(true);
    expect(hasMain('program heat\n  implicit none')).toBe(true);
    expect(hasMain('// int main(void)\nint domain(int x);')).toBe(false);
    expect(hasMain('/* main() */ int f(void);')).toBe(false);
  });
});

test('messages of the terminal arrive whole, however the stream was cut', () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  onLines(stream, line => lines.push(line));
  for (const piece of ['{"a"', ':1}\n{"b":', '2}\n{"c":3}\n{"d"']) stream.write(piece);
  expect(lines).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
});
