/** What the marks in the source are made of: all of it at hand, so that an editor never waits for them. */
import type { Selection } from '../protocol.js';
import type { SourceFocus } from './focusLines.js';
import type { RunBefore } from './runBefore.js';
import type { Snapshots } from './snapshots.js';
import type { SourceIndex } from './sourceIndex.js';

export interface Marked {
  readonly selection: Selection;
  /** What the selection points at, as far as the source has lines of it. */
  readonly sourceFocus: SourceFocus | null;
  /** The run, or the selected window of it, in the selected tiers, as the selected tracker sees it; null: none is shown. */
  readonly index: SourceIndex | null;
  /** The run that it is compared with, seen as it is; null: none. */
  readonly baseline: SourceIndex | null;
  /** The same with its rows matched to those of the shown run. @param snapshots texts to follow lines by */
  comparison(snapshots: Snapshots | null): RunBefore | null;
}
