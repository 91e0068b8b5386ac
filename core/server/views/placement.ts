/** Placement: the tiers, what each policy would cost, and the allocation table, sorted and filtered here. */
import { NONE } from '../../model/columns.js';
import * as l10n from '../../model/l10n.js';
import { CLASS_NAMES, type ObjectTable, type PolicyResult, type Profile } from '../../model/profile.js';
import type { AllocationDetail, PlacementFacts, Selection, ViewQuery, WireColumn } from '../../protocol.js';
import type { Baseline } from '../baseline.js';
import type { ProfileIndex } from '../profileIndex.js';
import { wholeBins } from '../window.js';
import { usersOf } from './users.js';
import { clampRange, location, type View, wire } from './view.js';

/** Rows of one answer: a few screens, well below the size limit even with long stacks. */
const maxRows = 400;
const maxStack = 16;
const maxUsers = 100;

export const placement: View = (index, query, selection, baseline) => {
  const { profile } = index;
  const { objects } = profile;
  const chosen = index.policy(selection.policy);
  const asked = query.options?.object;
  const detail = typeof asked === 'number' && asked >= 0 && asked < objects.count ? Math.floor(asked) : null;
  // A window of one run is not a window of the other.
  const compared = selection.window ? null : (baseline ?? null);
  const accessesBefore = (row: number | null) =>
    compared && row !== null ? compared.profile.objects.reads[row] + compared.profile.objects.writes[row] : null;
  const before = (row: number) => accessesBefore(compared?.object(row) ?? null);
  const rows = orderedRows(index, query, selection.policy, { compared, before });
  const [from, to] = clampRange(query.range?.y, rows.length);
  const focus = rows.indexOf(objectOfFocus(profile, selection));
  const facts: PlacementFacts = {
    tiers: profile.placement.tiers.map((tier, row) => ({
      id: tier.id,
      name: tier.name,
      capacityBytes: tier.capacityBytes,
      usedBytes: chosen?.bytesInTier[row] ?? 0,
      readLatencyNs: tier.readLatencyNs,
      writeLatencyNs: tier.writeLatencyNs,
    })),
    policies: profile.placement.policies.map(policyFacts),
    recommended: profile.placement.recommended,
    touchedBytes: profile.totals.pagesTouched * profile.options.pageSize,
    capacityCurve: profile.placement.capacityCurve ?? null,
    assumptions: profile.placement.assumptions.map(l10n.shown),
    counted: index.seen.counted,
    window: selection.window && wholeBins(profile, selection.window),
    accesses: index.accesses,
    compared: compared !== null,
    objects: objects.count,
    total: rows.length,
    from,
    focus: focus < 0 ? null : focus,
    detail: detail === null ? null : detailOf(index, detail),
    rows: rows.slice(from, Math.min(to, from + maxRows)).map(row => ({
      object: row,
      before: before(row),
      perPagePerSecond: objects.perPagePerSecond[row],
      touchedBytes: objects.touchedBytes[row],
      kind: objects.kind[row],
      name: objects.name[row],
      location: location(profile, objects.file[row], objects.line[row]),
      stack: objects.stack[row].slice(0, maxStack),
      bytes: objects.bytes[row],
      blocks: objects.blocks[row],
      reads: objects.reads[row],
      writes: objects.writes[row],
      pages: objects.pages[row],
      density: objects.density[row],
      trafficReads: objects.trafficReads[row],
      trafficWrites: objects.trafficWrites[row],
      hotness: CLASS_NAMES[objects.hotness[row]],
      tier: index.tierOfObject(row, selection.policy),
    })),
  };
  const columns: Record<string, WireColumn> = {};
  if (detail !== null) columns.history = wire(index.accessesOverTime(detail));
  return { facts, columns };
};

function detailOf(index: ProfileIndex, object: number): AllocationDetail {
  const { objects, heat } = index.profile;
  const users = usersOf(index, object);
  return {
    object,
    stack: objects.stack[object],
    users: users.slice(0, maxUsers),
    usersInAll: users.length,
    epochsPerBin: heat.epochsPerBin,
  };
}

/** The object pointed at, or the main one of the page pointed at; -1: neither. */
function objectOfFocus({ pages }: Profile, { focus }: Selection): number {
  if (focus?.kind === 'object') return focus.object;
  if (focus?.kind !== 'page') return -1;
  const object = pages.object[focus.page];
  return object === NONE ? -1 : object;
}

