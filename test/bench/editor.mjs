/**
 * The editor with a large profile (5,000 files, 10,000 allocations), in the real VS Code: activation, time to the first
 * lens, time for a file's annotations, memory of the extension host. Beside it core alone, asked over its own protocol,
 * since what the editor adds to an answer is not ours to make faster.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runExtensionTests } from '../e2e/drive.mjs';
import { connected } from './first-lens.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');
/** Files whose annotations are timed; the hottest are the fullest. */
const timedFiles = 20;

/** The goals of issue 3's checks. */
export const editorGoals = { firstLensMs: 2000, fileMs: 50, hostMiB: 300, activationMs: 50 };

/**
 * @param {string} cache folder for what is generated
 * @param {string} server path of server.cjs
 * @param {(folder: string) => Promise<{ file: string, sources: readonly string[], rows: object }>} writeLargeProfile
 */
export async function measureEditor(cache, server, writeLargeProfile) {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, 'large-'));
  try {
    const large = await writeLargeProfile(folder);
    const sources = large.sources.slice(0, timedFiles + 1);
    const core = await inCore(server, folder, large.file, sources);
    const editor = await inEditor(folder, large.file, sources);
    return { rows: large.rows, core, editor };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function inEditor(folder, profile, sources) {
  const result = path.join(folder, 'figures.json');
  await runExtensionTests({
    workspace: folder,
    extensionPath: root,
    testsPath: path.join(here, 'editor-host.cjs'),
    env: { PAGELENS_BENCH: JSON.stringify({ profile, sources, result }) },
  });
  const figures = JSON.parse(readFileSync(result, 'utf8'));
  if (figures.failure) throw new Error(figures.failure);
  return { ...figures, fileMs: spread(figures.fileMs) };
}

/** What keeps core busiest. */
const heavy = [
  ...['overview', 'flame', 'heatmap', 'pageInspector'].map(view => ['pagelens/view', { view }]),
  ['pagelens/view', { view: 'flame', options: { search: 'step1' } }],
  ['pagelens/select', { tracker: 'pml' }],
  ['pagelens/view', { view: 'flame' }],
  ['pagelens/select', { tracker: 'exact', window: [0, 100] }],
  ['pagelens/view', { view: 'overview' }],
];

/** The longest of that work, and the longest that a hover takes meanwhile. */
async function besideWork(connection, textDocument) {
  const position = { line: 3, character: 0 };
  let workMs = 0;
  let hoverMs = 0;
  for (const [method, params] of heavy) {
    let working = true;
    const work = timed(() => connection.sendRequest(method, params)).finally(() => {
      working = false;
    });
    while (working) {
      const hover = () => connection.sendRequest('textDocument/hover', { textDocument, position });
      hoverMs = Math.max(hoverMs, await timed(hover));
    }
    workMs = Math.max(workMs, await work);
  }
  return { workMs, hoverMs };
}

/** Lenses with their texts and the line heat: all that is drawn in a file. */
async function inCore(server, folder, profile, sources) {
  return connected(server, folder, async connection => {
    const openMs = await timed(() => connection.sendRequest('pagelens/open', { file: profile }));
    const times = [];
    for (const file of sources) {
      const textDocument = { uri: pathToFileURL(file).href };
      const text = readFileSync(file, 'utf8');
      await connection.sendNotification('textDocument/didOpen', {
        textDocument: { ...textDocument, languageId: 'c', version: 1, text },
      });
      times.push(
        await timed(async () => {
          const lenses = await connection.sendRequest('textDocument/codeLens', { textDocument });
          if (lenses.length === 0) throw new Error(`no lens in ${file}`);
          await Promise.all(lenses.map(lens => connection.sendRequest('codeLens/resolve', lens)));
          await connection.sendRequest('pagelens/lineHeat', textDocument);
        }),
      );
    }
    const beside = await besideWork(connection, { uri: pathToFileURL(sources[0]).href });
    return { openMs, fileMs: spread(times), ...beside };
  });
}

async function timed(work) {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function spread(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], worst: sorted.at(-1) };
}

export function showEditor({ rows, core, editor }) {
  const ms = value => `${value.toFixed(0)} ms`;
  const whole = value => Number(value).toLocaleString('en-US');
  console.log(
    `editor: ${whole(rows.files)} files, ${whole(rows.objects)} allocations, ${whole(rows.lines)} lines, ` +
      `${whole(rows.pages)} pages, ${whole(rows.heat)} rows of heat`,
  );
  const lines = [
    [
      'profile opened to first lens',
      ms(editor.firstLensMs),
      ms(editorGoals.firstLensMs),
      `core opens it in ${ms(core.openMs)}; processor time: core ${ms(editor.processorMs.core)}, extension host ${ms(editor.processorMs.host)}`,
    ],
    [
      "a file's lenses, in the editor",
      `${ms(editor.fileMs.median)}, worst ${ms(editor.fileMs.worst)}`,
      ms(editorGoals.fileMs),
      `lenses and line heat in core ${core.fileMs.median.toFixed(1)} ms, worst ${core.fileMs.worst.toFixed(1)} ms`,
    ],
    [
      'a hover beside work on views',
      `worst ${ms(core.hoverMs)}`,
      ms(editorGoals.fileMs),
      `in core; the longest of that work ${ms(core.workMs)}`,
    ],
    [
      'extension host, peak',
      `${editor.hostMiB.toFixed(0)} MiB`,
      `${editorGoals.hostMiB} MiB`,
      `core ${editor.coreMiB.toFixed(0)} MiB`,
    ],
    ['activation', `${editor.activationMs.toFixed(1)} ms`, ms(editorGoals.activationMs), ''],
  ];
  console.log(`  ${''.padEnd(32)}${'measured'.padEnd(22)}goal`);
  for (const [label, value, goal, note] of lines) {
    console.log(`  ${label.padEnd(32)}${value.padEnd(22)}${goal.padEnd(10)}${note}`.trimEnd());
  }
  console.log('');
}
