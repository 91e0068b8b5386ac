/**
 * K 18 (H.14; Sha et al., vTMM, EuroSys 2023): traps while the pages of 16 GB are tracked, about 2,000 by the log of
 * page-table pages, one for each of 4.2 million pages where permissions are taken. Here memory and log are smaller by 64:
 * as many tables of the last level for each entry of the log.
 */
import { expect, test } from 'vitest';
import { PAGE, replay, row } from '../tracking/runs.js';

const SCALE = 64;
const PAGES = 2 ** 34 / PAGE / SCALE;
const LOG = 512 / SCALE;
/** Longer than a pass of reads, so that each period sees all pages. */
const SECONDS = 100;

test('the log of page tables traps 17 times a scan, permissions once a page', () => {
  const reads = Array.from({ length: 4 * PAGES }, (_, i) => ({ vcpu: 0, address: (i % PAGES) * PAGE, write: false }));
  const outcome = replay(['pml-read-write', 'present-bit'], reads, {
    pmlEntries: LOG,
    parameters: { 'pml-read-write.periodSeconds': SECONDS, 'present-bit.periodSeconds': SECONDS },
  });
  const byLog = row(outcome, 'pml-read-write');
  // One period ends within the run, and what is left is a second one.
  expect(byLog.periods).toBe(1);
  // 128 tables of the last level and three above fill a log of eight 16 times; the end of a period is one exit more.
  expect(byLog.own.logFullExits).toBe(2 * 16);
  expect(byLog.vmExits).toBe(2 * 16 + 1);
  const byPermission = row(outcome, 'present-bit');
  expect(byPermission.own.traps).toBe(2 * PAGES);
  expect(PAGES * SCALE).toBe(4_194_304);
});
