/**
 * Conservation (design, section 3.1): every table of a profile counts the same accesses, reads and writes apart.
 * Asked after every replay; a violation is a bug of ours, never of the input.
 */
import type { Profile } from '../model/profile.js';

type Counts = { readonly reads: ArrayLike<number>; readonly writes: ArrayLike<number> };

/** One sentence a violation; empty when all totals agree. Counts are integers below 2^53, so sums are exact. */
export function checkConservation(profile: Omit<Profile, 'placement'>): string[] {
  const violations: string[] = [];
  const { totals } = profile;
  const expect = (what: string, found: number, expected: number): void => {
    if (found !== expected) violations.push(`${what}: ${found}, but the run made ${expected}`);
  };
  const checkTable = (name: string, table: Counts, extra = { reads: 0, writes: 0 }): void => {
    expect(`reads by ${name}`, sum(table.reads) + extra.reads, totals.reads);
    expect(`writes by ${name}`, sum(table.writes) + extra.writes, totals.writes);
  };
  checkTable('site', profile.sites);
  checkTable('site and object', profile.pairs);
  if (profile.calls) checkTable('site, object and call path', profile.calls);
  checkTable('object', profile.objects);
  checkTable('page', profile.pages);
  checkTable('epoch', profile.epochs);
  checkTable('page and epoch', profile.heat);
  checkTable('function', profile.functions);
  checkTable('line and the unattributed remainder', profile.lines, profile.unattributed);

  const traffic = [
    ['site', profile.sites],
    ['site and object', profile.pairs],
    ...(profile.calls ? ([['site, object and call path', profile.calls]] as const) : []),
    ['object', profile.objects],
    ['page', profile.pages],
    ['epoch', profile.epochs],
    ['page and epoch', profile.heat],
    ['function', profile.functions],
  ] as const;
  for (const [name, table] of traffic) {
    expect(`cache lines filled by ${name}`, sum(table.trafficReads), totals.trafficReads);
    expect(`cache lines written back by ${name}`, sum(table.trafficWrites), totals.trafficWrites);
  }
  const { siteTimes } = profile;
  if (siteTimes) {
    expect('accesses by site and time', sum(siteTimes.accesses), totals.reads + totals.writes);
    expect('cache lines filled by site and time', sum(siteTimes.trafficReads), totals.trafficReads);
    expect('cache lines written back by site and time', sum(siteTimes.trafficWrites), totals.trafficWrites);
  }
  expect('pages touched', profile.pages.count, totals.pagesTouched);
  return violations;
}

function sum(column: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < column.length; i++) total += column[i]!;
  return total;
}
