/**
 * The regions of DAMON (mechanisms.md, J; Linux mm/damon): how they begin, merge, split and follow the mappings. Pure, in
 * units of pages; the smallest region is one page.
 */
import type { PageRange } from './pageRanges.js';

export interface Region {
  start: number;
  /** Behind its last page. */
  end: number;
  /** Checks of the running aggregation that found the sampled page accessed. */
  accesses: number;
  /** The same of the aggregation before. */
  lastAccesses: number;
  /** Aggregations through which `accesses` hardly changed. */
  age: number;
}

/** One range for each part of the address space between its two largest gaps, so that at most three. */
export function threeRanges(mapped: readonly PageRange[]): PageRange[] {
  const gaps = mapped
    .slice(1)
    .map((range, i) => ({ behind: i, pages: range.start - mapped[i].end }))
    .sort((a, b) => b.pages - a.pages || a.behind - b.behind)
    .slice(0, 2)
    .sort((a, b) => a.behind - b.behind);
  const firsts = [0, ...gaps.map(({ behind }) => behind + 1), mapped.length];
  return firsts
    .slice(1)
    .map((next, i) => mapped.slice(firsts[i], next))
    .filter(part => part.length > 0)
    .map(part => ({ start: part[0].start, end: part[part.length - 1].end }));
}

/** The ranges in pieces of about their sum over `least`. */
export function initialRegions(ranges: readonly PageRange[], least: number): Region[] {
  const piece = Math.max(1, Math.floor(pagesOf(ranges) / least));
  return ranges.flatMap(({ start, end }) => {
    const pieces = Math.max(1, Math.floor((end - start) / piece));
    const pages = Math.floor((end - start) / pieces);
    return Array.from({ length: pieces }, (_, i) =>
      newRegion(start + i * pages, i === pieces - 1 ? end : start + (i + 1) * pages),
    );
  });
}

/** The regions cut and stretched to new ranges; what is in none goes, and uncovered parts become new ones. */
export function fitRegions(regions: readonly Region[], ranges: readonly PageRange[]): Region[] {
  return ranges.flatMap(({ start, end }) => {
    const inside = regions.filter(region => region.start < end && region.end > start);
    if (inside.length === 0) return [newRegion(start, end)];
    inside[0].start = start;
    inside[inside.length - 1].end = end;
    return inside.flatMap((region, i) =>
      i > 0 && inside[i - 1].end < region.start ? [newRegion(inside[i - 1].end, region.start), region] : [region],
    );
  });
}

/**
 * Ends an aggregation: ages the regions, then joins neighbours whose counts differ by at most `threshold` while the whole
 * has at most `largest` pages. The whole has the mean count and age, weighted by size and rounded down.
 */
export function mergeRegions(regions: readonly Region[], threshold: number, largest: number): Region[] {
  const merged: Region[] = [];
  for (const region of regions) {
    if (Math.abs(region.accesses - region.lastAccesses) > threshold) region.age = 0;
    else region.age++;
    const before = merged[merged.length - 1];
    if (
      before &&
      before.end === region.start &&
      Math.abs(before.accesses - region.accesses) <= threshold &&
      region.end - before.start <= largest
    )
      join(before, region);
    else merged.push(region);
  }
  return merged;
}

function join(left: Region, right: Region): void {
  const leftPages = left.end - left.start;
  const rightPages = right.end - right.start;
  const mean = (l: number, r: number) => Math.floor((l * leftPages + r * rightPages) / (leftPages + rightPages));
  left.accesses = mean(left.accesses, right.accesses);
  left.age = mean(left.age, right.age);
  left.end = right.end;
}

/** Splits each region at a random tenth, 10 to 90 %, and for `parts` = 3 its first part once more. */
export function splitRegions(regions: readonly Region[], parts: 2 | 3, random: (n: number) => number): Region[] {
  return regions.flatMap(region => {
    const rest: Region[] = [];
    for (let part = 1; part < parts && region.end - region.start > 2; part++) {
      const pages = Math.floor(((1 + random(9)) * (region.end - region.start)) / 10);
      if (pages === 0) continue;
      rest.unshift({ ...region, start: region.start + pages });
      region.end = region.start + pages;
    }
    return [region, ...rest];
  });
}

export function pagesOf(ranges: readonly PageRange[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}

function newRegion(start: number, end: number): Region {
  return { start, end, accesses: 0, lastAccesses: 0, age: 0 };
}
