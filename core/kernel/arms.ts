/**
 * Arms: how trackers watch pages without disturbing the machine or each other.
 *
 * A tracker that clears accessed or dirty flags does so on its own bit of a page, an *arm*. After a clear with a flush
 * (INVEPT) the next access must walk and sets the flag, so the arm fires at the next access (or write); after a clear
 * without a flush it fires at the next real walk (mechanisms.md, A.3). The machine's own flags, TLBs and counts never
 * change. What fired goes, in order, to one list that the host reads at each quantum.
 */

import { ARM_WALK, ARM_WALK_WRITE, ARM_WRITE, EVENT_BYTES } from './abi-machine';
import { enlarge } from './arena';
import { PAGE_ARMS, pageState, setAllArms } from './tables';

const ACCESS_ARMS: u32 = 0xff;
const WRITE_ARMS: u32 = 0xff << ARM_WRITE;
const WALK_ARMS: u32 = 0xff << ARM_WALK;
const WALK_WRITE_ARMS: u32 = 0xff << ARM_WALK_WRITE;

let events: usize = 0;
let capacity: u32 = 0;
let count: u32 = 0;

/** Fired arms since the last `eventsClear`, oldest first: EVENT_BYTES each. */
export function eventsStart(): usize {
  return events;
}
export function eventsCount(): u32 {
  return count;
}
export function eventsClear(): void {
  count = 0;
}

/** Arms `bits` on every page, those not yet touched included. Flags the TLBs' shortcuts as out of date. */
export function armAll(bits: u32): void {
  setAllArms(bits);
}

/** Fires what waits for this access. Returns the arms left. */
export function fire(state: usize, page: u32, vcpu: u32, number: u32, write: u32, walked: bool): u32 {
  const arms = load<u32>(state, PAGE_ARMS);
  if (arms == 0) return 0;
  let due = ACCESS_ARMS;
  if (write) due |= WRITE_ARMS;
  if (walked) due |= write ? WALK_ARMS | WALK_WRITE_ARMS : WALK_ARMS;
  const fired = arms & due;
  if (fired == 0) return arms;
  store<u32>(state, arms & ~fired, PAGE_ARMS);
  push(page, fired, vcpu, number);
  return arms & ~fired;
}

/** Whether these arms let reads (and writes) of the page pass unseen while it stays in the TLB. */
export function readsUnseen(arms: u32): bool {
  return (arms & ACCESS_ARMS) == 0;
}
export function writesUnseen(arms: u32): bool {
  return (arms & (ACCESS_ARMS | WRITE_ARMS)) == 0;
}

function push(page: u32, fired: u32, vcpu: u32, number: u32): void {
  if (count == capacity) {
    const larger = capacity ? capacity * 2 : 4096;
    events = enlarge(events, <usize>capacity * EVENT_BYTES, <usize>larger * EVENT_BYTES);
    capacity = larger;
  }
  const at = events + <usize>count * EVENT_BYTES;
  store<u32>(at, page);
  store<u32>(at, fired, 4);
  store<u32>(at, vcpu, 8);
  store<u32>(at, number, 12);
  count++;
}
