/**
 * Guest PTE A/D scan: the kernel that runs the program reads, every period, the accessed and dirty flags of its own page
 * tables and clears them (mechanisms.md, A.3, H.11, H.16). No exits: the hypervisor has no part in it.
 *
 * With `flush=1` it clears both flags and flushes; a page is reported with the periods in which it was found accessed
 * but clean (reads) and dirty (writes). With `flush=0` it ages pages as Linux does on x86: accessed flags alone, without
 * a flush; reads and writes are not told apart and stand as reads.
 */
import { GuestScan } from './guestScan.js';
import { periodParameter } from './parameters.js';
import { tracker } from './tracker.js';

export const guestPteScan = tracker({
  label: 'Guest PTE A/D scan',
  summary: "pages accessed and pages written in each period, from the flags of the program's own page tables",
  needs: 'the privilege of the kernel that runs the program (a kernel thread or module); any MMU that sets flags',
  parameters: {
    periodSeconds: periodParameter(30, 'H.11: TMTS scans accessed flags every 30 s'),
    flush: {
      summary: 'clears both flags and flushes; 0: accessed flags alone, without a flush, as Linux ages pages',
      unit: '1 or 0',
      default: 1,
      minimum: 0,
      maximum: 1,
      whole: true,
      source: 'A.3: without a flush the processor may not set a flag again; B.6 clears with one',
    },
  },
  create: context => {
    const { periodSeconds, flush } = context.parameters;
    return new GuestScan(context, {
      periodSeconds,
      dirty: flush === 1,
      flush: flush === 1,
      nsPerPage: context.costs.scanNsPerPage,
    });
  },
});