export function policyFacts(policy: PolicyResult): PlacementFacts['policies'][number] {
  return {
    id: policy.id,
    slowdown: policy.modelledSlowdown,
    range: policy.modelledSlowdownRange,
    fastTierHitRatio: policy.fastTierHitRatio,
  };
}

/** The last order of each profile: a table asks for block after block of the same one. */
const lastOrders = new WeakMap<
  ProfileIndex,
  { readonly of: string; readonly compared: Baseline | null; readonly rows: readonly number[] }
>();

/** The run before, and the accesses that an object had in it; null: it was not there. */
interface Comparison {
  readonly compared: Baseline | null;
  before(row: number): number | null;
}

function orderedRows(index: ProfileIndex, query: ViewQuery, policy: string, comparison: Comparison): readonly number[] {
  const { sort, descending, filter } = query.options ?? {};
  const of = JSON.stringify([sort, descending, filter, policy]);
  const last = lastOrders.get(index);
  if (last?.of === of && last.compared === comparison.compared) return last.rows;
  const rows = sorted(index, filtered(index, query, policy), query, policy, comparison);
  lastOrders.set(index, { of, compared: comparison.compared, rows });
  return rows;
}

/** Rows whose name, file, stack, kind, class or tier holds every word of the filter, whatever the case. */
function filtered(index: ProfileIndex, query: ViewQuery, policy: string): number[] {
  const { objects } = index.profile;
  const words = String(query.options?.filter ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean);
  const all = Array.from({ length: objects.count }, (_, row) => row);
  if (words.length === 0) return all;
  return all.filter(row => {
    const text = [
      objects.name[row],
      placeOf(index.profile, row).replaceAll(' ', ''),
      objects.kind[row],
      CLASS_NAMES[objects.hotness[row]],
      index.tierOfObject(row, policy),
      ...objects.stack[row],
    ]
      .join('\n')
      .toLowerCase();
    return words.every(word => text.includes(word));
  });
}

/** File and line of the allocation or declaration, such that lines sort as numbers. */
function placeOf({ files, objects }: Profile, row: number): string {
  if (objects.file[row] === NONE) return '';
  return `${files[objects.file[row]].path}:${String(objects.line[row]).padStart(7)}`;
}

type Key = (
  objects: ObjectTable,
  row: number,
  index: ProfileIndex,
  policy: string,
  comparison: Comparison,
) => number | string;

/** What the table can be sorted by: the names of the row's fields. */
const keys: Readonly<Record<string, Key>> = {
  kind: (objects, row) => objects.kind[row],
  name: (objects, row) => objects.name[row],
  tier: (_objects, row, index, policy) => index.tierOfObject(row, policy),
  bytes: (objects, row) => objects.bytes[row],
  blocks: (objects, row) => objects.blocks[row],
  accesses: (objects, row) => objects.reads[row] + objects.writes[row],
  reads: (objects, row) => objects.reads[row],
  writes: (objects, row) => objects.writes[row],
  pages: (objects, row) => objects.pages[row],
  density: (objects, row) => objects.density[row],
  traffic: (objects, row) => objects.trafficReads[row] + objects.trafficWrites[row],
  trafficReads: (objects, row) => objects.trafficReads[row],
  trafficWrites: (objects, row) => objects.trafficWrites[row],
  writeShare: (objects, row) => objects.writes[row] / Math.max(objects.reads[row] + objects.writes[row], 1),
  rate: (objects, row) => objects.perPagePerSecond[row],
  touchedBytes: (objects, row) => objects.touchedBytes[row],
  source: (_objects, row, index) => placeOf(index.profile, row),
  before: (_objects, row, _index, _policy, { before }) => before(row) ?? -1,
  // Classes are numbered from hot to cold: "descending" shows the hot ones first, as for every other figure.
  hotness: (objects, row) => -objects.hotness[row],
};

function sorted(
  index: ProfileIndex,
  rows: number[],
  query: ViewQuery,
  policy: string,
  comparison: Comparison,
): number[] {
  const name = String(query.options?.sort ?? 'accesses');
  const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
  if (!key) throw new RangeError(l10n.t('cannot sort by {0}; known: {1}', name, Object.keys(keys).join(', ')));
  const direction = (query.options?.descending ?? true) ? -1 : 1;
  const values = new Map(rows.map(row => [row, key(index.profile.objects, row, index, policy, comparison)]));
  return rows.sort((a, b) => {
    const [x, y] = [values.get(a)!, values.get(b)!];
    return (x < y ? -direction : x > y ? direction : 0) || a - b;
  });
}
