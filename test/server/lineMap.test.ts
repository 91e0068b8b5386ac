import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { LineMap, matchLines } from '../../core/server/lineMap.js';

const text = 'int f() {\n  int a;\n  a = 1;\n  return a;\n}';

/** Lines now, 1-based, of the five built lines; 0 is gone; `*` after an edited one. */
function check(map: LineMap, expected: string): void {
  const seen = [0, 1, 2, 3, 4].map(line => `${map.lineNow(line) + 1}${map.edited(line) ? '*' : ''}`);
  expect(seen.join(' ')).toBe(expected);
}

describe('marks move with edits', () => {
  test('nothing moves at first', () => check(new LineMap(text), '1 2 3 4 5'));

  test('a line typed above pushes everything down', () => {
    const map = new LineMap(text);
    map.replace(0, 0, 0, 0, '// note\n');
    check(map, '2 3 4 5 6');
  });

  test('Enter at the end of a line keeps the mark on the line', () => {
    const map = new LineMap(text);
    map.replace(1, 8, 1, 8, '\n  ');
    check(map, '1 2 4 5 6');
  });

  test('Enter at the start of a line takes the mark along', () => {
    const map = new LineMap(text);
    map.replace(2, 0, 2, 0, '\n');
    check(map, '1 2 4 5 6');
  });

  test('typing in a line marks that line as edited, and typing it back takes the mark away', () => {
    const map = new LineMap(text);
    map.replace(2, 6, 2, 7, '2');
    check(map, '1 2 3* 4 5');
    map.replace(2, 6, 2, 7, '1');
    check(map, '1 2 3 4 5');
  });

  test('indenting is no edit', () => {
    const map = new LineMap(text);
    map.replace(2, 0, 2, 0, '    ');
    check(map, '1 2 3 4 5');
  });

  test('a deleted line is gone and those below move up', () => {
    const map = new LineMap(text);
    map.replace(1, 0, 2, 0, '');
    check(map, '1 0 2 3 4');
  });

  test('a block replaced by a formatter is matched line by line', () => {
    const map = new LineMap(text);
    map.replace(0, 0, 4, 1, 'int f()\n{\n\tint a;\n\ta = 1;\n\treturn a;\n}');
    check(map, '1* 3 4 5 6');
  });

  test('a line replaced by an unlike one is gone, not edited', () => {
    const map = new LineMap(text);
    map.replace(2, 0, 2, 8, 'puts("hello, world");');
    check(map, '1 2 0 4 5');
  });

  test('the whole document sent anew is matched as well', () => {
    const map = new LineMap(text);
    map.replaceAll(`#include <x.h>\r\n${text.replaceAll('\n', '\r\n')}\r\n`);
    check(map, '2 3 4 5 6');
  });
});

test('two lines are matched only when they read the same or alike, in ascending order (generated)', () => {
  const line = fc.constantFrom('', '}', 'a = b;', 'a = c;', 'return x;', 'for (;;) {');
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.array(line, { maxLength: 8 }), (old, lines) => {
      const match = [...matchLines(old, lines)].filter(at => at >= 0);
      expect(match.toSorted((a, b) => a - b)).toEqual(match);
      expect(new Set(match).size).toBe(match.length);
      if (JSON.stringify(old) === JSON.stringify(lines)) expect(match.length).toBe(old.length);
    }),
  );
});

test('after any edits, an unedited mark is on a line that reads as it was built (generated)', () => {
  const point = fc.tuple(fc.nat(12), fc.nat(12));
  const piece = fc.constantFrom('', '\n', 'x', '  ', 'a = 1;\n', '\r\n}', 'int a;');
  fc.assert(
    fc.property(fc.array(fc.tuple(point, point, piece), { maxLength: 10 }), edits => {
      const built = text.split('\n');
      const map = new LineMap(text);
      let document = TextDocument.create('file:///a.c', 'c', 0, text);
      for (const [a, b, inserted] of edits) {
        const [first, second] = [a, b]
          .map(([line, character]) => document.positionAt(document.offsetAt({ line, character })))
          .toSorted((p, q) => p.line - q.line || p.character - q.character);
        map.replace(first.line, first.character, second.line, second.character, inserted);
        document = TextDocument.update(document, [{ range: { start: first, end: second }, text: inserted }], 1);
      }
      const now = document.getText().split(/\r\n|\n|\r/);
      for (let line = 0; line < built.length; line++) {
        const at = map.lineNow(line);
        if (at < 0) continue;
        expect(at).toBeLessThan(now.length);
        if (!map.edited(line)) expect(now[at].trim()).toBe(built[line].trim());
      }
    }),
    { numRuns: 300 },
  );
});
