import { describe, expect, test } from 'vitest';
import { bytes, compact, nanoseconds, pages, percent, readWriteSplit, whole } from '../../core/model/format.js';
import { endOfLineText } from '../../core/server/annotations.js';
import { seenBy } from '../../core/server/seen.js';
import { sparkline } from '../../core/server/sparkline.js';

describe('numbers in the source', () => {
  test.each([
    [0, '0'],
    [7, '7'],
    [999, '999'],
    [1000, '1.0 k'],
    [9949, '9.9 k'],
    [9950, '10 k'],
    [999_499, '999 k'],
    [999_500, '1.0 M'],
    [1_234_567_890, '1.2 G'],
    [140e6, '140 M'],
  ])('%d accesses read %s, in at most three digits', (value, text) => expect(compact(value)).toBe(text));

  test.each([
    [0, '0 %'],
    [0.0009, '< 0.1 %'],
    [0.001, '0.1 %'],
    [0.038, '3.8 %'],
    [0.0995, '10 %'],
    [0.38, '38 %'],
    [0.994, '99 %'],
    [0.999, '> 99 %'],
    [1, '100 %'],
  ])('a share of %d reads %s', (share, text) => expect(percent(share)).toBe(text));

  test('a split into reads and writes always adds up to 100', () => {
    expect(readWriteSplit(71, 29)).toBe('71 % read, 29 % write');
    expect(readWriteSplit(1, 1)).toBe('50 % read, 50 % write');
    expect(readWriteSplit(5, 0)).toBe('100 % read, 0 % write');
    expect(readWriteSplit(999, 1)).toBe('> 99 % read, < 1 % write');
    expect(readWriteSplit(1, 999)).toBe('< 1 % read, > 99 % write');
    expect(readWriteSplit(2, 1)).toBe('67 % read, 33 % write');
    expect(readWriteSplit(0, 0)).toBe('0 % read, 0 % write');
  });

  test('pages have their size beside them: 2,104 x 4,096 B = 8.2 MiB', () => {
    expect(pages(2104, 4096)).toBe('2,104 pages (8.2 MiB)');
    expect(pages(1, 2 ** 21)).toBe('1 page (2 MiB)');
    expect(whole(1234567)).toBe('1,234,567');
    expect(whole(123)).toBe('123');
    expect(bytes(512)).toBe('512 B');
    expect(bytes(1536)).toBe('1.5 KiB');
    expect(bytes(2 ** 30)).toBe('1 GiB');
    expect(bytes(2 ** 20 - 1)).toBe('1 MiB');
  });

  test('modelled time has the unit that leaves two digits', () => {
    expect(nanoseconds(12)).toBe('12 ns');
    expect(nanoseconds(5600)).toBe('5.6 µs');
    expect(nanoseconds(34.4e6)).toBe('34 ms');
    expect(nanoseconds(1.24e9)).toBe('1.2 s');
  });

  test('the end of a line names what there is and nothing else', () => {
    expect(endOfLineText(1.2e9, 0, 0.38)).toBe('1.2 G reads · 38 %');
    expect(endOfLineText(0, 1, 0.0001)).toBe('1 write · < 0.1 %');
    expect(endOfLineText(5000, 40, 0.5)).toBe('5.0 k reads, 40 writes · 50 %');
    expect(endOfLineText(3, 9, 0.5, seenBy('pml'))).toBe('50 % of PML readings, 25 % read, 75 % write');
  });
});

describe('sparkline', () => {
  test('the greatest value is a full block, zero the lowest, and a little differs from nothing', () => {
    expect(sparkline([0, 1, 500, 1000])).toBe('▁▂▅█');
  });
  test('more values than characters are averaged in groups, so an even load stays even', () => {
    expect(sparkline(new Array(100).fill(3), 7)).toBe('███████');
    expect(sparkline([0, 0, 4, 4], 2)).toBe('▁█');
  });
  test('nothing to show is no text', () => {
    expect(sparkline([])).toBe('');
    expect(sparkline([0, 0])).toBe('');
  });
});
