/** The table of trackers: one file, one line each. Order is the report's; a tracker's arms (at most 32) are numbered by it. */
import { chmu } from './chmu.js';
import { damon } from './damon.js';
import { eptAdScan, eptAdScanNoFlush } from './ept-ad-scan.js';
import { esxSampling } from './esx-sampling.js';
import { exact } from './exact.js';
import { exclusiveCache } from './exclusive-cache.js';
import { guestPteScan } from './guest-pte-scan.js';
import { ibs } from './ibs.js';
import { idlePages } from './idle-pages.js';
import { neoprof } from './neoprof.js';
import { numaHintFaults } from './numa-hint-faults.js';
import { epml, spml } from './ooh.js';
import { presentBit, writeProtection } from './page-traps.js';
import { pebs } from './pebs.js';
import { pml } from './pml.js';
import { pmlReadWrite } from './pml-read-write.js';
import { prl } from './prl.js';
import type { TrackerKind } from './tracker.js';

export const trackers: Readonly<Record<string, TrackerKind>> = {
  exact,
  pml,
  'pml-read-write': pmlReadWrite,
  spml,
  epml,
  prl,
  'write-protection': writeProtection,
  'present-bit': presentBit,
  'ept-ad-scan': eptAdScan,
  'ept-ad-scan-no-flush': eptAdScanNoFlush,
  'esx-sampling': esxSampling,
  'exclusive-cache': exclusiveCache,
  'guest-pte-scan': guestPteScan,
  'idle-pages': idlePages,
  'numa-hint-faults': numaHintFaults,
  damon,
  pebs,
  ibs,
  chmu,
  neoprof,
};
