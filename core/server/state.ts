/**
 * The one profile that is shown, the one that it is compared with, and the one selection into them (design, section 6,
 * "State").
 *
 * What is shown is made of what was opened in three steps, each redone only when its part of the selection changes:
 * the tiers place it anew, the tracker projects it (projection.ts), the window narrows what views show.
 */

import { withPlacement } from '../attribution/placement.js';
import { UsageError } from '../errors.js';
import * as l10n from '../model/l10n.js';
import type { Placement, Profile, ReplayOptions } from '../model/profile.js';
import { placeObjects } from '../placement/place-objects.js';
import type { Focus, PhaseFacts, Selection } from '../protocol.js';
import { Baseline } from './baseline.js';
import { type SourceFocus, sourceFocus } from './focusLines.js';
import { choosablePhases } from './phases.js';
import { ProfileIndex } from './profileIndex.js';
import { project } from './projection.js';
import { exactly, seenBy } from './seen.js';
import { firstSelection, nothingOpen, nothingSelected } from './selection.js';
import type { Snapshots } from './snapshots.js';
import type { SourceGroups } from './sourceGroups.js';
import { inWindow, wholeBins } from './window.js';

type PlaceAnew = (profile: Profile, options: ReplayOptions) => Promise<Placement>;

/** Which tiers a run is placed in. */
type Tiers = Pick<Selection, 'tiers' | 'tierChanges'>;

export class State {
  /** As opened, before the selection changed anything about it. */
  #opened: Profile | null = null;
  /** In the selected tiers, as the selected tracker sees it. */
  #index: ProfileIndex | null = null;
  /** The shown profile within the selected window; null: not yet made. */
  #windowed: ProfileIndex | null = null;
  /** The run that is compared with, as opened; and as the shown one is seen. */
  #compared: Profile | null = null;
  #baseline: ProfileIndex | null = null;
  #comparison: Baseline | null = null;
  #selection: Selection = nothingSelected;
  /** Of what was opened; null: not yet looked for, since that walks all of its heat. */
  #phases: readonly PhaseFacts[] | null = null;
  /** Placements that were made anew, by profile and tiers; of changed tiers the last. */
  readonly #placements = new WeakMap<Profile, Map<string, Placement>>();
  #unsaved = 0;

  /** Of the whole run in exact counts, whatever is selected. */
  get phases(): readonly PhaseFacts[] {
    this.#phases ??= this.#opened ? choosablePhases(this.#opened) : [];
    return this.#phases;
  }

  get opened(): Profile | null {
    return this.#opened;
  }

  /** The whole run in the selected tiers, as the selected tracker sees it. */
  get index(): ProfileIndex | null {
    return this.#index;
  }

