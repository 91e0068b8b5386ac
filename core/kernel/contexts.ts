/**
 * Contexts: the call paths under which accesses happen, as a tree. A node is a call site below the path that led there;
 * number 0 is the empty path.
 *
 * A call site that is on its path already leads back to where it stands there: recursion would otherwise make a node for
 * every path through it (2^depth of them with two calls), and says no more. When the tree is full, what a new path does
 * is counted on the part of it that is known.
 */
import { CONTEXTS_MAX } from './abi';
import { allocate, enlarge, release } from './arena';

// Node, 8 bytes: its parent and its call site, a run-wide site number.
const NODE_SHIFT = 3;
const NODE_SITE = 4;
let nodes: usize = 0;
let capacity: u32 = 0;
export let contextCount: u32 = 1;
/** 1: some path was not entered, for want of room. */
export let contextsFull: u32 = 0;

// Open-addressed table, at most half full, 16 bytes a slot: parent, site, and the node + 1 that they lead to.
const SLOT_SHIFT = 4;
const SLOT_SITE = 4;
const SLOT_NODE = 8;
let table: usize = 0;
let tableMask: u32 = 0;
let tableUsed: u32 = 0;

/** u32[2] of each context: parent, call site. */
export function contextRecord(context: u32): usize {
  return nodes + ((<usize>context) << NODE_SHIFT);
}

function slotOf(parent: u32, site: u32): usize {
  const h = ((parent * 0x9e3779b1) ^ site) * 0x85ebca6b;
  let at = (h ^ (h >> 15)) & tableMask;
  while (true) {
    const slot = table + ((<usize>at) << SLOT_SHIFT);
    if (!load<u32>(slot, SLOT_NODE) || (load<u32>(slot) == parent && load<u32>(slot, SLOT_SITE) == site)) return slot;
    at = (at + 1) & tableMask;
  }
}

function growTable(): void {
  const old = table;
  const slots: u32 = tableMask ? tableMask + 1 : 0;
  const larger: u32 = slots ? slots * 2 : 1024;
  table = allocate((<usize>larger) << SLOT_SHIFT);
  tableMask = larger - 1;
  for (let at = old, end = old + ((<usize>slots) << SLOT_SHIFT); at < end; at += 1 << SLOT_SHIFT) {
    if (!load<u32>(at, SLOT_NODE)) continue;
    v128.store(slotOf(load<u32>(at), load<u32>(at, SLOT_SITE)), v128.load(at));
  }
  if (slots) release(old, (<usize>slots) << SLOT_SHIFT);
}

/** The context that a call from `site` in context `parent` leads to. */
export function contextBelow(parent: u32, site: u32): u32 {
  if (tableUsed * 2 >= tableMask) growTable();
  const slot = slotOf(parent, site);
  const known = load<u32>(slot, SLOT_NODE);
  if (known) return known - 1;
  const context = newContext(parent, site);
  store<u32>(slot, parent);
  store<u32>(slot, site, SLOT_SITE);
  store<u32>(slot, context + 1, SLOT_NODE);
  tableUsed++;
  return context;
}

function newContext(parent: u32, site: u32): u32 {
  for (let at = parent; at; at = load<u32>(contextRecord(at))) {
    if (load<u32>(contextRecord(at), NODE_SITE) == site) return at;
  }
  if (contextCount == CONTEXTS_MAX) {
    contextsFull = 1;
    return parent;
  }
  if (contextCount >= capacity) {
    const larger: u32 = capacity ? capacity * 2 : 1024;
    nodes = enlarge(nodes, (<usize>capacity) << NODE_SHIFT, (<usize>larger) << NODE_SHIFT);
    capacity = larger;
  }
  const node = contextRecord(contextCount);
  store<u32>(node, parent);
  store<u32>(node, site, NODE_SITE);
  return contextCount++;
}
