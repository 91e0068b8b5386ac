/** Keeps the profile: its state, its views and its files, behind `KeeperRequests`. */
import { UsageError } from '../../errors.js';
import * as l10n from '../../model/l10n.js';
import type { Placement, Profile, ReplayOptions } from '../../model/profile.js';
import type { StoredProfile } from '../../profile/file.js';
import type { ExportFormat } from '../../protocol.js';
import type { Baseline } from '../baseline.js';
import { historyOf } from '../history.js';
import { exactly } from '../seen.js';
import { firstSelection } from '../selection.js';
import { Snapshots } from '../snapshots.js';
import { groupedRows, type SourceGroups } from '../sourceGroups.js';
import { SourceIndex } from '../sourceIndex.js';
import { State } from '../state.js';
import { views } from '../views/views.js';
import type { Change, KeeperHandlers, KeeperLink, KeeperRequests, SourceView } from './requests.js';
import { shared, sharedSource, withSharedSource } from './shared.js';

/** What the keeper needs of the rest of core. A parameter, so that tests bring profiles of their own. */
export interface KeeperFiles {
  /** Reads a `.pagelens` file. @throws UsageError */
  load(file: string): Promise<StoredProfile>;
  save(profile: Profile, file: string): Promise<void>;
  export(profile: Profile, file: string, format: ExportFormat): Promise<void>;
  /** Puts a saved profile aside, since the next run is saved in its place; null when it is not there. */
  keepPrevious(file: string): Promise<string | null>;
  /** Places a run's objects in other tiers, on a thread of its own: an optimal assignment may take a while. */
  placeAnew(profile: Profile, options: ReplayOptions): Promise<Placement>;
}

/** A profile of which the source's part is shown, and the rest not yet read. */
interface Coming {
  readonly file: string;
  readonly stored: StoredProfile;
  readonly groups: SourceGroups;
  /** Set when somebody needs the rest. */
  whole: Promise<void> | null;
}

export class Keeper implements KeeperLink {
  readonly #state = new State();
  readonly #snapshots = new Snapshots();
  #coming: Coming | null = null;
  /** What the other thread was told of. */
  #toldIndex: SourceIndex | null = null;
  #toldBefore: Baseline | null = null;

  constructor(readonly files: KeeperFiles) {}

  async request<M extends keyof KeeperRequests>(
    method: M,
    params: KeeperRequests[M]['params'],
  ): Promise<KeeperRequests[M]['result']> {
    return this.#handlers[method](params);
  }

  readonly #handlers: KeeperHandlers = {
    speak: ({ language, bundle }) => {
      l10n.speak(language, bundle);
      return null;
    },
    open: async ({ file }) => {
      const stored = await this.files.load(file);
      const index = new SourceIndex(stored.source, exactly, shared(groupedRows(stored.source)));
      this.#state.clear();
      this.#coming = { file, stored, groups: index.groups, whole: null };
      this.#toldIndex = index;
      this.#toldBefore = null;
      return {
        selection: firstSelection(stored.source, file),
        sourceFocus: null,
        shown: viewOf(index),
        before: null,
      };
    },
    show: ({ profile, file }) => this.#show(profile, file),
    showRun: async ({ profile, saveTo }) => {
      await this.#whole();
      const { opened, selection } = this.#state;
      // The run before this one of the same program is what one wants to compare with.
      const before = opened?.program.path === profile.program.path ? opened : null;
      let kept = selection.profile;
      if (saveTo) {
        if (before && kept === saveTo) kept = await this.files.keepPrevious(saveTo);
        await this.files.save(profile, saveTo);
      }
      const shown = this.#show(profile, saveTo);
      if (!before) return shown;
      this.#state.compare(before, kept);
      return { ...shown, ...this.#change() };
    },
    compare: async run => {
      await this.#whole();
      if (run === null) this.#state.compare(null, null);
      else {
        const profile = run.profile ?? (await (await this.files.load(run.file)).whole());
        this.#state.compare(withSharedSource(profile), run.file);
      }
      return this.#change();
    },
    texts: async ({ texts }) => {
      await this.#whole();
      for (const [hash, text] of texts) this.#snapshots.keep(hash, text);
      this.#state.textsAdded();
      return this.#change();
    },
    select: async change => {
      await this.#whole();
      await this.#state.placeFor(change, this.files.placeAnew);
      const marksToo = this.#state.select(change);
      return { ...this.#change(), marksToo };
    },
    save: async ({ file }) => {
      await this.#whole();
      await this.files.save(this.#state.placed(), file);
      this.#state.savedAs(file);
      return this.#change();
    },
    export: async ({ file, format }) => {
      await this.#whole();
      await this.files.export(this.#state.placed(), file, format);
      return null;
    },
    clear: () => {
      this.#coming = null;
      this.#state.clear();
      return this.#change();
    },
    phases: async () => {
      await this.#whole();
      return this.#state.phases;
    },
    view: async query => {
      await this.#whole();
      const index = this.#state.viewIndex;
      if (!index) return null;
      if (!Object.hasOwn(views, query.view)) {
        throw new UsageError(l10n.t('view {0}: unknown; known: {1}', query.view, Object.keys(views).join(', ')));
      }
      const baseline = this.#state.comparison(this.#snapshots);
      const { facts, columns = {} } = views[query.view](index, query, this.#state.selection, baseline);
      return { view: query.view, facts, columns };
    },
    history: async () => {
      await this.#whole();
      const { index } = this.#state;
      return index && shared(historyOf(index.profile));
    },
  };

  /** Reads the rest of what is shown, if it is not there yet. @throws UsageError when that makes no sense */
  async #whole(): Promise<void> {
    const coming = this.#coming;
    if (!coming) return;
    coming.whole ??= coming.stored.whole().then(
      profile => {
        // Something else may have been opened meanwhile.
        if (this.#coming !== coming) return;
        this.#coming = null;
        this.#state.show(profile, coming.file, coming.groups);
        // It is what was told of.
        this.#toldIndex = this.#state.sourceIndex;
      },
      error => {
        if (this.#coming === coming) this.#coming = null;
        throw error;
      },
    );
    await coming.whole;
  }

  #show(profile: Profile, file: string | null): Change {
    this.#coming = null;
    this.#state.show(withSharedSource(profile), file);
    return this.#change();
  }

  /** What is selected, and what the other thread does not know of yet. */
  #change(): Change {
    const { sourceIndex: index, selection, sourceFocus } = this.#state;
    const before = this.#state.sourceComparison(this.#snapshots);
    const change: Change = {
      selection,
      sourceFocus,
      ...(index !== this.#toldIndex && { shown: index && viewOf(index) }),
      ...(before !== this.#toldBefore && {
        before: before && { ...viewOf(before.index), matching: shared(before.matching) },
      }),
    };
    this.#toldIndex = index;
    this.#toldBefore = before;
    return change;
  }
}

function viewOf({ profile, groups, window }: SourceIndex): SourceView {
  return { profile: sharedSource(profile), groups: shared(groups), window };
}
