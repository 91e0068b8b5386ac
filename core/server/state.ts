/** The one profile that is shown and the one selection into it (design, section 6, "State"). */
import { UsageError } from '../errors.js';
import type { Profile } from '../model/profile.js';
import type { ProfileSummary, Selection } from '../protocol.js';
import { exitText } from './annotations.js';
import { ProfileIndex } from './profileIndex.js';

const nothing: Selection = {
  profile: null,
  tracker: 'exact',
  tiers: '',
  policy: '',
  phase: null,
  window: null,
  focus: null,
  baseline: null,
};

export class State {
  #index: ProfileIndex | null = null;
  #selection: Selection = nothing;
  #unsaved = 0;

  get index(): ProfileIndex | null {
    return this.#index;
  }

  get selection(): Selection {
    return this.#selection;
  }

  /** @throws UsageError when nothing is open yet */
  required(): ProfileIndex {
    if (!this.#index) throw new UsageError('no profile is open; run "Profile page accesses" or open a .pagelens file');
    return this.#index;
  }

  /** @param file where the profile is kept; null: only in memory */
  show(profile: Profile, file: string | null): ProfileSummary {
    this.#index = new ProfileIndex(profile);
    const id = file ?? `unsaved:${++this.#unsaved}`;
    const { tiers } = profile.options;
    this.#selection = { ...nothing, profile: id, tiers, policy: profile.placement.recommended };
    return summary(profile, id);
  }

  /** The profile is kept in this file from now on. */
  savedAs(file: string): void {
    this.#selection = { ...this.#selection, profile: file };
  }

  clear(): void {
    this.#index = null;
    this.#selection = nothing;
  }

  /** @throws UsageError naming what the profile does not have */
  select(change: Partial<Selection>): void {
    const { profile } = this.required();
    const next = { ...this.#selection, ...change };
    const policies = [...profile.placement.policies, profile.placement.oracle].map(policy => policy.id);
    const fixed = ['profile', 'tiers', 'tracker', 'phase'] as const;
    for (const key of fixed) {
      if (next[key] !== this.#selection[key]) {
        throw new UsageError(`${key} ${next[key]}: this profile has ${this.#selection[key] ?? 'none'} only`);
      }
    }
    if (!policies.includes(next.policy)) {
      throw new UsageError(`policy ${next.policy}: not in this profile; it has ${policies.join(', ')}`);
    }
    if (next.window) {
      const [from, to] = next.window;
      const whole = Number.isInteger(from) && Number.isInteger(to);
      if (!whole || from < 0 || to <= from || to > profile.epochs.count) {
        throw new UsageError(`window ${from} to ${to}: must lie within the profile's ${profile.epochs.count} epochs`);
      }
    }
    this.#selection = next;
  }
}

function summary(profile: Profile, id: string): ProfileSummary {
  const { program, totals } = profile;
  return {
    profile: id,
    program: program.path,
    reads: totals.reads,
    writes: totals.writes,
    pages: totals.pagesTouched,
    complete: program.complete,
    exit: exitText(profile),
    warnings: profile.warnings,
  };
}
