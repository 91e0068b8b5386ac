/** The server as an editor meets it: JSON-RPC over streams, within one process. */
import { mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type CodeLens,
  type Connection,
  createConnection,
  createProtocolConnection,
  type Hover,
  type InlayHint,
  ProposedFeatures,
  type ProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';
import { UsageError } from '../../core/errors.js';
import type { Profile } from '../../core/model/profile.js';
import { placeObjects } from '../../core/placement/place-objects.js';
import type { StoredProfile } from '../../core/profile/file.js';
import type { FileHeat, HotRegion, ProfileProgress, ProfileSummary, Selection, ViewData } from '../../core/protocol.js';
import type { Backend, Hooks } from '../../core/server/backend.js';
import { serve } from '../../core/server/connection.js';
import { Keeper, type KeeperFiles } from '../../core/server/keeper/keeper.js';
import type { KeeperLink } from '../../core/server/keeper/requests.js';
import { profileOf } from '../helpers/profile.js';
import { profile, source, spec } from './fixture.js';
import { elsewhere, stored } from './keeper.js';

const lensOfSum = 'hot · 70 % of accesses · 100 % read, 0 % write · 6 pages (24 KiB) · HBM';

let folder: string;
let file: string;
let uri: string;
let client: ProtocolConnection;
let backend: Backend & { hooks: Hooks | null };
let files: KeeperFiles & { load: (name: string) => Promise<StoredProfile> };
let saved: string[];
let notified: string[];
let server: Connection;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pagelens-server-'));
  file = path.join(folder, 'prog.c');
  uri = pathToFileURL(file).href;
  writeFileSync(file, source);
  saved = [];
  files = {
    load: async name => stored(profile(file, name.endsWith('other.pagelens') ? 'something else' : source)),
    save: async (_profile, name) => void saved.push(name),
    placeAnew: async (run, options) => placeObjects(run, options),
    keepPrevious: async name => path.join(path.dirname(name), 'previous.pagelens'),
    export: async (_profile, name, format) => void saved.push(`${format}:${name}`),
  };
  backend = {
    version: '0.0.0-test',
    keeper: elsewhere(new Keeper(files)),
    hooks: null,
    profileProgram: async (request, hooks) => {
      backend.hooks = hooks;
      hooks.onProgress({
        stage: 'run',
        accesses: 5,
        accessesPerSecond: 10,
        pages: 1,
        fraction: null,
        message: 'recording',
      });
      if (request.program.endsWith('broken.c')) throw new Error('broken.c:1:\nexpected ";"');
      // `wait` runs until it is cancelled, then hands over what it has, as a real run does.
      if (request.arguments[0] === 'wait') await new Promise(done => hooks.signal.addEventListener('abort', done));
      const full = profile(file);
      return { ...full, program: { ...full.program, complete: !hooks.signal.aborted } };
    },
    replayTrace: async () => profile(file),
  };
});

afterEach(() => {
  client.dispose();
  server.dispose();
});

async function start(initializationOptions: unknown = { lineHeat: true, lensCommand: 'x.focus' }) {
  const [up, down] = [new PassThrough(), new PassThrough()];
  server = createConnection(ProposedFeatures.all, new StreamMessageReader(up), new StreamMessageWriter(down));
  serve(server, backend);
  client = createProtocolConnection(new StreamMessageReader(down), new StreamMessageWriter(up));
  notified = [];
  client.onNotification('pagelens/selectionChanged', (selection: Selection) => {
    notified.push(`selection ${selection.profile && path.basename(selection.profile)}`);
  });
  client.onNotification('pagelens/annotationsChanged', ({ uris }: { uris: string[] | null }) => {
    notified.push(`annotations ${uris ? uris.length : 'all'}`);
  });
  client.onNotification('pagelens/progress', (progress: ProfileProgress) => {
    notified.push(progress.message);
  });
  client.listen();
  const answer = await client.sendRequest<{ capabilities: object }>('initialize', {
    processId: null,
    rootUri: null,
    capabilities: {},
    initializationOptions,
  });
  await client.sendNotification('initialized', {});
  return answer;
}

const open = (text = source, at = uri) =>
  client.sendNotification('textDocument/didOpen', { textDocument: { uri: at, languageId: 'c', version: 1, text } });
const change = (...contentChanges: object[]) =>
  client.sendNotification('textDocument/didChange', { textDocument: { uri, version: 2 }, contentChanges });