  /** What views show: the same within the selected window. Object rows are those of `index`. */
  get viewIndex(): ProfileIndex | null {
    const { window } = this.#selection;
    if (!this.#index || !window) return this.#index;
    const { profile, seen, exact, objectRow } = this.#index;
    const counts = exact === this.#index ? null : exact.profile;
    this.#windowed ??= new ProfileIndex(inWindow(profile, window, counts), seen, exact, objectRow, undefined, {
      whole: this.#index,
      lines: this.#sourceFollows ? wholeBins(profile, window) : null,
    });
    return this.#windowed;
  }

  /** Whether lines and functions are known within a window. */
  get #sourceFollows(): boolean {
    return this.#index?.profile.siteTimes !== undefined;
  }

  /** What the marks in the source show: within the selected window, as far as lines are known there. */
  get sourceIndex(): ProfileIndex | null {
    return this.#selection.window && this.#sourceFollows ? this.viewIndex : this.#index;
  }

  /** What the marks in the source compare with: a window of one run is not a window of the other. */
  sourceComparison(snapshots: Snapshots | null): Baseline | null {
    return this.sourceIndex === this.#index ? this.comparison(snapshots) : null;
  }

  /** The exact counts of the run in the selected tiers: what is saved and exported. @throws UsageError without one */
  placed(): Profile {
    return this.required().exact.profile;
  }

  /**
   * The run that the shown one is compared with, whole, seen as it is; null also when it has not the selected tracker:
   * readings compare with readings.
   */
  get baseline(): ProfileIndex | null {
    return this.#baseline;
  }

  /** The same with its rows matched to those of the shown run. @param snapshots texts to follow lines by */
  comparison(snapshots: Snapshots | null): Baseline | null {
    if (!this.#baseline || !this.#index) return null;
    this.#comparison ??= new Baseline(this.#baseline, this.#index.profile, snapshots);
    return this.#comparison;
  }

  /** More texts of edited files are at hand: what could not be followed may be now. */
  textsAdded(): void {
    this.#comparison = null;
  }

  get selection(): Selection {
    return this.#selection;
  }

  /** What the selection points at, as far as the source has lines of it. */
  get sourceFocus(): SourceFocus | null {
    return this.#index && sourceFocus(this.#index.profile, this.#selection.focus);
  }

  /** @throws UsageError when nothing is open yet */
  required(): ProfileIndex {
    if (!this.#index) throw nothingOpen();
    return this.#index;
  }

  /**
   * @param file where the profile is kept; null: only in memory
   * @param groups of the profile, where they are known
   */
  show(profile: Profile, file: string | null, groups?: SourceGroups): void {
    this.#opened = profile;
    this.#phases = null;
    this.#index = new ProfileIndex(profile, exactly, null, null, groups);
    this.#windowed = null;
    this.#setBaseline(null);
    const id = file ?? `unsaved:${++this.#unsaved}`;
    this.#selection = firstSelection(profile, id);
  }

  /** Compares the shown profile with another; null: with none. */
  compare(profile: Profile | null, file: string | null): void {
    this.required();
    this.#setBaseline(profile);
    this.#selection = { ...this.#selection, baseline: profile && (file ?? `unsaved:${++this.#unsaved}`) };
  }

  /** The profile is kept in this file from now on. */
  savedAs(file: string): void {
    this.#selection = { ...this.#selection, profile: file };
  }

  clear(): void {
    this.#opened = null;
    this.#phases = null;
    this.#index = null;
    this.#windowed = null;
    this.#setBaseline(null);
    this.#selection = nothingSelected;
  }

  /**
   * Makes the placements in other tiers that a change of the selection needs, so that selecting is quick. Changes to tiers
   * are not worth another thread's beginning: `select` places in them.
   * @throws UsageError for tiers that are not
   */
  async placeFor(change: Partial<Selection>, placeAnew: PlaceAnew): Promise<void> {
    this.required();
    const wanted = this.#tiersOf(change);
    if (wanted.tierChanges.length > 0) return;
    for (const profile of [this.#opened, this.#compared]) {
      if (!profile || ownTiers(profile, wanted) || this.#kept(profile, wanted)) continue;
      this.#keep(profile, wanted, await placeAnew(profile, optionsFor(profile, wanted.tiers)));
    }
  }

  /** What was changed of some tiers is no change to others. */
  #tiersOf({ tiers = this.#selection.tiers, tierChanges }: Partial<Selection>): Tiers {
    const same = tiers === this.#selection.tiers;
    return { tiers, tierChanges: tierChanges ?? (same ? this.#selection.tierChanges : []) };
  }

  #kept(profile: Profile, tiers: Tiers): Placement | undefined {
    return this.#placements.get(profile)?.get(keyOf(tiers));
  }

  /** Every position of a slider is another placement: only the last one of changed tiers is kept. */
  #keep(profile: Profile, tiers: Tiers, placement: Placement): Placement {
    const kept = this.#placements.get(profile) ?? new Map<string, Placement>();
    for (const key of kept.keys()) if (key.includes(CHANGED)) kept.delete(key);
    this.#placements.set(profile, kept.set(keyOf(tiers), placement));
    return placement;
  }

  /** The profile with its objects in other tiers. */
  #placedIn(profile: Profile, wanted: Tiers): Profile {
    if (ownTiers(profile, wanted)) return profile;
    const { tiers, tierChanges } = wanted;
    const options = optionsFor(profile, tiers);
    const placement =
      this.#kept(profile, wanted) ?? this.#keep(profile, wanted, placeObjects(profile, options, tierChanges));
    return { ...withPlacement(profile, placement), options };
  }

  /**
   * @returns whether the marks in the source change with it
   * @throws UsageError naming what the profile does not have; the selection stays as it was
   */
  select(change: Partial<Selection>): boolean {
    const shown = this.required();
    const before = this.#selection;
    let next = { ...before, ...change, ...this.#tiersOf(change), ...this.#stretch(change) };
    for (const key of ['profile', 'baseline'] as const) {
      // A comparison can be ended here; another one needs its profile first (`pagelens/compare`).
      if (next[key] !== before[key] && !(key === 'baseline' && next.baseline === null)) {
        throw new UsageError(
          l10n.t('{0} {1}: this profile has {2} only', key, next[key] ?? 'none', before[key] ?? 'none'),
        );
      }
    }
    checkTracker(shown.profile, next.tracker);
    checkWindow(shown.profile, next.window);
    checkFocus(shown.profile, next.focus);
    let exact = shown.exact;
    if (!sameTiers(next, before)) {
      // The same rows, in other tiers.
      const { groups } = shown.exact;
      exact = new ProfileIndex(this.#placedIn(this.#opened!, next), exactly, null, null, groups);
      // Who followed the recommendation goes on following it.
      const follows = before.policy === shown.profile.placement.recommended && change.policy === undefined;
      if (follows) next = { ...next, policy: exact.profile.placement.recommended };
    }
    checkPolicy(exact.profile, next.policy);
    const anew = exact !== shown.exact || next.tracker !== before.tracker;
    if (anew) {
      this.#index = seenThrough(exact, next.tracker)!;
      this.#setBaseline(this.#compared, next);
      if (change.focus === undefined && next.focus?.kind === 'object') {
        const object = this.#index.objectFromExact(shown.exactObject(next.focus.object));
        next = { ...next, focus: { kind: 'object', object } };
      }
    }
    if (next.baseline === null) this.#setBaseline(null);
    if (anew || next.window !== before.window) this.#windowed = null;
    this.#selection = next;
    if (next.window !== before.window && this.#sourceFollows) return true;
    return (['tracker', 'tiers', 'tierChanges', 'policy', 'baseline'] as const).some(key => next[key] !== before[key]);
  }

  /**
   * A phase and its window change together: choosing a phase chooses its epochs, and a window is of no phase.
   * @throws UsageError for a phase that is not, or that lies elsewhere than the window asked for
   */
  #stretch({ phase, window }: Partial<Selection>): Partial<Selection> {
    if (phase === undefined) return window === undefined ? {} : { window, phase: null };
    if (phase === null) return { phase, window: window ?? null };
    const chosen = this.phases.find(({ id }) => id === phase);
    if (!chosen) {
      const known = this.phases.map(({ id }) => id).join(', ');
      throw new UsageError(
        known
          ? l10n.t('phase {0}: this run has {1}', phase, known)
          : l10n.t('phase {0}: the whole run is one phase', phase),
      );
    }
    if (window !== undefined && String(window) !== String(chosen.window)) {
      const [from, to] = chosen.window;
      throw new UsageError(l10n.t('phase {0}: it is epochs {1} to {2}, not the window asked for', phase, from, to));
    }
    return { phase, window: chosen.window };
  }

  #setBaseline(profile: Profile | null, selection = this.#selection): void {
    this.#compared = profile;
    this.#comparison = null;
    this.#baseline = profile && seenThrough(new ProfileIndex(this.#placedIn(profile, selection)), selection.tracker);
  }
}

/** null: the profile has no such tracker, or it names no pages. */
function seenThrough(exact: ProfileIndex, tracker: string): ProfileIndex | null {
  if (tracker === 'exact') return exact;
  const result = exact.profile.trackers.find(({ id }) => id === tracker);
  if (!result?.pageReads && !result?.pageWrites) return null;
  const { profile, objectRow } = project(exact.profile, result);
  return new ProfileIndex(profile, seenBy(tracker), exact, objectRow);
}

/** Between a tier set and the changes to it, in the key of a placement; no id of a tier set and no path has it. */
const CHANGED = '\0';

function keyOf({ tiers, tierChanges }: Tiers): string {
  return tierChanges.length === 0 ? tiers : `${tiers}${CHANGED}${JSON.stringify(tierChanges)}`;
}

const sameTiers = (a: Tiers, b: Tiers) => keyOf(a) === keyOf(b);

/** Whether the profile was placed in them when it was made. */
function ownTiers({ options }: Profile, { tiers, tierChanges }: Tiers): boolean {
  return tiers === options.tiers && tierChanges.length === 0;
}

/** Capacities that were asked for belong to the tiers that they were asked for. */
function optionsFor({ options }: Profile, tiers: string): ReplayOptions {
  return { ...options, tiers, capacity: tiers === options.tiers ? options.capacity : [] };
}

function checkTracker({ trackers }: Profile, tracker: string): void {
  const result = trackers.find(({ id }) => id === tracker);
  if (tracker === 'exact' || result?.pageReads || result?.pageWrites) return;
  if (result)
    throw new UsageError(l10n.t('tracker {0}: it names no pages, so nothing can be shown as it sees it', tracker));
  const known = trackers.map(({ id }) => id).filter(id => id !== 'exact');
  throw new UsageError(l10n.t('tracker {0}: not in this profile; it has {1}', tracker, ['exact', ...known].join(', ')));
}

function checkWindow({ epochs }: Profile, window: Selection['window']): void {
  if (window === null) return;
  const [from, to] = window;
  const whole = Number.isInteger(from) && Number.isInteger(to);
  if (!whole || from < 0 || to <= from || to > epochs.count) {
    throw new UsageError(l10n.t("window {0} to {1}: must lie within the profile's {2} epochs", from, to, epochs.count));
  }
}

function checkFocus({ objects, pages }: Profile, focus: Focus | null): void {
  if (focus === null) return;
  const isRow = (row: number, count: number) => Number.isInteger(row) && row >= 0 && row < count;
  if (focus.kind === 'object') {
    if (isRow(focus.object, objects.count)) return;
    throw new UsageError(l10n.t('focus on allocation {0}: the profile has {1}', focus.object, objects.count));
  }
  if (focus.kind === 'page') {
    if (isRow(focus.page, pages.count)) return;
    throw new UsageError(l10n.t('focus on page {0}: the profile has {1}', focus.page, pages.count));
  }
  if (focus.kind === 'line' && typeof focus.file === 'string' && Number.isInteger(focus.line) && focus.line > 0) return;
  throw new UsageError(l10n.t('focus: must be an allocation, a page or a line of a file'));
}

function checkPolicy({ placement }: Profile, policy: string): void {
  const policies = [...placement.policies, placement.oracle].map(({ id }) => id);
  if (policies.includes(policy)) return;
  throw new UsageError(l10n.t('policy {0}: not in this profile; it has {1}', policy, policies.join(', ')));
}
