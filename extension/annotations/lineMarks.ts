/**
 * End-of-line text, gutter icons and overview ruler, drawn from core's line heat. Core knows where the marked lines are
 * now; this file only draws, and asks again when core says that something changed.
 */
import * as vscode from 'vscode';
import type { FileHeat, LineHeat } from '../../core/protocol.js';
import { section, shownAnnotations } from '../config.js';
import type { Core } from '../core.js';
import { colors } from '../ids.js';
import { Columns, widthOf } from './columns.js';
import { barLevel, type MarkKind } from './icons.js';
import { MarkTypes } from './markTypes.js';

/** Typing sends a change for every key; the marks follow once it pauses, the editor itself moves them until then. */
const settleMs = 120;

/** Documents that can have marks: files, and the other side of a diff with a commit. */
export const markedSchemes: readonly string[] = ['file', 'git'];

export class LineMarks implements vscode.Disposable {
  readonly #subscriptions: vscode.Disposable[];
  readonly #heats = new WeakMap<vscode.TextDocument, FileHeat>();
  #columns = new WeakMap<vscode.TextDocument, Columns>();
  #types = new MarkTypes(shownAnnotations());
  #timer: NodeJS.Timeout | undefined;
  /** Lines of the cursors when the marks were last drawn. */
  readonly #cursors = new WeakMap<vscode.TextEditor, string>();

  constructor(readonly core: Core) {
    this.#subscriptions = [
      core.onAnnotations(({ uris }) => {
        // Another profile or selection: everything is new, also where the texts begin.
        if (uris === null) this.#columns = new WeakMap();
        this.#later();
      }),
      vscode.window.onDidChangeVisibleTextEditors(() => this.#later(0)),
      vscode.window.onDidChangeTextEditorOptions(() => {
        this.#columns = new WeakMap();
        this.#later();
      }),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
        const before = this.#cursors.get(textEditor);
        if (before !== undefined && before !== cursorsOf(textEditor)) this.#later();
      }),
      vscode.workspace.onDidChangeConfiguration(change => {
        if (change.affectsConfiguration(`${section}.annotations`)) this.#reconfigure();
      }),
    ];
  }

  /** The marks of a document as they were last drawn; undefined: none. */
  heatOf(document: vscode.TextDocument): FileHeat | undefined {
    return this.#heats.get(document);
  }

  #reconfigure(): void {
    this.#types.dispose();
    this.#types = new MarkTypes(shownAnnotations());
    this.#later(0);
  }

  #later(delay = settleMs): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#drawAll(), delay);
  }

  async #drawAll(): Promise<void> {
    if (!this.core.started) return;
    const editors = vscode.window.visibleTextEditors.filter(({ document }) =>
      markedSchemes.includes(document.uri.scheme),
    );
    await Promise.all(editors.map(editor => this.#draw(editor)));
  }

  async #draw(editor: vscode.TextEditor): Promise<void> {
    const { document } = editor;
    const { version } = document;
    // Nobody waits for marks: a failed request leaves the file clean, and core logs why.
    const heat = await this.core.request('pagelens/lineHeat', { uri: document.uri.toString() }).catch(() => null);
    // Edited meanwhile: the answer is for another text, and the next one is under way.
    if (document.version !== version || document.isClosed) return;
    if (heat) {
      this.#heats.set(document, heat);
      this.#cursors.set(editor, cursorsOf(editor));
    } else {
      this.#heats.delete(document);
      this.#cursors.delete(editor);
    }
    let columns = this.#columns.get(document);
    if (!columns) this.#columns.set(document, (columns = new Columns()));
    const marks = this.#marksOf(heat, editor, columns);
    for (const type of this.#types.all()) editor.setDecorations(type, marks.get(type) ?? []);
  }

  #marksOf(
    heat: FileHeat | null,
    editor: vscode.TextEditor,
    columns: Columns,
  ): Map<vscode.TextEditorDecorationType, vscode.DecorationOptions[]> {
    const marks = new Map<vscode.TextEditorDecorationType, vscode.DecorationOptions[]>();
    const { document } = editor;
    const { shown } = this.#types;
    const lines = (heat?.lines ?? []).filter(({ line }) => line <= document.lineCount);
    // Whoever types in a line sees its text again when the cursor leaves it: it would move with every key.
    const typing = new Set(editor.selections.map(({ active }) => active.line + 1));
    const quiet = (mark: LineHeat) => mark.stale !== null && heat?.stale === null && typing.has(mark.line);
    const texts = lines.filter(mark => mark.hotness !== 'cold' && !quiet(mark));
    const spaces = shown.has('endOfLine') ? spacesOf(texts, editor, columns) : new Map<number, number>();
    for (const mark of lines) {
      const kind: MarkKind = mark.stale ? 'stale' : mark.hotness;
      const type = this.#types.get(kind, barLevel(mark.share));
      const { end } = document.lineAt(mark.line - 1).range;
      const space = spaces.get(mark.line);
      const options: vscode.DecorationOptions = {
        range: new vscode.Range(end, end),
        ...(space === undefined ? {} : { renderOptions: { after: textAfter(mark, kind, space) } }),
        ...(mark.stale && shown.has('hover') ? { hoverMessage: vscode.l10n.t('Pagelens: {0}', mark.stale) } : {}),
      };
      const list = marks.get(type);
      if (list) list.push(options);
      else marks.set(type, [options]);
    }
    return marks;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#types.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}

function cursorsOf(editor: vscode.TextEditor): string {
  return editor.selections.map(({ active }) => active.line).join();
}

/** Space before the text of each line that has one. */
function spacesOf(
  texts: readonly LineHeat[],
  { document, options }: vscode.TextEditor,
  columns: Columns,
): ReadonlyMap<number, number> {
  const tabSize = Number(options.tabSize) || 4;
  const widths = texts.map(({ built, line }) => ({
    built,
    line,
    width: widthOf(document.lineAt(line - 1).text, tabSize),
  }));
  const spaces = columns.spaces(widths);
  return new Map(texts.map(({ line }, i) => [line, spaces[i]!]));
}

function textAfter(mark: LineHeat, kind: MarkKind, space: number): vscode.ThemableDecorationAttachmentRenderOptions {
  return {
    contentText: mark.stale ? vscode.l10n.t('{0} (stale)', mark.text) : mark.text,
    color: new vscode.ThemeColor(colors[kind]),
    fontStyle: 'normal',
    margin: `0 0 0 ${space}ch`,
  };
}
