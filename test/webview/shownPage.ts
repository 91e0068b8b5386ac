/** What the tests of the page share: a run that is known by hand, one browser a file, and one page a test. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { Profile } from '../../core/model/profile.js';
import { profileOf } from '../helpers/profile.js';
import { type Dashboard, Harness, type OpenOptions } from './harness.js';

export const file = '/src/prog.c';
/** Name of the great allocation. */
export const table = 'malloc in fill (prog.c:8)';

/**
 * Two functions, `many` small allocations and one great one, 40 epochs of 1 ms. Accesses, by hand: line 4 reads `table`
 * 60,000 times and line 9 writes it 20,000 times, evenly over 20 pages and 40 epochs: 75 reads and 25 writes each. Small
 * allocation i is read 100 + i times by line 20 + i. With three of them, the run has 60,000 + 20,000 + 100 + 101 + 102 =
 * 80,303 accesses.
 */
export function profile(many = 3): Profile {
  const small = Array.from({ length: many }, (_, i) => i);
  return profileOf({
    file,
    sha256: '00',
    functions: { sum: 2, fill: 7, visit: 12 },
    epochs: 40,
    lines: [
      { line: 4, function: 'sum', object: table, reads: 60_000, trafficReads: 4_000, hotness: 0 },
      { line: 9, function: 'fill', object: table, writes: 20_000, trafficWrites: 3_000 },
      ...small.map(i => ({
        line: 20 + i,
        function: 'visit',
        object: `small ${i}`,
        reads: 100 + i,
        hotness: 2 as const,
      })),
    ],
    objects: [
      { name: table, line: 8, page: 0x7f000, pages: 20, hotness: 0, stack: ['fill prog.c:8', 'main prog.c:30'] },
      ...small.map(i => ({ name: `small ${i}`, kind: 'global' as const, page: 0x404 + i, pages: 1, tier: 2 })),
    ],
  });
}

/** To be called once, at the top of a file. Returns what opens a test's page; it is closed behind the test. */
export function pages(): (options?: Partial<OpenOptions>) => Promise<Dashboard> {
  const harness = new Harness(path.resolve(__dirname, '../..'));
  let open: Dashboard | null = null;
  beforeAll(() => harness.start());
  afterEach(async () => {
    // A page that complains is a broken page, whatever the test looked at.
    const complaints = open?.complaints;
    await open?.page.close();
    open = null;
    expect(complaints ?? []).toEqual([]);
  });
  afterAll(() => harness.close());
  return async options => {
    open = await harness.open({ width: 1100, profile: profile(), ...options });
    await open.settled();
    return open;
  };
}

export const panel = ({ page }: Dashboard) => page.locator('[role=tabpanel]:not([hidden])');
export const textOf = async (shown: Dashboard) => (await panel(shown).innerText()).replaceAll('\u00a0', ' ');

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What is in sight, which `what` names, has no serious finding of axe, and does not scroll sideways. */
export async function expectSound({ page }: Dashboard, what: string): Promise<void> {
  // The page's policy refuses inline scripts; the debugger may still run one.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const findings = await page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: typeof import('axe-core') }).axe.run(document.body);
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(node => `${node.html} ${node.failureSummary}`).join('; ')}`);
  });
  expect(findings, what).toEqual([]);
  const sideways = await page.evaluate(() => {
    const main = document.querySelector('main')!;
    return main.scrollWidth - main.clientWidth;
  });
  expect(sideways, what).toBeLessThanOrEqual(0);
}
