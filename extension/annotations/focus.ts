/**
 * What the user points at, linked both ways: the cursor on a marked line becomes the selection's focus, and a focus that
 * comes from a dashboard is shown in the editors, without moving the cursor.
 */
import * as vscode from 'vscode';
import type { Focus } from '../../core/protocol.js';
import type { Core } from '../core.js';
import type { Dashboards } from '../views/dashboard.js';
import { type LineMarks, markedSchemes } from './lineMarks.js';

/** A cursor that only passes points at nothing. */
const restMs = 250;

export class FocusLink implements vscode.Disposable {
  readonly #subscriptions: vscode.Disposable[];
  /** With a dashed edge: seen without colour, too. */
  readonly #type = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('editor.rangeHighlightBackground'),
    borderStyle: 'dashed',
    borderWidth: '0 0 0 3px',
    borderColor: new vscode.ThemeColor('focusBorder'),
    overviewRulerColor: new vscode.ThemeColor('focusBorder'),
    overviewRulerLane: vscode.OverviewRulerLane.Center,
  });
  #timer: NodeJS.Timeout | undefined;
  #shown: Focus | null = null;

  constructor(
    readonly core: Core,
    readonly dashboards: Dashboards,
    readonly marks: LineMarks,
  ) {
    this.#subscriptions = [
      this.#type,
      vscode.window.onDidChangeTextEditorSelection(({ textEditor, kind }) => {
        // Only what the user did: going to a line from a dashboard moves the cursor as well.
        if (kind === vscode.TextEditorSelectionChangeKind.Command || !kind) return;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => void this.#point(textEditor), restMs);
      }),
      core.onSelection(({ focus }) => {
        if (JSON.stringify(focus) === JSON.stringify(this.#shown)) return;
        this.#shown = focus;
        void this.#draw();
      }),
      core.onAnnotations(() => this.#shown && void this.#draw()),
      vscode.window.onDidChangeVisibleTextEditors(() => this.#shown && void this.#draw()),
    ];
  }

  async #point(editor: vscode.TextEditor): Promise<void> {
    const heat = this.marks.heatOf(editor.document);
    const mark = heat?.lines.find(({ line }) => line === editor.selection.active.line + 1);
    if (!heat || !mark || !this.dashboards.visible) return;
    const focus: Focus = { kind: 'line', file: heat.file, line: mark.built };
    if (JSON.stringify(focus) === JSON.stringify(this.core.selection?.focus)) return;
    // The cursor says where the focus is; nothing is drawn for it in the editor.
    this.#shown = focus;
    this.#clear();
    await this.core.request('pagelens/select', { focus }).catch(error => this.core.log.warn(String(error)));
  }

  #clear(): void {
    for (const editor of vscode.window.visibleTextEditors) editor.setDecorations(this.#type, []);
  }

  async #draw(): Promise<void> {
    if (!this.#shown) return this.#clear();
    const editors = vscode.window.visibleTextEditors.filter(({ document }) =>
      markedSchemes.includes(document.uri.scheme),
    );
    await Promise.all(editors.map(editor => this.#drawIn(editor)));
  }

  async #drawIn(editor: vscode.TextEditor): Promise<void> {
    const { document } = editor;
    const { version } = document;
    const lines = await this.core.request('pagelens/focusLines', { uri: document.uri.toString() }).catch(() => []);
    if (document.version !== version || document.isClosed) return;
    const cursor = editor === vscode.window.activeTextEditor ? editor.selection.active.line + 1 : 0;
    const ranges = lines
      .filter(line => line <= document.lineCount && !(lines.length === 1 && line === cursor))
      .map(line => document.lineAt(line - 1).range);
    editor.setDecorations(this.#type, ranges);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}