const insert = (line: number, text: string) => {
  const at = { line, character: 0 };
  return { range: { start: at, end: at }, text };
};
const openProfile = (name = 'run.pagelens') =>
  client.sendRequest<ProfileSummary>('pagelens/open', { file: path.join(folder, name) });

/** `line text` of every lens, resolved, 1-based. */
async function lenses(at = uri): Promise<string[]> {
  const found = await client.sendRequest<CodeLens[]>('textDocument/codeLens', { textDocument: { uri: at } });
  expect(found.every(lens => lens.command === undefined)).toBe(true);
  const resolved = await Promise.all(found.map(lens => client.sendRequest<CodeLens>('codeLens/resolve', lens)));
  return resolved.map(lens => `${lens.range.start.line + 1} ${lens.command?.title}`);
}
const heat = () => client.sendRequest<FileHeat | null>('pagelens/lineHeat', { uri });

describe('without a profile', () => {
  test('files have no marks, views no data, and saving says what to do first', async () => {
    await start();
    await open();
    expect(await lenses()).toEqual([]);
    expect(await heat()).toBeNull();
    expect(await client.sendRequest('pagelens/view', { view: 'overview' })).toBeNull();
    expect(await client.sendRequest('pagelens/hotRegions', { uri: null, limit: 5 })).toEqual([]);
    await expect(client.sendRequest('pagelens/save', { file: 'x' })).rejects.toThrow(
      'no profile is open; run "Profile page accesses" or open a .pagelens file',
    );
  });
});

describe('lenses', () => {
  test('a lens reads as the design says, and none stands below the percentile', async () => {
    await start({ lineHeat: true, lensCommand: 'x.focus', settings: { lensPercentile: 60 } });
    await open();
    await openProfile();
    // Ranks of three functions: sum 100, fill 67, main 33; of three objects: table 100, stack 67, log_count 33.
    expect(await lenses()).toEqual([
      `2 ${lensOfSum}`,
      '7 warm · 25 % of accesses · 0 % read, 100 % write · 5 pages (20 KiB) · HBM',
      '8 hot · 85 % of accesses · 71 % read, 29 % write · 5 pages (20 KiB) · HBM',
    ]);
  });

  test('lenses come only when they are wanted', async () => {
    await start({ lineHeat: true, settings: { annotations: ['gutter'] } });
    await open();
    await openProfile();
    expect(await lenses()).toEqual([]);
    await client.sendNotification('workspace/didChangeConfiguration', {
      settings: { pagelens: { lensPercentile: 100 } },
    });
    expect(await lenses()).toEqual([`2 ${lensOfSum}`, expect.stringMatching(/^8 hot/)]);
  });

  test('the tooltip states level, window and run', async () => {
    await start();
    await open();
    await openProfile();
    const [lens] = await client.sendRequest<CodeLens[]>('textDocument/codeLens', { textDocument: { uri } });
    const { command } = await client.sendRequest<CodeLens>('codeLens/resolve', lens);
    expect(command?.tooltip).toBe(
      'sum: accesses by its own lines, wherever they were inlined\n' +
        '700 reads, 0 writes of 1,000 accesses\n' +
        'source level, whole run of 4.0 ms modelled time, prog 64 (exit status 0)',
    );
    expect(command?.command).toBe('x.focus');
  });

  test('a file reached through a symbolic link is the same file', async () => {
    await start();
    const link = path.join(folder, 'link.c');
    symlinkSync(file, link);
    await open(source, pathToFileURL(link).href);
    await openProfile();
    expect((await lenses(pathToFileURL(link).href))[0]).toBe(`2 ${lensOfSum}`);
  });
});

