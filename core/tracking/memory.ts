/**
 * Memory that mechanisms need, in bytes: what they add to the page tables and the program. Their results count as far as
 * the mechanism itself must hold them until somebody takes them: a bit a page and direction where flags are read, since
 * a flag is gone once it is cleared.
 */

/** An entry of the Page Modification Log and its extensions: an address (mechanisms.md, B.1). */
export const LOG_ENTRY_BYTES = 8;

/** A log lies at a page of its own (B.1: 512 entries are one page of 4 KiB). */
export function logBytes(entries: number): number {
  return 4096 * Math.ceil((entries * LOG_ENTRY_BYTES) / 4096);
}

/** A bit a page, in words of 8 bytes: as KVM's dirty bitmap [C linux virt/kvm] and that of idle pages [C mm/page_idle.c]. */
export function bitmapBytes(pages: number): number {
  return 8 * Math.ceil(pages / 64);
}
