/**
 * Idle page tracking (Linux mm/page_idle.c; mechanisms.md, J, E.8): a user program marks page frames idle in a bitmap and
 * reads later which are no longer. To mark or read a frame the kernel goes through the reverse map to every entry that
 * maps it and clears the accessed flag, without flushing: a page whose translation stays in the TLB looks idle.
 *
 * A page is reported with the number of periods in which it was not idle. Reads and writes are not told apart and stand
 * as reads. With 2 MiB pages one touched byte makes the whole huge page active: its flag is one, for 512 frames.
 */
import { GuestScan } from './guestScan.js';
import { periodParameter } from './parameters.js';
import { tracker } from './tracker.js';

export const idlePages = tracker({
  label: 'Idle page tracking',
  summary: 'pages accessed in each period, from a bitmap of page frames; reads and writes are not told apart',
  needs: 'Linux with CONFIG_IDLE_PAGE_TRACKING, and root (/sys/kernel/mm/page_idle/bitmap)',
  parameters: {
    periodSeconds: periodParameter(0.1, 'E.8: the example of brendangregg/wss measures 0.1 s'),
  },
  create: context =>
    new GuestScan(context, {
      periodSeconds: context.parameters.periodSeconds,
      dirty: false,
      flush: false,
      nsPerPage: context.costs.idlePageNs,
    }),
});