describe('marks are bound to content', () => {
  test('lenses and heat move with edits', async () => {
    await start();
    await openProfile();
    await open();
    await change(insert(0, '// one\n'), insert(5, '// two\n'));
    expect((await lenses())[0]).toBe(`3 ${lensOfSum}`);
    const marks = (await heat())!;
    expect(marks.stale).toBeNull();
    expect(marks.lines.map(({ line, text, stale }) => [line, text, stale])).toEqual([
      [5, '700 reads · 70 %', null],
      [11, '250 writes · 25 %', null],
      [15, '49 reads, 1 write · 5.0 %', null],
    ]);
  });

  test('an edited line alone goes grey, and undoing the edit restores it', async () => {
    await start();
    await openProfile();
    await open();
    await change({ range: { start: { line: 3, character: 30 }, end: { line: 3, character: 30 } }, text: '  ' });
    expect((await heat())!.lines.map(({ stale }) => stale)).toEqual([
      'the line was edited since it was recorded',
      null,
      null,
    ]);
    await change({ range: { start: { line: 3, character: 30 }, end: { line: 3, character: 32 } }, text: '' });
    expect((await heat())!.lines.map(({ stale }) => stale)).toEqual([null, null, null]);
  });

  test('a file that differed from the start is shown stale, with the reason', async () => {
    await start();
    await open();
    await openProfile('other.pagelens');
    const marks = (await heat())!;
    expect(marks.stale).toBe('the file differs from what was built and recorded; profile again');
    expect(marks.lines.map(({ line }) => line)).toEqual([4, 9, 13]);
    expect((await lenses())[0]).toBe(`2 stale · ${lensOfSum}`);
  });

  test('a stale file that is changed back to the built content is sure again', async () => {
    writeFileSync(file, 'neither the one nor the other');
    await start();
    await open(`// new\n${source}`);
    await openProfile();
    expect((await heat())!.stale).not.toBeNull();
    await change({ range: { start: { line: 0, character: 0 }, end: { line: 1, character: 0 } }, text: '' });
    expect((await heat())!.stale).toBeNull();
  });

  test('an edited document is followed line by line when the file on disk is what was built', async () => {
    await start();
    await open(`// new\n${source}`);
    await openProfile();
    expect(await client.sendRequest('pagelens/files', {})).toMatchObject({ total: 1, matched: 1 });
    const marks = (await heat())!;
    expect(marks.stale).toBeNull();
    expect(marks.lines.map(({ line, built, stale }) => [line, built, stale])).toEqual([
      [5, 4, null],
      [10, 9, null],
      [14, 13, null],
    ]);
  });

  test('edits that were saved are followed after the file was closed and opened again', async () => {
    await start();
    await openProfile();
    await open();
    await client.sendNotification('textDocument/didClose', { textDocument: { uri } });
    const edited = `// new\n${source}`;
    writeFileSync(file, edited);
    await open(edited);
    expect((await lenses())[0]).toBe(`3 ${lensOfSum}`);
  });

  test('a byte order mark, which an editor drops, does not make a file stale', async () => {
    files.load = async () => stored(profile(file, `\uFEFF${source}`));
    await start();
    await open();
    await openProfile();
    expect((await heat())!.stale).toBeNull();
  });
});

describe('marks follow the file', () => {
  test('after a rename in the editor, with what was edited before', async () => {
    await start();
    await openProfile();
    await open();
    await client.sendNotification('textDocument/didClose', { textDocument: { uri } });
    const moved = path.join(folder, 'moved.c');
    renameSync(file, moved);
    const newUri = pathToFileURL(moved).href;
    await open(`// new\n${source}`, newUri);
    await client.sendNotification('workspace/didRenameFiles', { files: [{ oldUri: uri, newUri }] });
    expect((await lenses(newUri))[0]).toBe(`3 ${lensOfSum}`);
    expect(await client.sendRequest('pagelens/sourceFile', { file, line: 4 })).toEqual({
      file: moved,
      line: 5,
      exists: true,
      stale: null,
    });
  });

  test('on disk, when the file is not open and was edited elsewhere; named by where it is or where it was built', async () => {
    files.load = async () => stored(profile('/build/src/prog.c'));
    await start({ settings: { pathMapping: { '/build/src': folder } } });
    await openProfile();
    // Looked at, its text is kept.
    expect(await client.sendRequest('pagelens/files', {})).toMatchObject({ matched: 1 });
    writeFileSync(file, `// one\n// two\n${source}`);
    for (const name of ['/build/src/prog.c', file]) {
      const found = await client.sendRequest('pagelens/sourceFile', { file: name, line: 4 });
      expect(found).toEqual({ file, line: 6, exists: true, stale: null });
    }
  });

  test('where the setting maps it, at once when the setting changes', async () => {
    const built = '/build/src/prog.c';
    files.load = async () => stored(profile(built));
    // Not the content that was built, by which it would be found without a setting.
    const edited = `// edited\n${source}`;
    writeFileSync(file, edited);
    await start();
    await open(edited);
    await openProfile();
    expect(await lenses()).toEqual([]);
    await client.sendNotification('workspace/didChangeConfiguration', {
      settings: { pagelens: { pathMapping: { '/build/src': folder } } },
    });
    expect((await lenses())[0]).toBe(`2 stale · ${lensOfSum}`);
    expect(await client.sendRequest('pagelens/sourceFile', { file: built, line: 2 })).toMatchObject({
      file,
      line: 2,
      exists: true,
    });
    const [region] = await client.sendRequest<HotRegion[]>('pagelens/hotRegions', { uri: null, limit: 1 });
    expect(region.location).toEqual({ file, line: 8 });
  });

  test('a folder that holds missing files is proposed as the one that was built in', async () => {
    files.load = async () => stored(profile('/build/src/prog.c'));
    await start();
    await openProfile();
    expect(await client.sendRequest('pagelens/files', {})).toMatchObject({ total: 1, missing: 1 });
    expect(await client.sendRequest('pagelens/proposeMapping', { folder })).toEqual({
      built: '/build/src',
      local: folder,
      files: 1,
    });
    expect(await client.sendRequest('pagelens/proposeMapping', { folder: '/proc/self' })).toBeNull();
  });

  test('the other side of a diff has marks only when it is what was built', async () => {
    await start();
    await openProfile();
    const committed = `git:${file}?${encodeURIComponent(JSON.stringify({ path: file, ref: 'HEAD' }))}`;
    await open(source, committed);
    expect((await lenses(committed))[0]).toBe(`2 ${lensOfSum}`);
    const older = committed.replace('HEAD', 'HEAD~1');
    await open(`// older\n${source}`, older);
    expect(await lenses(older)).toEqual([]);
  });
});

