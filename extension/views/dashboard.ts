/**
 * The dashboard in its three places: the side panel, an editor tab, and the editor of `*.pagelens` and `*.pltrace`.
 * The extension relays between webview and core without reading what is asked or answered.
 */
import { randomBytes } from 'node:crypto';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { FromWebview, Location, Requests, ToWebview, ViewId } from '../../core/protocol.js';
import { type Core, reasonOf } from '../core.js';
import { commands, dashboardPanel, linkable } from '../ids.js';
import { dashboardHtml } from './dashboardHtml.js';
import { savePicture } from './savePicture.js';

/** What a page may ask of core; starting programs and writing files stay with commands, which the user sees. */
const relayed: ReadonlySet<keyof Requests> = new Set<keyof Requests>([
  'pagelens/view',
  'pagelens/select',
  'pagelens/selection',
  'pagelens/phases',
  'pagelens/hotRegions',
  'pagelens/lineHeat',
]);

/** A page that there is: whether the user sees it, and whether its script has said that it listens. */
interface Shown {
  readonly visible: () => boolean;
  readonly listening: boolean;
}

export class Dashboards implements vscode.WebviewViewProvider, vscode.Disposable {
  readonly #open = new Map<vscode.Webview, Shown>();
  readonly #subscriptions: vscode.Disposable[];
  #panel: vscode.WebviewPanel | null = null;
  /** What the next page that is ready shows. */
  #wanted: ViewId | null = null;

  constructor(readonly core: Core) {
    this.#subscriptions = [
      core.onSelection(selection => this.#broadcast({ kind: 'selection', selection })),
      core.onProgress(progress => this.#broadcast({ kind: 'progress', progress })),
      core.onLiveHeat(heat => this.#broadcast({ kind: 'liveHeat', heat })),
    ];
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    view.onDidDispose(this.attach(view.webview, () => view.visible));
  }

  /** The dashboard as a tab; one is enough, a second call brings it to the front. */
  openPanel(): void {
    if (this.#panel) {
      this.#panel.reveal();
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      dashboardPanel,
      'Pagelens',
      vscode.ViewColumn.Active,
      this.#options(),
    );
    const media = vscode.Uri.joinPath(this.core.context.extensionUri, 'extension/media');
    // A tab's icon is drawn as it is, unlike the activity bar's, which is a mask in the theme's colour.
    panel.iconPath = {
      light: vscode.Uri.joinPath(media, 'tab-light.svg'),
      dark: vscode.Uri.joinPath(media, 'tab-dark.svg'),
    };
    const detach = this.attach(panel.webview, () => panel.visible);
    panel.onDidDispose(() => {
      detach();
      this.#panel = null;
    });
    this.#panel = panel;
  }

  /** Whether the user sees one. */
  get visible(): boolean {
    return [...this.#open.values()].some(page => page.visible());
  }

  /** Brings a view to the front in the dashboards that are in sight; opens one if there is none. */
  show(view: ViewId): void {
    const inSight = [...this.#open.values()].filter(page => page.visible());
    if (inSight.length === 0) this.openPanel();
    if (inSight.some(page => page.listening)) this.#broadcast({ kind: 'show', view });
    else this.#wanted = view;
  }

  #options() {
    const dist = vscode.Uri.joinPath(this.core.context.extensionUri, 'dist');
    return { enableScripts: true, localResourceRoots: [dist] as const };
  }

  /** Shows the page in a webview; call the result when the webview is gone. */
  attach(webview: vscode.Webview, visible: () => boolean): () => void {
    const [dist] = this.#options().localResourceRoots;
    const asset = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(dist, name)).toString();
    webview.options = this.#options();
    this.#open.set(webview, { visible, listening: false });
    const listener = webview.onDidReceiveMessage((message: FromWebview) => void this.#received(webview, message));
    webview.html = dashboardHtml({
      cspSource: webview.cspSource,
      script: asset('webview.js'),
      style: asset('webview.css'),
      codicons: asset('codicon.css'),
      nonce: randomBytes(16).toString('hex'),
      language: vscode.env.language,
      bundle: vscode.l10n.bundle,
    });
    return () => {
      listener.dispose();
      this.#open.delete(webview);
    };
  }

  async #received(webview: vscode.Webview, message: FromWebview): Promise<void> {
    switch (message.kind) {
      case 'ready':
        this.#listening(webview);
        if (this.core.selection) this.#send(webview, { kind: 'selection', selection: this.core.selection });
        if (this.#wanted) this.#send(webview, { kind: 'show', view: this.#wanted });
        this.#wanted = null;
        return;
      case 'request':
        return this.#relay(webview, message);
      case 'reveal':
        return reveal(await placeNow(this.core, message.location));
      case 'command':
        if (linkable.includes(message.command)) await vscode.commands.executeCommand(message.command);
        return;
      case 'copy':
        return vscode.env.clipboard.writeText(message.text);
      case 'savePicture':
        return savePicture(message);
    }
  }

  #listening(webview: vscode.Webview): void {
    const page = this.#open.get(webview);
    if (page) this.#open.set(webview, { ...page, listening: true });
  }

  async #relay(webview: vscode.Webview, { id, method, params }: FromWebview & { kind: 'request' }): Promise<void> {
    try {
      if (!relayed.has(method)) throw new Error(`${method} cannot be asked from the dashboard`);
      const ok = await this.core.request(method, params as never);
      this.#send(webview, { kind: 'reply', id, result: { ok } });
    } catch (error) {
      this.#send(webview, { kind: 'reply', id, result: { err: reasonOf(error) } });
    }
  }

  #send(webview: vscode.Webview, message: ToWebview): void {
    // The page may be gone before its answer.
    if (this.#open.has(webview)) void webview.postMessage(message);
  }

  #broadcast(message: ToWebview): void {
    for (const webview of this.#open.keys()) this.#send(webview, message);
  }

  dispose(): void {
    this.#panel?.dispose();
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}

/** Of a line that is named as it was built: where its file is on this machine, and where the line is after edits. */
export async function placeNow(core: Core, built: Location): Promise<Location> {
  return core.hasProfile ? core.request('pagelens/sourceFile', built) : built;
}

/** Shows a line of source beside the dashboard, where the user's other sources are. */
export async function reveal({ file, line }: Location): Promise<void> {
  try {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
    const at = new vscode.Position(Math.min(Math.max(line, 1), document.lineCount) - 1, 0);
    const viewColumn = vscode.window.visibleTextEditors[0]?.viewColumn ?? vscode.ViewColumn.One;
    const editor = await vscode.window.showTextDocument(document, { viewColumn, selection: new vscode.Range(at, at) });
    editor.revealRange(new vscode.Range(at, at), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  } catch {
    const map = vscode.l10n.t('Map paths...');
    const message = vscode.l10n.t(
      '{0} is not on this machine; the program was built elsewhere. Choose the folder that holds its sources.',
      path.basename(file),
    );
    if ((await vscode.window.showWarningMessage(message, map)) === map) {
      await vscode.commands.executeCommand(commands.mapPaths);
    }
  }
}
