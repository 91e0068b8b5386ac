/**
 * The language server: standard LSP (code lens, hover, inlay hints, incremental sync) and the requests of
 * `core/protocol.ts` on one connection. It wires; the answers come from `annotator.ts`, at once, and from the keeper, on
 * another thread.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Connection,
  ErrorCodes,
  type InitializeResult,
  type MarkupContent,
  ResponseError,
  TextDocumentSyncKind,
  TextDocuments,
} from 'vscode-languageserver/node';
import { messageOf, UsageError } from '../errors.js';
import type { Failure } from '../model/failure.js';
import * as l10n from '../model/l10n.js';
import { optionTexts } from '../options.js';
import type { FilesReport, Notifications, ProfileSummary, Requests } from '../protocol.js';
import { findPrograms } from '../record/programs.js';
import { isTrace } from '../session.js';
import { Annotator } from './annotator.js';
import type { Backend, Hooks } from './backend.js';
import { failureOf } from './failure.js';
import { wireHeat } from './heat/wireHeat.js';
import type { Change } from './keeper/requests.js';
import { LocalSources } from './localSources.js';
import { Mirror } from './mirror.js';
import { proposeMapping } from './pathMap.js';
import { Pause } from './pause.js';
import { summaryOf } from './selection.js';
import { clientAbilities, defaultSettings, type Settings, settingsOf } from './settings.js';
import { SourceDocument } from './sourceDocument.js';

/** Serves until the connection closes. */
export function serve(connection: Connection, backend: Backend): void {
  const { keeper } = backend;
  const mirror = new Mirror();
  const local = new LocalSources();
  const pause = new Pause();
  let annotator = new Annotator(mirror, clientAbilities({}), local);
  /** Folders of the workspace, absolute. */
  let folders: readonly string[] = [];
  let settings: Settings = defaultSettings;
  /** Set while a program is profiled or a trace replayed: one at a time, each wants the whole machine. */
  let running: string | null = null;
  /** Opens and closes the window of recording of the program that runs. */
  let setWindow: ((open: boolean) => void) | null = null;

  const documents = new TextDocuments<SourceDocument>({
    create: (uri, languageId, version, text) => new SourceDocument(uri, languageId, version, text, local.snapshots),
    update: (document, changes, version) => {
      document.update(changes, version);
      return document;
    },
  });

  /** An editor that is closing hears no more, and nobody misses it. */
  const notify = <M extends keyof Notifications>(method: M, params: Notifications[M]) => {
    const send = async () => connection.sendNotification(method, params);
    send().catch(() => {});
  };

  /** Answers are in the editor's language from the first on: the keeper takes up requests in their order. */
  const speak = (language: string, bundle: l10n.Bundle) => {
    l10n.speak(language, bundle);
    void keeper.request('speak', { language, bundle });
  };

  connection.onInitialize(({ initializationOptions, capabilities, locale, workspaceFolders }): InitializeResult => {
    const abilities = clientAbilities(initializationOptions);
    speak(locale ?? 'en', abilities.bundle);
    annotator = new Annotator(mirror, abilities, local);
    settings = settingsOf(initializationOptions?.settings);
    if (abilities.textFolder) local.keepTextsIn(abilities.textFolder);
    const uris = (workspaceFolders ?? []).map(({ uri }) => uri);
    folders = uris.filter(uri => uri.startsWith('file:')).map(uri => fileURLToPath(uri));
    local.configure(folders, settings.pathMapping);
    refreshLenses = capabilities.workspace?.codeLens?.refreshSupport === true;
    refreshHints = capabilities.workspace?.inlayHint?.refreshSupport === true && !abilities.lineHeat;
    return {
      serverInfo: { name: 'pagelens', version: backend.version },
      capabilities: {
        textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
        codeLensProvider: { resolveProvider: true },
        hoverProvider: true,
        workspace: { fileOperations: { didRename: { filters: [{ scheme: 'file', pattern: { glob: '**' } }] } } },
        ...(abilities.lineHeat ? {} : { inlayHintProvider: true }),
      },
    };
  });

  // Whoever shows marks asks again: lenses and hints by the protocol's own refresh, heat by our notification.
  let refreshLenses = false;
  let refreshHints = false;
  const refresh = () => {
    // An editor that is closing does not answer, and then nobody misses the answer.
    if (refreshLenses) connection.sendRequest('workspace/codeLens/refresh').catch(() => {});
    if (refreshHints) connection.sendRequest('workspace/inlayHint/refresh').catch(() => {});
  };
  const selectionChanged = (marksToo = true) => {
    notify('pagelens/selectionChanged', mirror.selection);
    if (!marksToo) return;
    notify('pagelens/annotationsChanged', { uris: null });
    refresh();
  };
  /** A file that no editor shows, as it is on disk. */
  const closedDocument = (file: string) => {
    const document = SourceDocument.read(file, local.snapshots);
    if (document) annotator.bind(document);
    return document;
  };
  const rebind = () => {
    for (const document of documents.all()) annotator.bind(document);
  };
  /** Takes up what the keeper changed. The hover's heat comes in a pause: marks do not wait for it. */
  const follow = async (change: Change) => {
    mirror.follow(change);
    if (change.shown) void addHistory();
    await followEdits();
  };
  /** Lends the keeper the texts of files that changed since the run before: lines are followed by them. */
  const followEdits = async () => {
    const texts = mirror.wantedTexts(hash => local.snapshots.get(hash));
    if (texts.size > 0) mirror.follow(await keeper.request('texts', { texts }));
  };
  const addHistory = async () => {
    const { index } = mirror;
    await pause.next();
    if (index !== mirror.index) return;
    try {
      const history = await keeper.request('history', null);
      if (index && index === mirror.index) index.history = history;
    } catch (error) {
      // The rest of the file is no profile's: nothing of it is to be trusted.
      if (index !== mirror.index) return;
      mirror.follow(await keeper.request('clear', null));
      profileChanged();
      connection.window.showErrorMessage(l10n.shown(messageOf(error)));
    }
  };
  const profileChanged = () => {
    local.show(mirror.index?.profile ?? null);
    rebind();
    selectionChanged();
    void pause.next().then(lookAtFiles);
  };
  const opened = async (change: Change): Promise<ProfileSummary> => {
    const followed = follow(change);
    const summary = summaryOf(mirror.required().profile, change.selection.profile!);
    await followed;
    profileChanged();
    return summary;
  };
  /** Files that turn out to lie elsewhere, and contents that become known, give marks to documents without sure ones. */
  const lookAtFiles = async (): Promise<FilesReport | null> => {
    const report = await local.report();
    // Marks are as sure without them, but for edited files after a restart: no reason to fail.
    void local.keepTexts().catch(error => connection.console.warn(`source texts are not kept: ${messageOf(error)}`));
    await followEdits();
    const unsure = documents.all().filter(document => !document.bound || document.stale !== null);
    for (const document of unsure) annotator.bind(document);
    const changed = mirror.baseline ? documents.all() : unsure;
    const uris = changed.filter(document => annotator.knows(document)).map(({ uri }) => uri);
    if (uris.length > 0) {
      notify('pagelens/annotationsChanged', { uris });
      refresh();
    }
    return report;
  };

  connection.onDidChangeConfiguration(({ settings: sections }) => {
    settings = settingsOf(sections?.pagelens);
    if (local.configure(folders, settings.pathMapping)) {
      rebind();
      notify('pagelens/annotationsChanged', { uris: null });
      void lookAtFiles();
    }
    refresh();
  });
  connection.workspace.onDidRenameFiles(({ files }) => {
    for (const { oldUri, newUri } of files) local.sources?.renamed(fileURLToPath(oldUri), fileURLToPath(newUri));
    rebind();
    notify('pagelens/annotationsChanged', { uris: null });
    refresh();
  });

  documents.onDidOpen(({ document }) => {
    annotator.bind(document);
    if (annotator.knows(document)) notify('pagelens/annotationsChanged', { uris: [document.uri] });
  });
  documents.onDidChangeContent(({ document }) => {
    // The other side of a diff is now another state of the file.
    if (document.past) annotator.bind(document);
    if (annotator.knows(document)) notify('pagelens/annotationsChanged', { uris: [document.uri] });
  });
  documents.onDidClose(({ document }) => annotator.forget(document.uri));

  connection.onCodeLens(({ textDocument }) => {
    pause.asked();
    const document = documents.get(textDocument.uri);
    return document ? annotator.lenses(document, settings) : [];
  });
  connection.onCodeLensResolve(lens => {
    pause.asked();
    return annotator.resolveLens(lens, documents.get(lens.data.uri));
  });
  connection.onHover(({ textDocument, position }) => {
    const document = documents.get(textDocument.uri);
    return document ? annotator.hover(document, position, settings) : null;
  });
  connection.languages.inlayHint.on(({ textDocument, range }) => {
    const document = documents.get(textDocument.uri);
    return document ? annotator.inlayHints(document, range.start.line, range.end.line) : [];
  });

  /** Long work: progress out, cancellation in, one at a time. */
  async function exclusively<T>(
    what: string,
    token: { onCancellationRequested(listener: () => void): unknown },
    work: (hooks: Hooks) => Promise<T>,
  ): Promise<T> {
    if (running) throw new UsageError(l10n.t('{0} is still going on; wait for it or cancel it', running));
    running = what;
    const abort = new AbortController();
    token.onCancellationRequested(() => abort.abort());
    try {
      return await work({
        onProgress: progress => notify('pagelens/progress', { ...progress, message: l10n.shown(progress.message) }),
        onHeat: heat => notify('pagelens/liveHeat', wireHeat(heat)),
        onOutput: text => connection.console.log(text.trimEnd()),
        onWindow: set => {
          setWindow = set;
        },
        signal: abort.signal,
      });
    } finally {
      running = null;
      setWindow = null;
    }
  }

  handle('pagelens/profile', (request, token) =>
    exclusively(
      l10n.t('profiling {0}', path.basename(request.program)),
      token,
      async (hooks): Promise<ProfileSummary> => {
        const profile = await backend.profileProgram(request, hooks);
        return opened(await keeper.request('showRun', { profile, saveTo: request.saveTo ?? null }));
      },
    ),
  );
  handle('pagelens/window', ({ open }) => {
    if (!setWindow) throw new UsageError(l10n.t('nothing is being recorded: start profiling first'));
    setWindow(open);
    return null;
  });
  handle('pagelens/findPrograms', ({ folder }) => findPrograms(folder));
  handle('pagelens/open', ({ file, options }, token) =>
    exclusively(l10n.t('opening {0}', path.basename(file)), token, async (hooks): Promise<ProfileSummary> => {
      if (!isTrace(file)) return opened(await keeper.request('open', { file }));
      const profile = await backend.replayTrace(file, options ?? {}, hooks);
      return opened(await keeper.request('show', { profile, file }));
    }),
  );
  handle('pagelens/compare', async ({ file }, token) => {
    if (file === null) {
      await follow(await keeper.request('compare', null));
      selectionChanged();
      return mirror.selection;
    }
    const { options } = mirror.required().profile;
    return exclusively(l10n.t('opening {0}', path.basename(file)), token, async hooks => {
      // A trace is replayed as the shown profile was, so that only the runs differ.
      const profile = isTrace(file) ? await backend.replayTrace(file, optionTexts(options), hooks) : undefined;
      await follow(await keeper.request('compare', { file, profile }));
      selectionChanged();
      return mirror.selection;
    });
  });
  handle('pagelens/save', async ({ file }) => {
    await follow(await keeper.request('save', { file }));
    notify('pagelens/selectionChanged', mirror.selection);
    return null;
  });
  handle('pagelens/export', request => keeper.request('export', request));
  handle('pagelens/clear', async () => {
    await follow(await keeper.request('clear', null));
    profileChanged();
    return null;
  });
  handle('pagelens/select', async change => {
    const { marksToo, ...changed } = await keeper.request('select', change);
    await follow(changed);
    selectionChanged(marksToo);
    return mirror.selection;
  });
  handle('pagelens/phases', () => keeper.request('phases', null));
  handle('pagelens/selection', () => mirror.selection);
  handle('pagelens/lineHeat', ({ uri }) => {
    pause.asked();
    const document = documents.get(uri);
    return document ? annotator.heat(document) : null;
  });
  handle('pagelens/hotRegions', ({ uri, limit }) => {
    if (uri === null) return annotator.hotRegions(null, limit);
    const document = documents.get(uri);
    return document ? annotator.hotRegions(document, limit) : [];
  });
  handle('pagelens/explain', ({ uri, line }) => {
    const document = documents.get(uri);
    const asked = { ...settings, hover: true };
    const hover = document ? annotator.hover(document, { line: line - 1, character: 0 }, asked) : null;
    return hover ? (hover.contents as MarkupContent).value : null;
  });
  handle('pagelens/files', lookAtFiles);
  handle('pagelens/sourceFile', location =>
    annotator.locate(location, file => {
      const open = documents.all().find(document => document.path === file && !document.past);
      return open ?? closedDocument(file);
    }),
  );
  handle('pagelens/focusLines', ({ uri }) => {
    const document = documents.get(uri);
    return document ? annotator.focusLines(document) : [];
  });
  handle('pagelens/legend', () => annotator.legend());
  handle('pagelens/proposeMapping', async ({ folder }) => {
    const missing = (await local.report())?.missingFiles ?? [];
    return proposeMapping(missing, folder, existsSync);
  });
  handle('pagelens/view', query => keeper.request('view', query));

  /** One typed handler of the request table. Whatever goes wrong reaches the user as one line. */
  function handle<M extends keyof Requests>(
    method: M,
    handler: (
      params: Requests[M]['params'],
      token: { onCancellationRequested(listener: () => void): unknown },
    ) => Requests[M]['result'] | Promise<Requests[M]['result']>,
  ): void {
    connection.onRequest<unknown, Failure>(method, async (params: Requests[M]['params'], token) => {
      try {
        return await handler(params, token);
      } catch (error) {
        throw new ResponseError(ErrorCodes.InternalError, l10n.shown(messageOf(error)), failureOf(error));
      }
    });
  }

  documents.listen(connection);
  connection.listen();
}