describe('pointing', () => {
  test('a focus is lines of the document, where they are now', async () => {
    await start();
    await openProfile();
    await open();
    await change(insert(0, '// one\n'));
    const lines = () => client.sendRequest<number[]>('pagelens/focusLines', { uri });
    expect(await lines()).toEqual([]);
    await client.sendRequest('pagelens/select', { focus: { kind: 'line', file, line: 4 } });
    expect(await lines()).toEqual([5]);
    // `table` is allocated in line 8, read in 4 and written in 9.
    await client.sendRequest('pagelens/select', { focus: { kind: 'object', object: 0 } });
    expect(await lines()).toEqual([5, 9, 10]);
  });

  test('the legend names the denominator, the window and the bounds of the classes', async () => {
    await start();
    expect(await client.sendRequest('pagelens/legend', {})).toBeNull();
    await openProfile();
    expect(await client.sendRequest('pagelens/legend', {})).toEqual({
      counted: 'accesses',
      note: '',
      window: 'source level, whole run of 4.0 ms modelled time, prog 64 (exit status 0)',
      hotShare: 0.8,
      coldShare: 0.01,
      policy: 'static-optimal',
      baseline: null,
    });
  });
});

describe('hover', () => {
  test('a hover holds shares with their denominators, objects, a sparkline, the run, and allowed links', async () => {
    await start({ lineHeat: true, hoverLinks: [{ title: 'Heatmap', command: 'x.map' }] });
    await open();
    await openProfile();
    const hover = async () => {
      const at = { textDocument: { uri }, position: { line: 3, character: 4 } };
      return ((await client.sendRequest<Hover>('textDocument/hover', at)).contents as { value: string }).value;
    };
    // The heat comes last: nobody waits for it.
    await expect.poll(hover).toContain('`████` accesses to `table` over 4.0 ms');
    const value = await hover();
    expect(value).toContain("| Accesses | &nbsp;700 | &nbsp;&nbsp;70 % of the run's accesses |");
    // 749 reads in all, of which 700 here; 251 writes, none here; 80 lines of traffic in all, 50 here.
    expect(value).toContain("| Reads | &nbsp;700 | &nbsp;&nbsp;93 % of the run's reads |");
    expect(value).toContain("| Writes | &nbsp;0 | &nbsp;&nbsp;0 % of the run's writes |");
    expect(value).toContain("| Traffic, modelled | &nbsp;50 lines (3.1 KiB) | &nbsp;&nbsp;63 % of the run's traffic |");
    expect(value).toContain('| Pages | &nbsp;6 pages (24 KiB) | &nbsp;&nbsp;86 % of the pages touched |');
    expect(value).toContain('| Tier | &nbsp;HBM | &nbsp;&nbsp;policy static-optimal |');
    expect(value).toContain('Touches `table` 86 %, `stack of thread 1` 14 %');
    expect(value).toContain('[Heatmap](command:x.map)');
  });

  test('a line that did nothing has no hover', async () => {
    await start();
    await open();
    await openProfile();
    const hover = await client.sendRequest('textDocument/hover', {
      textDocument: { uri },
      position: { line: 4, character: 0 },
    });
    expect(hover).toBeNull();
  });
});

