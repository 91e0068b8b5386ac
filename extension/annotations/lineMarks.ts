/**
 * End-of-line text, gutter icons and overview ruler, drawn from core's line heat. Core knows where the marked lines are
 * now; this file only draws, and asks again when core says that something changed.
 */
import * as vscode from 'vscode';
import type { FileHeat, LineHeat } from '../../core/protocol.js';
import { type AnnotationKind, section, shownAnnotations } from '../config.js';
import type { Core } from '../core.js';
import { colors } from '../ids.js';
import { margins, widthOf } from './columns.js';
import { gutterIcon } from './icons.js';

export type Hotness = LineHeat['hotness'];
type Kind = Hotness | 'stale';
const kinds: readonly Kind[] = ['hot', 'warm', 'cold', 'stale'];

/** Typing sends a change for every key; the marks follow once it pauses, the editor itself moves them until then. */
const settleMs = 120;

export class LineMarks implements vscode.Disposable {
  readonly #subscriptions: vscode.Disposable[];
  #types: Readonly<Record<Kind, vscode.TextEditorDecorationType>>;
  #shown = shownAnnotations();
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly core: Core) {
    this.#types = decorationTypes(this.#shown);
    this.#subscriptions = [
      core.onAnnotations(() => this.#later()),
      vscode.window.onDidChangeVisibleTextEditors(() => this.#later(0)),
      vscode.workspace.onDidChangeConfiguration(change => {
        if (change.affectsConfiguration(`${section}.annotations`)) this.#reconfigure();
      }),
    ];
  }

  #reconfigure(): void {
    for (const kind of kinds) this.#types[kind].dispose();
    this.#shown = shownAnnotations();
    this.#types = decorationTypes(this.#shown);
    this.#later(0);
  }

  #later(delay = settleMs): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#drawAll(), delay);
  }

  async #drawAll(): Promise<void> {
    if (!this.core.started) return;
    const editors = vscode.window.visibleTextEditors.filter(editor => editor.document.uri.scheme === 'file');
    await Promise.all(editors.map(editor => this.#draw(editor)));
  }

  async #draw(editor: vscode.TextEditor): Promise<void> {
    const { document } = editor;
    const { version } = document;
    // Nobody waits for marks: a failed request leaves the file clean, and core logs why.
    const heat = await this.core.request('pagelens/lineHeat', { uri: document.uri.toString() }).catch(() => null);
    // Edited meanwhile: the answer is for another text, and the next one is under way.
    if (document.version !== version || document.isClosed) return;
    const marks = marksOf(heat, editor, this.#shown);
    for (const kind of kinds) editor.setDecorations(this.#types[kind], marks[kind]);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const kind of kinds) this.#types[kind].dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}

function decorationTypes(shown: ReadonlySet<AnnotationKind>): Record<Kind, vscode.TextEditorDecorationType> {
  const create = (kind: Kind) =>
    vscode.window.createTextEditorDecorationType({
      ...(shown.has('gutter')
        ? {
            dark: { gutterIconPath: vscode.Uri.parse(gutterIcon(kind, 'dark')) },
            light: { gutterIconPath: vscode.Uri.parse(gutterIcon(kind, 'light')) },
            gutterIconSize: 'contain',
          }
        : {}),
      // The ruler shows where to look in a long file; cold lines are everywhere and would only fill it.
      ...(shown.has('overviewRuler') && kind !== 'cold'
        ? {
            overviewRulerColor: new vscode.ThemeColor(colors[kind]),
            overviewRulerLane: vscode.OverviewRulerLane.Right,
          }
        : {}),
      rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
    });
  return { hot: create('hot'), warm: create('warm'), cold: create('cold'), stale: create('stale') };
}

function marksOf(
  heat: FileHeat | null,
  editor: vscode.TextEditor,
  shown: ReadonlySet<AnnotationKind>,
): Record<Kind, vscode.DecorationOptions[]> {
  const marks: Record<Kind, vscode.DecorationOptions[]> = { hot: [], warm: [], cold: [], stale: [] };
  const { document } = editor;
  const lines = (heat?.lines ?? []).filter(({ line }) => line <= document.lineCount);
  // Texts only where there is something to say; a cold line has its small bar in the gutter.
  const texts = shown.has('endOfLine') ? lines.filter(({ hotness }) => hotness !== 'cold') : [];
  const tabSize = Number(editor.options.tabSize) || 4;
  const spaces = margins(texts.map(({ line }) => ({ line, width: widthOf(document.lineAt(line - 1).text, tabSize) })));
  const spaceOf = new Map(texts.map(({ line }, i) => [line, spaces[i] ?? 0]));
  for (const mark of lines) {
    const kind: Kind = mark.stale ? 'stale' : mark.hotness;
    const { end } = document.lineAt(mark.line - 1).range;
    const space = spaceOf.get(mark.line);
    marks[kind].push({
      range: new vscode.Range(end, end),
      ...(space === undefined ? {} : { renderOptions: { after: textAfter(mark, kind, space) } }),
      ...(mark.stale && shown.has('hover') ? { hoverMessage: vscode.l10n.t('Pagelens: {0}', mark.stale) } : {}),
    });
  }
  return marks;
}

function textAfter(mark: LineHeat, kind: Kind, space: number): vscode.ThemableDecorationAttachmentRenderOptions {
  return {
    contentText: mark.stale ? vscode.l10n.t('{0} (stale)', mark.text) : mark.text,
    color: new vscode.ThemeColor(colors[kind]),
    fontStyle: 'normal',
    margin: `0 0 0 ${space}ch`,
  };
}
