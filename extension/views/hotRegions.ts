/** The native list of hot functions and allocations; it follows the active editor. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { HotRegion } from '../../core/protocol.js';
import { type MatchedFiles, matchedText } from '../annotations/matchedFiles.js';
import type { Core } from '../core.js';
import { colors, views } from '../ids.js';

const limit = 50;

/** The class as a shape, too: colour alone tells nothing. */
const icons = { hot: 'flame', warm: 'circle-filled', cold: 'circle-outline' } as const;

export class HotRegions implements vscode.TreeDataProvider<HotRegion>, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #view: vscode.TreeView<HotRegion>;
  readonly #subscriptions: vscode.Disposable[];

  constructor(
    readonly core: Core,
    readonly files: MatchedFiles,
  ) {
    this.#view = vscode.window.createTreeView(views.hotRegions, { treeDataProvider: this });
    this.#subscriptions = [
      this.#view,
      this.#changed,
      core.onAnnotations(() => this.#changed.fire()),
      files.onChange(() => this.#explainFiles()),
      vscode.window.onDidChangeActiveTextEditor(() => this.#changed.fire()),
    ];
  }

  /** Only what is not as it should be is said: that some files have no marks, or grey ones. */
  #explainFiles(): void {
    const { report } = this.files;
    const complete = !report || report.matched === report.total;
    this.#view.message = complete ? '' : `${matchedText(report)}.`;
  }

  /** Of the active file when the profile knows it, else of the whole program. */
  async getChildren(parent?: HotRegion): Promise<HotRegion[]> {
    if (parent || !this.core.hasProfile) return [];
    const active = vscode.window.activeTextEditor?.document.uri;
    const ask = (uri: string | null) => this.core.request('pagelens/hotRegions', { uri, limit }).catch(() => []);
    const ofFile = active?.scheme === 'file' ? await ask(active.toString()) : [];
    this.#view.description =
      ofFile.length > 0 && active ? path.basename(active.fsPath) : vscode.l10n.t('whole program');
    return [...(ofFile.length > 0 ? ofFile : await ask(null))];
  }

  getTreeItem({ label, detail, hotness, location }: HotRegion): vscode.TreeItem {
    const item = new vscode.TreeItem(label);
    item.description = detail;
    item.tooltip = `${label}\n${hotness} · ${detail}`;
    item.iconPath = new vscode.ThemeIcon(icons[hotness], new vscode.ThemeColor(colors[hotness]));
    item.accessibilityInformation = { label: `${label}, ${hotness}, ${detail}` };
    if (location) {
      const at = new vscode.Position(location.line - 1, 0);
      item.command = {
        command: 'vscode.open',
        title: vscode.l10n.t('Go to source'),
        arguments: [vscode.Uri.file(location.file), { selection: new vscode.Range(at, at), preserveFocus: true }],
      };
    }
    return item;
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}
