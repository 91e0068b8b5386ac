/**
 * What the language server asks of the keeper: the thread that has the whole profile, answers the dashboard and changes
 * the selection, so that the thread which answers the editor never waits for any of it (design, truth 8).
 */

import type { Bundle } from '../../model/l10n.js';
import type { Profile, SourceProfile } from '../../model/profile.js';
import type { Matching } from '../../profile/matching.js';
import type { ExportFormat, PhaseFacts, Selection, ViewData, ViewQuery } from '../../protocol.js';
import type { SourceFocus } from '../focusLines.js';
import type { History } from '../history.js';
import type { SourceGroups } from '../sourceGroups.js';

/** What the source's marks need of a run. Its columns lie in memory that both threads look at. */
export interface SourceView {
  readonly profile: SourceProfile;
  readonly groups: SourceGroups;
  /** Epochs that it is of; null: the whole run. */
  readonly window: readonly [number, number] | null;
}

/** What is selected after a request, and as much of what is shown as that changed. */
export interface Change {
  readonly selection: Selection;
  readonly sourceFocus: SourceFocus | null;
  /** The run that is shown; null: none. Left out: as before. */
  readonly shown?: SourceView | null;
  /** The run that it is compared with and which row is which. Likewise. */
  readonly before?: (SourceView & { readonly matching: Matching }) | null;
}

export interface KeeperRequests {
  /** The language of what is answered from then on; see `l10n.speak`. */
  speak: { params: { language: string; bundle: Bundle }; result: null };
  /** Opens a saved profile. Its largest tables are read with the first question that needs them. */
  open: { params: { file: string }; result: Change };
  /** Shows a profile that was replayed from a trace. */
  show: { params: { profile: Profile; file: string }; result: Change };
  /** Saves and shows a new run, beside the one before of the same program. */
  showRun: { params: { profile: Profile; saveTo: string | null }; result: Change };
  /** Compares the shown run with a saved profile or with one that was replayed; null: with none. */
  compare: { params: { file: string; profile?: Profile } | null; result: Change };
  /** Texts of edited files by their hashes: lines of the run before are followed by them. */
  texts: { params: { texts: ReadonlyMap<string, string> }; result: Change };
  select: { params: Partial<Selection>; result: Change & { marksToo: boolean } };
  save: { params: { file: string }; result: Change };
  export: { params: { file: string; format: ExportFormat }; result: null };
  clear: { params: null; result: Change };
  phases: { params: null; result: readonly PhaseFacts[] };
  /** null: no profile is shown. */
  view: { params: ViewQuery; result: ViewData | null };
  /** Of the run that is shown; null: none is. */
  history: { params: null; result: History | null };
}

/** The keeper as the other thread sees it. */
export interface KeeperLink {
  /** Rejects with the keeper's one-line reason. */
  request<M extends keyof KeeperRequests>(
    method: M,
    params: KeeperRequests[M]['params'],
  ): Promise<KeeperRequests[M]['result']>;
}

export type KeeperHandlers = {
  readonly [M in keyof KeeperRequests]: (
    params: KeeperRequests[M]['params'],
  ) => KeeperRequests[M]['result'] | Promise<KeeperRequests[M]['result']>;
};