describe('other editors', () => {
  test('an editor that draws no heat gets inlay hints for the lines that are not cold', async () => {
    const { capabilities } = await start({});
    expect(capabilities).toHaveProperty('inlayHintProvider', true);
    await open();
    await openProfile();
    const hints = await client.sendRequest<InlayHint[]>('textDocument/inlayHint', {
      textDocument: { uri },
      range: { start: { line: 0, character: 0 }, end: { line: 14, character: 0 } },
    });
    expect(hints.map(({ position, label }) => [position.line, position.character, label])).toEqual([
      [3, 44, 'hot · 700 reads · 70 %'],
      [8, 43, 'warm · 250 writes · 25 %'],
    ]);
  });
});

describe('profiling', () => {
  const request = (args: string[] = [], program = file) => ({ program, arguments: args, workingDirectory: folder });

  test('progress comes while it runs, then the selection, then the marks; the profile is kept where asked', async () => {
    await start();
    await open();
    const kept = path.join(folder, 'last.pagelens');
    const summary = await client.sendRequest<ProfileSummary>('pagelens/profile', { ...request(), saveTo: kept });
    expect(summary).toMatchObject({
      profile: kept,
      reads: 749,
      writes: 251,
      pages: 7,
      complete: true,
      exit: 'exit status 0',
    });
    expect(saved).toEqual([kept]);
    expect(notified).toEqual(['recording', 'selection last.pagelens', 'annotations all']);
    expect(await lenses()).toContain(`2 ${lensOfSum}`);
  });

  test('a cancelled run is a profile of what was recorded, marked as cut short', async () => {
    await start();
    const { CancellationTokenSource } = await import('vscode-languageserver/node');
    const cancel = new CancellationTokenSource();
    const answer = client.sendRequest<ProfileSummary>('pagelens/profile', request(['wait']), cancel.token);
    await expect(client.sendRequest('pagelens/profile', request())).rejects.toThrow(
      'profiling prog.c is still going on; wait for it or cancel it',
    );
    cancel.cancel();
    expect(await answer).toMatchObject({ complete: false, exit: 'exit status 0, recording cut short' });
  });

  test('a failure is one line, and the next run is possible', async () => {
    await start();
    await expect(client.sendRequest('pagelens/profile', request([], '/x/broken.c'))).rejects.toThrow(
      'broken.c:1:; expected ";"',
    );
    expect(await client.sendRequest('pagelens/profile', request())).toMatchObject({ complete: true });
  });
});

describe('selection', () => {
  test('another policy changes the tiers everywhere', async () => {
    await start();
    await open();
    await openProfile();
    const selection = await client.sendRequest<Selection>('pagelens/select', { policy: 'first-touch', window: [1, 3] });
    expect(selection).toMatchObject({ policy: 'first-touch', window: [1, 3] });
    expect((await lenses())[0]).toMatch(/DRAM$/);
    const view = await client.sendRequest<ViewData>('pagelens/view', { view: 'placement' });
    expect(view.facts).toMatchObject({ rows: [{ tier: 'DRAM' }, { tier: 'DRAM' }, { tier: 'DRAM' }] });
  });

  test.each([
    [{ policy: 'none' }, 'policy none: not in this profile; it has static-optimal, first-touch, oracle'],
    [{ window: [3, 9] }, "window 3 to 9: must lie within the profile's 4 epochs"],
    [{ tracker: 'pml' }, 'tracker pml: not in this profile; it has exact'],
  ])('%j is refused with the reason', async (choice, reason) => {
    await start();
    await openProfile();
    await expect(client.sendRequest('pagelens/select', choice)).rejects.toThrow(reason);
  });

  test('clearing takes all marks away', async () => {
    await start();
    await open();
    await openProfile();
    await client.sendRequest('pagelens/clear', {});
    expect(await lenses()).toEqual([]);
    expect(await client.sendRequest('pagelens/selection', {})).toMatchObject({ profile: null });
  });
});

test('hot regions are the hottest functions and allocations, of a file where its lines are now', async () => {
  await start();
  await open();
  await openProfile();
  await change(insert(0, '\n'));
  const regions = await client.sendRequest<HotRegion[]>('pagelens/hotRegions', { uri, limit: 3 });
  expect(regions).toEqual([
    {
      label: 'table',
      detail: '85 % · 71 % read, 29 % write · 20 KiB',
      hotness: 'hot',
      location: { file, line: 9 },
    },
    { label: 'sum', detail: '70 % · 100 % read, 0 % write · 24 KiB', hotness: 'hot', location: { file, line: 3 } },
    { label: 'fill', detail: '25 % · 0 % read, 100 % write · 20 KiB', hotness: 'warm', location: { file, line: 8 } },
  ]);
});

