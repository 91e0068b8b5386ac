/**
 * Arms: how trackers watch pages without disturbing the machine or each other.
 *
 * A tracker that clears accessed or dirty flags does so on bits of its own of a page, *arms*: a vector of four words for
 * each page, one bit a tracker in each (ARM_ACCESS and so on, abi-machine.ts). After a clear with a flush (INVEPT) the
 * next access must walk and sets the flag, so the arm fires at the next access (or write); after a clear without a flush
 * it fires at the next real walk (mechanisms.md, A.3). The machine's own flags, TLBs and counts never change. What fired
 * goes, in order, to one list that the host reads at each quantum.
 *
 * A walk for a read loads the cleared dirty flag into the TLB, so that the next write walks again to set it: then
 * ARM_WALK_WRITE becomes ARM_WRITE. Other vCPUs may still cache the flag as set; their writes fire here all the same.
 * Nor are guest-physical translations modelled that the walker remembers and for which it would skip the EPT's flags.
 */

import { ARM_ACCESS, ARM_WALK, ARM_WALK_WRITE, ARM_WRITE, EVENT_BYTES, EVENT_WRITE } from './abi-machine';
import { enlarge } from './arena';
import { armEveryPage, disarmEveryPage, PAGE_ARMS, pageState } from './tables';

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

/** The tracker's bit in each of the words that `classes` (ARM_* bits) names. */
export function armsOf(tracker: u32, classes: u32): v128 {
  const bit: u32 = 1 << tracker;
  let arms = i32x4.splat(0);
  if (classes & ARM_ACCESS) arms = i32x4.replace_lane(arms, 0, bit);
  if (classes & ARM_WRITE) arms = i32x4.replace_lane(arms, 1, bit);
  if (classes & ARM_WALK) arms = i32x4.replace_lane(arms, 2, bit);
  if (classes & ARM_WALK_WRITE) arms = i32x4.replace_lane(arms, 3, bit);
  return arms;
}

/** Sets or takes the arms on every page, those not yet touched included. */
export function armAll(arms: v128): void {
  armEveryPage(arms);
}
export function disarmAll(arms: v128): void {
  disarmEveryPage(arms);
}

/** The same on one page, which need not have been touched yet. */
export function armPage(page: u32, arms: v128): void {
  const state = pageState(page);
  v128.store(state, v128.or(v128.load(state, PAGE_ARMS), arms), PAGE_ARMS);
}
export function disarmPage(page: u32, arms: v128): void {
  const state = pageState(page);
  v128.store(state, v128.andnot(v128.load(state, PAGE_ARMS), arms), PAGE_ARMS);
}

/**
 * Fires what waits for this access. Returns ARM_WRITE if something waits for a write still, and with it ARM_WALK_WRITE if
 * it does so from now on.
 */
export function fire(state: usize, page: u32, vcpu: u32, table: u32, write: u32, walked: bool): u32 {
  if (!v128.any_true(v128.load(state, PAGE_ARMS))) return 0;
  const access = load<u32>(state, PAGE_ARMS);
  let onWrite = load<u32>(state, PAGE_ARMS + 4);
  const walk = load<u32>(state, PAGE_ARMS + 8);
  let onWalkWrite = load<u32>(state, PAGE_ARMS + 12);

  let firedWalk = walked ? walk : 0;
  let firedWrite: u32 = 0;
  let firedWalkWrite: u32 = 0;
  let turned: u32 = 0;
  if (write) {
    firedWrite = onWrite;
    if (walked) firedWalkWrite = onWalkWrite;
    // To set a dirty flag is to walk.
    firedWalk |= walk & (firedWrite | firedWalkWrite);
  } else if (walked) {
    turned = onWalkWrite;
    onWrite |= onWalkWrite;
    onWalkWrite = 0;
  }

  // A flag that is set is set for both kinds of clear.
  const accessed = access | firedWalk;
  const dirty = firedWrite | firedWalkWrite;
  onWrite &= ~dirty;
  store<u32>(state, 0, PAGE_ARMS);
  store<u32>(state, onWrite, PAGE_ARMS + 4);
  store<u32>(state, walk & ~accessed, PAGE_ARMS + 8);
  store<u32>(state, onWalkWrite & ~dirty, PAGE_ARMS + 12);
  if (accessed | dirty) push(page, vcpu, table, write, i32x4(access, firedWrite, firedWalk, firedWalkWrite));
  return onWrite ? (turned ? ARM_WRITE | ARM_WALK_WRITE : ARM_WRITE) : 0;
}

function push(page: u32, vcpu: u32, table: u32, write: u32, fired: v128): void {
  if (count == capacity) {
    const larger = capacity ? capacity * 2 : 4096;
    events = enlarge(events, <usize>capacity * EVENT_BYTES, <usize>larger * EVENT_BYTES);
    capacity = larger;
  }
  const at = events + <usize>count * EVENT_BYTES;
  store<u32>(at, page);
  store<u32>(at, vcpu, 4);
  store<u32>(at, table, 8);
  store<u32>(at, write ? EVENT_WRITE : 0, 12);
  v128.store(at, fired, 16);
  count++;
}
