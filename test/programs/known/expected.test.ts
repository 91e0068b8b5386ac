/**
 * The answers are consistent with the programs and among themselves, before any recorder is measured with them: a
 * misspelt marker or a sum that does not add up would otherwise look like a fault of the recorder.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { known, markersOf } from './expected.js';

test('every program of the folder has answers', () => {
  const sources = readdirSync(__dirname).filter(name => name.endsWith('.c'));
  expect(known.map(program => program.source).sort()).toEqual(sources.sort());
});

describe.each(known)('$source: $shows', program => {
  const markers = markersOf(program);
  const sum = (rows: readonly { reads: number; writes: number }[]) => [
    rows.reduce((total, row) => total + row.reads, 0),
    rows.reduce((total, row) => total + row.writes, 0),
  ];

  test('every answer has its line, every marked line an answer', () => {
    const named = [...Object.keys(program.lines), ...program.objects.flatMap(object => object.block ?? [])];
    expect([...named].sort()).toEqual([...markers.keys()].sort());
  });

  test('lines, objects and totals add up', () => {
    const lines = sum(Object.values(program.lines));
    expect(sum(program.objects)).toEqual(lines);
    if (program.totals) expect([program.totals.reads, program.totals.writes]).toEqual(lines);
  });
});
