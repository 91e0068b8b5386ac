/** What a view of the dashboard is: one file that makes one element, and one line in views.ts. */
import type { LiveHeat, Location, Selection, ViewData, ViewId, ViewQuery } from '../../core/protocol.js';
import type { State } from '../state.js';

export interface ViewKind {
  readonly id: ViewId;
  readonly label: string;
  /** A codicon; narrow panels show it alone for the tabs that are not in front. */
  readonly icon: string;
  /** Its view has `live`. */
  readonly live?: boolean;
  create(context: ViewContext): View;
}

export interface View {
  readonly element: HTMLElement;
  /**
   * Asks core and shows the answer; on first sight, and whenever the selection changed since. Rejects with the reason
   * when core cannot answer. The page shows loading, error and "no profile" itself.
   */
  load(): Promise<void>;
  /** Shows a recording that goes on in place of the profile; `load` follows when it has ended. */
  live?(heat: LiveHeat): void;
}

export interface ViewContext {
  /** The selection at the time of the call. */
  selection(): Selection;
  /** @throws NoProfile when none is open */
  ask(query: Omit<ViewQuery, 'view'> & { readonly view?: ViewId }): Promise<ViewData>;
  /** Changes the selection for every view; the views that show it load again. */
  select(change: Partial<Selection>): Promise<void>;
  reveal(location: Location): void;
  /** Brings another view to the front. */
  show(view: ViewId): void;
  /** Runs a command of the editor; only those that a page may ask for. */
  run(command: string): void;
  /** Puts a text on the clipboard. */
  copy(text: string): void;
  /** Asks the user for a file and writes the picture into it; see picture.ts. */
  savePicture(picture: { name: string; svg: string; pngBase64: string }): void;
  state(): State;
  remember(change: Partial<State>): void;
  /** Shows a failure of something that was begun in the view itself, such as a zoom. */
  failed(error: unknown): void;
  /** Says something once to a screen reader. */
  announce(text: string): void;
}

/** The answer that there is nothing to show yet. */
export class NoProfile extends Error {}
