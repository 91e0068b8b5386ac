/**
 * Tools for the editor's chat (`languageModelTools`): the hottest regions, the placement, and why a line or allocation
 * is hot. They read the shown profile and nothing else: no program is run, nothing is changed, so none asks the user.
 */
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { HotRegion, OverviewFacts, PlacementFacts } from '../../core/protocol.js';
import { type Core, reasonOf } from '../core.js';
import { tools } from '../ids.js';
import { context, hottestText, noProfile, placementText, plainHover, regionsNamed } from './answers.js';

interface HottestInput {
  readonly file?: string;
  readonly limit?: number;
}

interface PlacementInput {
  readonly filter?: string;
  readonly limit?: number;
}

interface WhyInput {
  readonly file?: string;
  readonly line?: number;
  readonly symbol?: string;
}

/** Rows unless asked otherwise, and the most: a model's context is short, and the tail of a profile is cold. */
const usualRows = 10;
const maxRows = 50;
/** A name is looked for among these, hottest first. */
const searched = 10_000;

export function registerTools(core: Core): vscode.Disposable {
  return vscode.Disposable.from(
    register<HottestInput>(core, tools.hottestRegions, vscode.l10n.t('Reading the hottest regions'), hottest),
    register<PlacementInput>(core, tools.placement, vscode.l10n.t('Reading the placement'), placement),
    register<WhyInput>(core, tools.why, vscode.l10n.t('Reading why it is hot'), why),
  );
}

function register<Input>(
  core: Core,
  name: string,
  invocationMessage: string,
  answer: (core: Core, input: Input) => Promise<string>,
): vscode.Disposable {
  return vscode.lm.registerTool<Input>(name, {
    prepareInvocation: () => ({ invocationMessage }),
    async invoke({ input }) {
      return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(await told(core, input, answer))]);
    },
  });
}

/** The answer, or why there is none: a model can pass a reason on, an exception it cannot. */
async function told<Input>(core: Core, input: Input, answer: (core: Core, input: Input) => Promise<string>) {
  if (!core.hasProfile || !core.selection) return noProfile;
  try {
    const overview = await core.request('pagelens/view', { view: 'overview' });
    if (!overview) return noProfile;
    return `${context(overview.facts as OverviewFacts, core.selection)}\n\n${await answer(core, input)}`;
  } catch (error) {
    return reasonOf(error);
  }
}

async function hottest(core: Core, { file, limit }: HottestInput): Promise<string> {
  const document = file ? await documentOf(file) : null;
  const uri = document?.uri.toString() ?? null;
  const regions = await core.request('pagelens/hotRegions', { uri, limit: rows(limit) });
  return hottestText(regions, document?.fileName ?? null);
}

async function placement(core: Core, { filter = '', limit }: PlacementInput): Promise<string> {
  const options = { sort: 'traffic', descending: true, filter };
  const data = await core.request('pagelens/view', { view: 'placement', range: { y: [0, rows(limit)] }, options });
  return data ? placementText(data.facts as PlacementFacts, core.selection?.policy ?? '') : noProfile;
}

async function why(core: Core, { file, line, symbol }: WhyInput): Promise<string> {
  if (symbol) return whyNamed(core, symbol, file);
  if (!file || !line) {
    throw new Error(vscode.l10n.t('Give either a symbol (a function or an allocation), or a file and a line.'));
  }
  const document = await documentOf(file);
  const text = await core.request('pagelens/explain', { uri: document.uri.toString(), line });
  if (text) return plainHover(text);
  return vscode.l10n.t('The profile knows no accesses of {0}:{1}.', document.fileName, line);
}

async function whyNamed(core: Core, symbol: string, file: string | undefined): Promise<string> {
  const uri = file ? (await documentOf(file)).uri.toString() : null;
  const found = regionsNamed(symbol, await core.request('pagelens/hotRegions', { uri, limit: searched }));
  if (found.length === 0) return vscode.l10n.t('The profile knows no function or allocation named {0}.', symbol);
  const summary = hottestText(found.slice(0, usualRows), null);
  return `${summary}\n\n${await explanation(core, found[0]!)}`.trim();
}

/** All that the hover of a region's first line tells; nothing where its source is not on this machine. */
async function explanation(core: Core, { location }: HotRegion): Promise<string> {
  if (!location) return '';
  try {
    const { uri } = await vscode.workspace.openTextDocument(vscode.Uri.file(location.file));
    const text = await core.request('pagelens/explain', { uri: uri.toString(), line: location.line });
    return text ? plainHover(text) : '';
  } catch {
    return '';
  }
}

/** A file by its absolute path, or relative to a workspace folder. Opened (not shown), so that core knows its text. */
async function documentOf(file: string): Promise<vscode.TextDocument> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const candidates = path.isAbsolute(file) ? [file] : folders.map(folder => path.join(folder.uri.fsPath, file));
  for (const candidate of candidates) {
    const document = await Promise.resolve(vscode.workspace.openTextDocument(vscode.Uri.file(candidate))).catch(
      () => null,
    );
    if (document) return document;
  }
  throw new Error(vscode.l10n.t('{0} is not a file of this workspace.', file));
}

function rows(limit: number | undefined): number {
  return limit && Number.isFinite(limit) ? Math.min(maxRows, Math.max(1, Math.floor(limit))) : usualRows;
}
