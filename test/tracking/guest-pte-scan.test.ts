/** The scan of guest page tables, on generated runs beside sets of pages, and by hand. */
import { describe, expect, test } from 'vitest';
import { MAPPING_UNMAP } from '../../core/kernel/abi.js';
import { costs, Driven, readings } from './driven.js';
import { PAGE, periods, phases, replay, row } from './runs.js';

const id = 'guest-pte-scan';

test('reports in how many periods each page was accessed but clean, and dirty, without an exit', () => {
  const run = phases(250_000);
  const outcome = replay([id], run, { parameters: { [`${id}.periodSeconds`]: 1 } });
  const parts = periods(run, outcome.times);
  // For each period, its pages with whether they were written.
  const pages = parts.map(part => {
    const written = new Map<number, boolean>();
    for (const { address, write } of part) {
      const at = address - (address % PAGE);
      written.set(at, write || (written.get(at) ?? false));
    }
    return written;
  });
  const inPeriods = (wanted: boolean) =>
    outcome.addresses.map(at => pages.filter(written => written.get(at) === wanted).length);
  const seen = row(outcome, id);
  expect(parts.length).toBeGreaterThan(5);
  expect(Array.from(seen.pageWrites!)).toEqual(inPeriods(true));
  expect(Array.from(seen.pageReads!)).toEqual(inPeriods(false));
  expect(seen).toMatchObject({ vmExits: 0, periods: parts.length - 1 });
});

describe('by hand', () => {
  test('a scan reads the pages that are present, and costs a flush', () => {
    const scan = new Driven(id);
    for (const page of [0, 1, 2]) scan.touch(page);
    scan.at(30);
    scan.touch(1, { write: true });
    scan.touch(1);
    scan.at(60);
    const seen = scan.finish();
    expect(readings(seen.pageReads)).toEqual({ 0: 1, 1: 1, 2: 1 });
    expect(readings(seen.pageWrites)).toEqual({ 1: 1 });
    // Two scans and the one at the end, each of three pages; one page was used again behind a flush.
    expect(seen.own).toEqual({ scans: 3, scannedPages: 9, flushes: 2 });
    // Three pages, a bit each for reads and for writes, in words of 8 bytes.
    expect(seen.memoryBytes).toBe(16);
    expect(seen.costNs).toBeCloseTo(9 * costs.scanNsPerPage + 2 * costs.shootdownNs + costs.refillCycles / 4, 6);
    expect(seen.warnings[0]).toMatch(/^too short: 2 periods of 30 s/);
  });

  test('flags of what was unmapped before the scan are lost; what comes there again is seen', () => {
    const scan = new Driven(id);
    for (const page of [0, 1, 2]) scan.touch(page);
    scan.map(MAPPING_UNMAP, 1, 2);
    scan.touch(2, { write: true });
    scan.at(30);
    const seen = scan.finish();
    expect(readings(seen.pageReads)).toEqual({ 0: 1 });
    expect(readings(seen.pageWrites)).toEqual({ 2: 1 });
  });

  test('without a flush it sees only pages that were walked to, and no writes', () => {
    const scan = new Driven(id, { parameters: { flush: 0 } });
    for (const page of [0, 1]) scan.touch(page, { write: true });
    scan.at(30);
    scan.touch(0, { walk: false });
    scan.touch(1, { write: true });
    scan.at(60);
    const seen = scan.finish();
    expect(readings(seen.pageReads)).toEqual({ 0: 1, 1: 2 });
    expect(seen.pageWrites).toBeNull();
    expect(seen.own.flushes).toBe(0);
  });
});
