/**
 * Core as the extension sees it: typed requests, events, and a language client that starts with the first need.
 *
 * The client's library is loaded then, too: activation stays far below its 50 ms, and a window in which nobody profiles
 * has no server.
 */
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import type { LiveHeat, Notifications, ProfileProgress, Requests, Selection } from '../core/protocol.js';
import { section } from './config.js';
import { CoreProcess } from './coreProcess.js';
import { commands, linkable, views } from './ids.js';

export class Core implements vscode.Disposable {
  readonly #selection = new vscode.EventEmitter<Selection>();
  readonly #annotations = new vscode.EventEmitter<Notifications['pagelens/annotationsChanged']>();
  readonly #progress = new vscode.EventEmitter<ProfileProgress | null>();
  readonly #liveHeat = new vscode.EventEmitter<LiveHeat>();
  readonly onSelection = this.#selection.event;
  readonly onAnnotations = this.#annotations.event;
  /** null: the work ended. */
  readonly onProgress = this.#progress.event;
  /** The heat of a recording that goes on. */
  readonly onLiveHeat = this.#liveHeat.event;
  #client: Promise<LanguageClient> | null = null;
  #lastSelection: Selection | null = null;

  constructor(
    readonly context: vscode.ExtensionContext,
    readonly log: vscode.LogOutputChannel,
  ) {}

  /** Whether core runs: who only mirrors its state need not start it. */
  get started(): boolean {
    return this.#client !== null;
  }

  /** The latest selection that core told of; null before the first. */
  get selection(): Selection | null {
    return this.#lastSelection;
  }

  get hasProfile(): boolean {
    return this.#lastSelection?.profile != null;
  }

  /** Rejects with core's one-line reason. */
  async request<M extends keyof Requests>(
    method: M,
    params: Requests[M]['params'],
    token?: vscode.CancellationToken,
  ): Promise<Requests[M]['result']> {
    const client = await this.#start();
    // An argument that is undefined would be sent as a second parameter, and core's handlers have the token there.
    return token
      ? client.sendRequest<Requests[M]['result']>(method, params, token)
      : client.sendRequest<Requests[M]['result']>(method, params);
  }

  /** Starts core before it is asked to open this file, which it reads meanwhile; nothing where it runs already. */
  expect(file: string): void {
    // Whoever asks next hears of a failure.
    this.#start(file).catch(() => {});
  }

  /** Folder for what belongs to the workspace, and without one to the user. */
  get storage(): string {
    const { storageUri, globalStorageUri } = this.context;
    return (storageUri ?? globalStorageUri).fsPath;
  }

  progressEnded(): void {
    this.#progress.fire(null);
  }

  #start(file?: string): Promise<LanguageClient> {
    this.#client ??= this.#launch(file).catch(error => {
      this.#client = null;
      throw error;
    });
    return this.#client;
  }

  async #launch(file?: string): Promise<LanguageClient> {
    const server = new CoreProcess(path.join(this.context.extensionPath, 'dist', 'server.cjs'), this.log, file);
    const { LanguageClient, State } = await import('./languageClient.js');
    const client = new LanguageClient(section, 'Pagelens', () => server.connect(), {
      // Every local file that the profile knows has marks, whatever its language; so has what a diff compares it with.
      documentSelector: [{ scheme: 'file' }, { scheme: 'git' }],
      outputChannel: this.log,
      synchronize: { configurationSection: section },
      markdown: { isTrusted: { enabledCommands: linkable } },
      initializationOptions: {
        lineHeat: true,
        textFolder: path.join(this.storage, 'texts'),
        lensCommand: `${views.dashboard}.focus`,
        hoverLinks: [
          { title: vscode.l10n.t('Open dashboard'), command: commands.openDashboard },
          { title: vscode.l10n.t('Profile again'), command: commands.rerun },
          { title: vscode.l10n.t('Legend'), command: commands.showLegend },
        ],
        bundle: vscode.l10n.bundle ?? {},
        settings: vscode.workspace.getConfiguration(section),
      },
    });
    client.onNotification('pagelens/selectionChanged', (selection: Selection) => this.#selected(selection));
    client.onNotification('pagelens/annotationsChanged', (change: Notifications['pagelens/annotationsChanged']) =>
      this.#annotations.fire(change),
    );
    client.onNotification('pagelens/progress', (progress: ProfileProgress) => this.#progress.fire(progress));
    client.onNotification('pagelens/liveHeat', (heat: LiveHeat) => this.#liveHeat.fire(heat));
    client.onDidChangeState(({ oldState, newState }) => {
      // Core died; the client restarts it, empty. What was kept is opened again, so that the marks come back.
      if (oldState === State.Running && newState === State.Stopped) this.#lost = this.#lastSelection?.profile ?? null;
      else if (newState === State.Running && this.#lost) this.#reopen(client, this.#lost);
    });
    await client.start();
    return client;
  }

  #lost: string | null = null;

  #reopen(client: LanguageClient, file: string): void {
    this.#lost = null;
    this.#selected({ ...this.#lastSelection!, profile: null });
    this.#annotations.fire({ uris: null });
    if (!path.isAbsolute(file)) return;
    client.sendRequest('pagelens/open', { file }).catch(error => this.log.error(String(error)));
  }

  #selected(selection: Selection): void {
    this.#lastSelection = selection;
    this.#selection.fire(selection);
  }

  async dispose(): Promise<void> {
    const client = await this.#client?.catch(() => null);
    await client?.dispose();
    for (const emitter of [this.#selection, this.#annotations, this.#progress, this.#liveHeat]) emitter.dispose();
  }
}

/** Core's reason without the JSON-RPC library's wrapping. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
