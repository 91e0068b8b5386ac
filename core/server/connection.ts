/**
 * The language server: standard LSP (code lens, hover, inlay hints, incremental sync) and the requests of
 * `core/protocol.ts` on one connection. It wires; the answers come from `annotator.ts` and `views/`.
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
import { optionTexts } from '../options.js';
import type { Notifications, ProfileSummary, Requests } from '../protocol.js';
import { findPrograms } from '../record/programs.js';
import { Annotator } from './annotator.js';
import type { Backend, Hooks } from './backend.js';
import { failureOf } from './failure.js';
import { wireHeat } from './heat/wireHeat.js';
import { LocalSources } from './localSources.js';
import { proposeMapping } from './pathMap.js';
import { clientAbilities, defaultSettings, type Settings, settingsOf } from './settings.js';
import { SourceDocument } from './sourceDocument.js';
import { State } from './state.js';
import { views } from './views/views.js';

/** Serves until the connection closes. */
export function serve(connection: Connection, backend: Backend): void {
  const state = new State();
  const local = new LocalSources();
  let annotator = new Annotator(state, clientAbilities({}), local);
  /** Folders of the workspace, absolute. */
  let folders: readonly string[] = [];
  let settings: Settings = defaultSettings;
  /** Set while a program is profiled or a trace replayed: one at a time, each wants the whole machine. */
  let running: string | null = null;

  const documents = new TextDocuments<SourceDocument>({
    create: (uri, languageId, version, text) => new SourceDocument(uri, languageId, version, text, local.snapshots),
    update: (document, changes, version) => {
      document.update(changes, version);
      return document;
    },
  });

  const notify = <M extends keyof Notifications>(method: M, params: Notifications[M]) =>
    void connection.sendNotification(method, params);

  connection.onInitialize(({ initializationOptions, capabilities, workspaceFolders }): InitializeResult => {
    const abilities = clientAbilities(initializationOptions);
    annotator = new Annotator(state, abilities, local);
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
    notify('pagelens/selectionChanged', state.selection);
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
  const profileChanged = () => {
    local.show(state.index?.profile ?? null);
    rebind();
    selectionChanged();
    void lookAtFiles();
  };
  /** Files that turn out to lie elsewhere, and contents that become known, give marks to documents without sure ones. */
  const lookAtFiles = async () => {
    await local.report();
    // Marks are as sure without them, but for edited files after a restart: no reason to fail.
    void local.keepTexts().catch(error => connection.console.warn(`source texts are not kept: ${messageOf(error)}`));
    state.textsAdded();
    const unsure = documents.all().filter(document => !document.bound || document.stale !== null);
    for (const document of unsure) annotator.bind(document);
    const changed = state.baseline ? documents.all() : unsure;
    const uris = changed.filter(document => annotator.knows(document)).map(({ uri }) => uri);
    if (uris.length === 0) return;
    notify('pagelens/annotationsChanged', { uris });
    refresh();
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
    const document = documents.get(textDocument.uri);
    return document ? annotator.lenses(document, settings) : [];
  });
  connection.onCodeLensResolve(lens => annotator.resolveLens(lens, documents.get(lens.data.uri)));
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
    if (running) throw new UsageError(`${running} is still going on; wait for it or cancel it`);
    running = what;
    const abort = new AbortController();
    token.onCancellationRequested(() => abort.abort());
    try {
      return await work({
        onProgress: progress => notify('pagelens/progress', progress),
        onHeat: heat => notify('pagelens/liveHeat', wireHeat(heat)),
        onOutput: text => connection.console.log(text.trimEnd()),
        signal: abort.signal,
      });
    } finally {
      running = null;
    }
  }

  handle('pagelens/profile', (request, token) =>
    exclusively(`profiling ${path.basename(request.program)}`, token, async (hooks): Promise<ProfileSummary> => {
      const profile = await backend.profileProgram(request, hooks);
      // The run before this one of the same program is what one wants to compare with.
      const before = state.opened?.program.path === profile.program.path ? state.opened : null;
      let kept = state.selection.profile;
      if (request.saveTo) {
        if (before && kept === request.saveTo) kept = await backend.keepPrevious(request.saveTo);
        await backend.saveProfile(profile, request.saveTo);
      }
      const summary = state.show(profile, request.saveTo ?? null);
      if (before) state.compare(before, kept);
      profileChanged();
      return summary;
    }),
  );
  handle('pagelens/findPrograms', ({ folder }) => findPrograms(folder));
  handle('pagelens/open', ({ file, options }, token) =>
    exclusively(`opening ${path.basename(file)}`, token, async (hooks): Promise<ProfileSummary> => {
      const summary = state.show(await backend.openProfile(file, options ?? {}, hooks), file);
      profileChanged();
      return summary;
    }),
  );
  handle('pagelens/compare', ({ file }, token) => {
    if (file === null) {
      state.compare(null, null);
      selectionChanged();
      return state.selection;
    }
    const { options } = state.required().profile;
    return exclusively(`opening ${path.basename(file)}`, token, async hooks => {
      // A trace is replayed as the shown profile was, so that only the runs differ.
      state.compare(await backend.openProfile(file, optionTexts(options), hooks), file);
      selectionChanged();
      return state.selection;
    });
  });
  handle('pagelens/save', async ({ file }) => {
    await backend.saveProfile(state.placed(), file);
    state.savedAs(file);
    notify('pagelens/selectionChanged', state.selection);
    return null;
  });
  handle('pagelens/export', async ({ file, format }) => {
    await backend.exportProfile(state.placed(), file, format);
    return null;
  });
  handle('pagelens/clear', () => {
    state.clear();
    profileChanged();
    return null;
  });
  handle('pagelens/select', async change => {
    if (change.tiers !== undefined) await state.placeIn(change.tiers, backend.placeAnew);
    selectionChanged(state.select(change));
    return state.selection;
  });
  handle('pagelens/selection', () => state.selection);
  handle('pagelens/lineHeat', ({ uri }) => {
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
  handle('pagelens/files', () => local.report());
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
  handle('pagelens/view', query => {
    const index = state.viewIndex;
    if (!index) return null;
    if (!Object.hasOwn(views, query.view)) {
      throw new UsageError(`view ${query.view}: unknown; known: ${Object.keys(views).join(', ')}`);
    }
    const { facts, columns = {} } = views[query.view](index, query, state.selection, state.comparison(local.snapshots));
    return { view: query.view, facts, columns };
  });

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
        throw new ResponseError(ErrorCodes.InternalError, messageOf(error), failureOf(error));
      }
    });
  }

  documents.listen(connection);
  connection.listen();
}
