/**
 * Page inspector: the touched pages, sorted and filtered here, and all that the profile knows of one of them.
 *
 * The profile has counts by page and by pair of site and object, not by page and site: of a page it names the object
 * with most of its accesses, and the lines are those of that object. The answer says so in its names.
 */
import { NONE } from '../../model/columns.js';
import * as l10n from '../../model/l10n.js';
import { alphabetically, orderBy } from '../../model/order.js';
import { CLASS_NAMES, type Profile } from '../../model/profile.js';
import type { PageDetail, PageInspectorFacts, PageRow, Selection, ViewQuery, WireColumn } from '../../protocol.js';
import type { ProfileIndex } from '../profileIndex.js';
import { trackerLabel } from '../seen.js';
import { wholeBins } from '../window.js';
import { accessesBefore } from './pagesBefore.js';
import { usersOf } from './users.js';
import { clampRange, location, type View, wire } from './view.js';

const lineBytes = 64;
/** Rows and lines of one answer: a few screens. */
const maxRows = 400;
const maxUsers = 100;

export const pageInspector: View = (index, query, selection, baseline) => {
  const { profile, seen } = index;
  const { pages, options } = profile;
  const order = orderedPages(index, query, selection);
  const [from, to] = clampRange(query.range?.y, order.length);
  const found = find(profile, query.options?.address);
  const asked = found?.page ?? query.options?.page;
  const page = typeof asked === 'number' && asked >= 0 && asked < pages.count ? Math.floor(asked) : null;
  const focus = order.indexOf(page ?? pageOfFocus(profile, selection));
  // A window of one run is not a window of the other.
  const before = baseline && !selection.window ? accessesBefore(profile, baseline) : null;
  const facts: PageInspectorFacts = {
    compared: before !== null,
    counted: seen.counted,
    window: selection.window && wholeBins(profile, selection.window),
    pageSize: options.pageSize,
    linesPerPage: options.pageSize / lineBytes,
    pages: pages.count,
    total: order.length,
    from,
    rows: Array.from(order.subarray(from, Math.min(to, from + maxRows)), row =>
      pageRow(index, row, selection.policy, before),
    ),
    focus: focus < 0 ? null : focus,
    found,
    detail: page === null ? null : detailOf(index, page, selection, before),
  };
  return { facts, columns: page === null ? {} : historyOf(profile, page) };
};

function addressOf({ pages, options }: Profile, page: number): string {
  return `0x${(BigInt(pages.number[page]) * BigInt(options.pageSize)).toString(16)}`;
}

function pageRow(index: ProfileIndex, page: number, policy: string, before: Float64Array | null): PageRow {
  const { pages, objects } = index.profile;
  const object = pages.object[page];
  return {
    page,
    process: pages.process[page],
    address: addressOf(index.profile, page),
    reads: pages.reads[page],
    writes: pages.writes[page],
    traffic: pages.trafficReads[page] + pages.trafficWrites[page],
    linesUsed: pages.linesUsed[page],
    hotness: CLASS_NAMES[pages.hotness[page]],
    object: object === NONE ? -1 : object,
    objectName: object === NONE ? '' : objects.name[object],
    tier: object === NONE ? '' : index.tierOfObject(object, policy),
    before: before && !Number.isNaN(before[page]) ? before[page] : null,
  };
}

type Key = (index: ProfileIndex, policy: string) => Float64Array;

const ofPages = (value: (pages: Profile['pages'], page: number) => number): Key => {
  return ({ profile: { pages } }) => Float64Array.from({ length: pages.count }, (_, page) => value(pages, page));
};

/** A text of each page's object. */
const ofObjects = (text: (index: ProfileIndex, object: number, policy: string) => string): Key => {
  return (index, policy) => {
    const { objects, pages } = index.profile;
    const ranks = alphabetically(Array.from({ length: objects.count }, (_, row) => text(index, row, policy)));
    // A page without an object comes before all names.
    return Float64Array.from(pages.object, object => (object === NONE ? 0 : ranks[object] + 1));
  };
};

