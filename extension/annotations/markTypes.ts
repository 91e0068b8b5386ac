/** Decoration types of the marks: one a class and height of the bar, made when it is first needed. */
import * as vscode from 'vscode';
import type { AnnotationKind } from '../config.js';
import { colors } from '../ids.js';
import { type BarLevel, gutterIcon, type MarkKind } from './icons.js';

export class MarkTypes implements vscode.Disposable {
  readonly #types = new Map<string, vscode.TextEditorDecorationType>();

  constructor(readonly shown: ReadonlySet<AnnotationKind>) {}

  get(kind: MarkKind, level: BarLevel): vscode.TextEditorDecorationType {
    const key = `${kind} ${level}`;
    let type = this.#types.get(key);
    if (!type) this.#types.set(key, (type = this.#create(kind, level)));
    return type;
  }

  /** Those that were needed so far: what has no marks now must lose its old ones. */
  all(): Iterable<vscode.TextEditorDecorationType> {
    return this.#types.values();
  }

  #create(kind: MarkKind, level: BarLevel): vscode.TextEditorDecorationType {
    return vscode.window.createTextEditorDecorationType({
      ...(this.shown.has('gutter')
        ? {
            dark: { gutterIconPath: vscode.Uri.parse(gutterIcon(kind, level, 'dark')) },
            light: { gutterIconPath: vscode.Uri.parse(gutterIcon(kind, level, 'light')) },
            gutterIconSize: 'contain',
          }
        : {}),
      // The ruler shows where to look in a long file; cold lines are everywhere and would only fill it.
      ...(this.shown.has('overviewRuler') && kind !== 'cold'
        ? {
            overviewRulerColor: new vscode.ThemeColor(colors[kind]),
            overviewRulerLane: vscode.OverviewRulerLane.Right,
          }
        : {}),
      rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
    });
  }

  dispose(): void {
    for (const type of this.#types.values()) type.dispose();
  }
}
