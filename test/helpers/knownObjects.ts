/** Compares a report's objects with the answers of a known program. */
import { expect } from 'vitest';
import type { Report } from '../../core/profile/report.js';
import { type Known, markersOf, sourceOf } from '../programs/known/expected.js';

/** All heap blocks and globals whose counts are worked out. */
export function expectObjects(found: Report, program: Known): void {
  const markers = markersOf(program);
  const expected = program.objects.filter(({ kind, atLeast }) => (kind === 'heap' || kind === 'global') && !atLeast);
  expect(expected.length).toBeGreaterThan(0);
  for (const { kind, block, name, reads, writes, pages, bytes, blocks } of expected) {
    const row = found.objects.find(
      row =>
        row.kind === kind &&
        (block ? row.file === sourceOf(program) && row.line === markers.get(block) : name!.test(row.name)),
    );
    expect(row, block ?? `${name}`).toMatchObject({ reads, writes });
    if (typeof pages === 'number') expect(row!.pages).toBe(pages);
    if (bytes !== undefined) expect(row!.bytes).toBe(bytes);
    if (blocks !== undefined) expect(row!.blocks).toBe(blocks);
  }
}