/** What the table can be sorted by. Ties are in the order of addresses. */
const keys: Readonly<Record<string, Key>> = {
  address: ofPages((_pages, page) => page),
  accesses: ofPages(({ reads, writes }, page) => reads[page] + writes[page]),
  reads: ofPages(({ reads }, page) => reads[page]),
  writes: ofPages(({ writes }, page) => writes[page]),
  traffic: ofPages(({ trafficReads, trafficWrites }, page) => trafficReads[page] + trafficWrites[page]),
  density: ofPages(({ linesUsed }, page) => linesUsed[page]),
  purity: ofPages(({ reads, writes }, page) => purity(reads[page], writes[page])),
  // Classes are numbered from hot to cold: "descending" shows the hot ones first, as for every other figure.
  hotness: ofPages(({ hotness }, page) => CLASS_NAMES.length - hotness[page]),
  object: ofObjects(({ profile }, row) => profile.objects.name[row]),
  tier: ofObjects((index, row, policy) => index.tierOfObject(row, policy)),
};

/** Share of the greater direction: 1 is only read or only written; 0 without accesses. */
function purity(reads: number, writes: number): number {
  return reads + writes === 0 ? 0 : Math.max(reads, writes) / (reads + writes);
}

/** The last order of each profile: a table asks for block after block of the same one. */
const lastOrders = new WeakMap<ProfileIndex, { readonly of: string; readonly order: Uint32Array }>();

function orderedPages(index: ProfileIndex, { options = {} }: ViewQuery, { policy }: Selection): Uint32Array {
  const { sort = 'accesses', descending = true, filter = '', hotness = '' } = options;
  const of = JSON.stringify([sort, descending, filter, hotness, policy]);
  const last = lastOrders.get(index);
  if (last?.of === of) return last.order;
  const key = Object.hasOwn(keys, String(sort)) ? keys[String(sort)] : undefined;
  if (!key) throw new RangeError(l10n.t('cannot sort by {0}; known: {1}', String(sort), Object.keys(keys).join(', ')));
  const wanted = wantedPages(index, String(filter), String(hotness), policy);
  const order = orderBy(key(index, policy), descending === true).filter(page => wanted(page));
  lastOrders.set(index, { of, order });
  return order;
}

/** Pages of a class, and of objects whose name, kind or tier holds every word of the filter. */
function wantedPages(index: ProfileIndex, filter: string, hotness: string, policy: string): (page: number) => boolean {
  const { objects, pages } = index.profile;
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = Uint8Array.from({ length: objects.count }, (_, row) => {
    const text = `${objects.name[row]}\n${objects.kind[row]}\n${index.tierOfObject(row, policy)}`.toLowerCase();
    return Number(words.every(word => text.includes(word)));
  });
  const wanted = (CLASS_NAMES as readonly string[]).indexOf(hotness);
  return page => {
    const object = pages.object[page];
    const named = words.length === 0 || (object !== NONE && matches[object] === 1);
    return named && (wanted < 0 || pages.hotness[page] === wanted);
  };
}

/** The page pointed at, or the most accessed one of the object pointed at; -1: neither. */
function pageOfFocus({ pages }: Profile, { focus }: Selection): number {
  if (focus?.kind === 'page') return focus.page;
  if (focus?.kind !== 'object') return -1;
  let best = -1;
  for (let page = 0; page < pages.count; page++) {
    if (pages.object[page] !== focus.object) continue;
    if (best < 0 || pages.reads[page] + pages.writes[page] > pages.reads[best] + pages.writes[best]) best = page;
  }
  return best;
}

