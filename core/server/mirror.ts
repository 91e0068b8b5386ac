/**
 * What the thread that answers the editor knows of the keeper's state: the source's part of what is shown. All of it is
 * at hand, so that a lens or a hover never waits for the keeper.
 */
import type { Matching } from '../profile/matching.js';
import type { Selection } from '../protocol.js';
import type { SourceFocus } from './focusLines.js';
import type { Change, SourceView } from './keeper/requests.js';
import type { Marked } from './marked.js';
import { RunBefore } from './runBefore.js';
import { seenBy } from './seen.js';
import { nothingOpen, nothingSelected } from './selection.js';
import { SourceIndex } from './sourceIndex.js';

class MatchedRun extends RunBefore {
  constructor(
    readonly index: SourceIndex,
    readonly matching: Matching,
  ) {
    super();
  }
}

export class Mirror implements Marked {
  #selection = nothingSelected;
  #sourceFocus: SourceFocus | null = null;
  #index: SourceIndex | null = null;
  #before: RunBefore | null = null;

  get selection(): Selection {
    return this.#selection;
  }

  get sourceFocus(): SourceFocus | null {
    return this.#sourceFocus;
  }

  get index(): SourceIndex | null {
    return this.#index;
  }

  get baseline(): SourceIndex | null {
    return this.#before?.index ?? null;
  }

  comparison(): RunBefore | null {
    return this.#before;
  }

  /** @throws UsageError when nothing is open yet */
  required(): SourceIndex {
    if (!this.#index) throw nothingOpen();
    return this.#index;
  }

  /** Follows the keeper; its changes come in the order in which they were made. */
  follow({ selection, sourceFocus, shown, before }: Change): void {
    const indexOf = ({ profile, groups, window }: SourceView) =>
      new SourceIndex(profile, seenBy(selection.tracker), groups, window);
    this.#selection = selection;
    this.#sourceFocus = sourceFocus;
    if (shown !== undefined) this.#index = shown && indexOf(shown);
    if (before !== undefined) this.#before = before && new MatchedRun(indexOf(before), before.matching);
  }

  /**
   * Texts that the keeper lacks to follow lines of the run before: of files that changed between the two.
   * @param text of a file's content by its hash; undefined: not known
   */
  wantedTexts(text: (sha256: string) => string | undefined): Map<string, string> {
    const texts = new Map<string, string>();
    const run = this.#before;
    if (!run || !this.#index) return texts;
    for (const file of run.matching.unfollowed) {
      const hashes = [this.#index.profile.files[file].sha256, run.profile.files[run.matching.files[file]].sha256];
      const known = hashes.map(hash => text(hash));
      // One alone follows nothing.
      if (known.includes(undefined)) continue;
      for (const [i, hash] of hashes.entries()) texts.set(hash, known[i]!);
    }
    return texts;
  }
}