describe('while the keeper is at work', () => {
  /** Holds what is asked of the keeper from now on, until it is let go. */
  function hold(): () => void {
    let letGo = () => {};
    const until = new Promise<void>(resolve => {
      letGo = resolve;
    });
    const { request } = held;
    held.request = async (method, params) => {
      await until;
      return request(method, params);
    };
    return letGo;
  }
  let held: { -readonly [K in keyof KeeperLink]: KeeperLink[K] };
  beforeEach(() => {
    const { keeper } = backend;
    held = { request: (method, params) => keeper.request(method, params) };
    backend = { ...backend, keeper: { request: (method, params) => held.request(method, params) } };
  });

  test('an editor gets its answers: lenses, hover, heat, hot regions, of what was shown before', async () => {
    await start();
    await open();
    await openProfile();
    const letGo = hold();
    let answered = 0;
    const slow = [
      client.sendRequest('pagelens/view', { view: 'flame' }),
      client.sendRequest('pagelens/select', { window: [0, 2] }),
    ].map(question => question.then(() => answered++));
    const at = { textDocument: { uri }, position: { line: 3, character: 4 } };
    for (let turn = 0; turn < 20; turn++) {
      expect(await client.sendRequest<Hover>('textDocument/hover', at)).not.toBeNull();
      expect(await lenses()).toContain(`2 ${lensOfSum}`);
      expect((await heat())?.lines).toHaveLength(3);
      expect(await client.sendRequest<HotRegion[]>('pagelens/hotRegions', { uri, limit: 5 })).not.toEqual([]);
    }
    expect(answered).toBe(0);
    letGo();
    await Promise.all(slow);
    expect(answered).toBe(2);
  });

  test('marks come before the rest of the profile is read', async () => {
    let letGo = () => {};
    const whole = new Promise<Profile>(resolve => {
      letGo = () => resolve(profile(file));
    });
    files.load = async () => ({ ...stored(profile(file)), whole: () => whole });
    await start();
    await open();
    await openProfile();
    expect(await lenses()).toContain(`2 ${lensOfSum}`);
    const hover = () =>
      client
        .sendRequest<Hover>('textDocument/hover', { textDocument: { uri }, position: { line: 3, character: 4 } })
        .then(({ contents }) => (contents as { value: string }).value);
    expect(await hover()).not.toContain('over 4.0 ms');
    letGo();
    await expect.poll(hover).toContain('`████` accesses to `table` over 4.0 ms');
  });

  test('a profile whose rest makes no sense is said to be damaged, and its marks go', async () => {
    const damaged = 'run.pagelens: is damaged: heat.page names row 9 of 7; profile the program again';
    files.load = async () => ({ ...stored(profile(file)), whole: () => Promise.reject(new UsageError(damaged)) });
    await start();
    const shown: string[] = [];
    client.onRequest('window/showMessageRequest', ({ message }: { message: string }) => void shown.push(message));
    client.onNotification('window/showMessage', ({ message }: { message: string }) => void shown.push(message));
    await open();
    await openProfile();
    await expect.poll(() => shown).toEqual([damaged]);
    expect(await lenses()).toEqual([]);
    expect(notified.slice(-2)).toEqual(['selection null', 'annotations all']);
  });
});

test('beside the run before, lines of an edited file are followed by the texts of both', async () => {
  await start();
  await open();
  await openProfile('before.pagelens');
  await client.sendRequest('pagelens/files', {});
  // A line more at the top; the sum did less than before: 300 of 600 accesses instead of 700 of 1,000.
  const edited = `// edited\n${source}`;
  const now = spec(file, edited);
  const lines = now.lines.map(line => ({ ...line, line: line.line + 1, ...(line.reads === 600 && { reads: 200 }) }));
  const before = files.load;
  files.load = async name => (name.endsWith('before.pagelens') ? before(name) : stored(profileOf({ ...now, lines })));
  writeFileSync(file, edited);
  await change({ text: edited });
  await openProfile('now.pagelens');
  await client.sendRequest('pagelens/files', {});
  await client.sendRequest('pagelens/compare', { file: path.join(folder, 'before.pagelens') });
  const sum = (await heat())?.lines.find(({ line }) => line === 5);
  expect(sum?.text).toBe('300 reads · 50 %, was 70 %');
});