/** @throws RangeError when the text is no address */
function find({ pages, options }: Profile, text: unknown): PageInspectorFacts['found'] {
  if (typeof text !== 'string' || text.trim() === '') return null;
  const digits = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text.trim().replaceAll('_', ''))?.[1];
  if (!digits)
    throw new RangeError(l10n.t('{0}: no address; write it in hexadecimal, such as 0x7f0000001000', text.trim()));
  if (pages.count === 0) return null;
  const number = Number(BigInt(`0x${digits}`) / BigInt(options.pageSize));
  let nearest = 0;
  for (let page = 1; page < pages.count; page++) {
    if (Math.abs(pages.number[page] - number) < Math.abs(pages.number[nearest] - number)) nearest = page;
  }
  return { page: nearest, exact: pages.number[nearest] === number };
}

function detailOf(index: ProfileIndex, page: number, { policy }: Selection, before: Float64Array | null): PageDetail {
  const { profile, exact } = index;
  const { objects, pages, placement, trackers, heat, epochs } = profile;
  const object = pages.object[page];
  const known = object !== NONE;
  const users = known ? usersOf(exact, exact.profile.pages.object[page]) : [];
  const { reads, writes } = exact.profile.pages;
  const accesses = reads[page] + writes[page];
  const bins = heat.start.length - 1;
  return {
    ...pageRow(index, page, policy, before),
    exactReads: reads[page],
    exactWrites: writes[page],
    exactRank: rankOf(accesses, row => reads[row] + writes[row], pages.count),
    trafficReads: pages.trafficReads[page],
    trafficWrites: pages.trafficWrites[page],
    objectKind: known ? objects.kind[object] : '',
    objectPages: known ? objects.pages[object] : 0,
    objectLocation: known ? location(profile, objects.file[object], objects.line[object]) : null,
    users: users.slice(0, maxUsers),
    usersInAll: users.length,
    policies: placement.policies.map(({ id }) => ({
      id,
      tier: known ? index.tierOfObject(object, id) : '',
      recommended: id === placement.recommended,
    })),
    trackers: trackers.map(({ id, pageReads, pageWrites }) => {
      const reading = (row: number) => (pageReads?.[row] ?? 0) + (pageWrites?.[row] ?? 0);
      const own = reading(page);
      return {
        id,
        label: trackerLabel(id),
        reads: pageReads?.[page] ?? null,
        writes: pageWrites?.[page] ?? null,
        rank: own > 0 ? rankOf(own, reading, pages.count) : null,
      };
    }),
    epochsPerBin: heat.epochsPerBin,
    epochs: epochs.count,
    endNs: Array.from(
      { length: bins },
      (_, bin) => epochs.endNs[Math.min(epochs.count, (bin + 1) * heat.epochsPerBin) - 1],
    ),
  };
}

/** 1 and the number of rows with more. */
function rankOf(value: number, of: (row: number) => number, count: number): number {
  let rank = 1;
  for (let row = 0; row < count; row++) if (of(row) > value) rank++;
  return rank;
}

/** The page in each bin of the heat; pages ascend within a bin. */
function historyOf({ heat }: Profile, page: number): Record<string, WireColumn> {
  const bins = heat.start.length - 1;
  const reads = new Float64Array(bins);
  const writes = new Float64Array(bins);
  const traffic = new Float64Array(bins);
  for (let bin = 0; bin < bins; bin++) {
    const row = rowOf(heat.page, page, heat.start[bin], heat.start[bin + 1]);
    if (row < 0) continue;
    reads[bin] = heat.reads[row];
    writes[bin] = heat.writes[row];
    traffic[bin] = heat.trafficReads[row] + heat.trafficWrites[row];
  }
  return { historyReads: wire(reads), historyWrites: wire(writes), historyTraffic: wire(traffic) };
}

/** Row of a page among the ascending ones [from, to); -1: none. */
function rowOf(sorted: Uint32Array, page: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (sorted[middle] < page) low = middle + 1;
    else high = middle;
  }
  return low < to && sorted[low] === page ? low : -1;
}
