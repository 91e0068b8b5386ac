/** Answers an editor's questions about one document: lenses, hover, heat, inlay hints. */
import { realpathSync } from 'node:fs';
import type { CodeLens, Hover, InlayHint, Position } from 'vscode-languageserver/node';
import * as l10n from '../model/l10n.js';
import { word } from '../model/words.js';
import type { FileHeat, HotRegion, LegendFacts, LocalLocation, Location } from '../protocol.js';
import { fileHeat, lensText, lensTooltip, provenance, type Shown, trackerNote } from './annotations.js';
import { focusLines } from './focusLines.js';
import { hotRegions } from './hotRegions.js';
import { hoverText, lineHover, regionHover } from './hover.js';
import type { LocalSources } from './localSources.js';
import type { Marked } from './marked.js';
import { accessesOf, type Region, regionsOf } from './regions.js';
import { exactly } from './seen.js';
import type { ClientAbilities, Settings } from './settings.js';
import type { SourceDocument } from './sourceDocument.js';
import type { FileRows, SourceIndex } from './sourceIndex.js';

/** What a lens carries between "where" and "what": enough to find its region again, and to see that it is gone. */
interface LensData {
  readonly uri: string;
  readonly line: number;
  readonly kind: Region['kind'];
  readonly profile: string | null;
}

/** The profile's knowledge of one document. */
interface Known {
  readonly index: SourceIndex;
  readonly policy: string;
  readonly rows: FileRows;
  readonly regions: readonly Region[];
}

export class Annotator {
  readonly #known = new Map<string, Known>();

  constructor(
    readonly state: Marked,
    readonly abilities: ClientAbilities,
    readonly local: LocalSources,
  ) {}

  /** Ties a document to the shown profile: when it was opened, and when the profile or its place on disk changed. */
  bind(document: SourceDocument): void {
    this.#known.delete(document.uri);
    const file = this.#fileOf(document);
    document.bind(file >= 0 ? this.state.index!.profile.files[file] : null);
  }

  forget(uri: string): void {
    this.#known.delete(uri);
  }

  /** Whether the shown profile has anything to say about a document. */
  knows(document: SourceDocument): boolean {
    return this.#lookUp(document) !== null;
  }

  /** Positions only: a file's lenses are asked for at every key, their texts only for what is in view. */
  lenses(document: SourceDocument, settings: Settings): CodeLens[] {
    const known = this.#lookUp(document);
    if (!known || !settings.lens) return [];
    const taken = new Set<number>();
    const lenses: CodeLens[] = [];
    for (const region of known.regions) {
      const line = document.lineNow(region.line) - 1;
      // Sorted so that the hotter of two regions on a line comes first; the hover tells of both.
      if (line < 0 || accessesOf(region) === 0 || region.percentile < settings.lensPercentile || taken.has(line))
        continue;
      taken.add(line);
      const { profile } = this.state.selection;
      const data: LensData = { uri: document.uri, line: region.line, kind: region.kind, profile };
      const at = { line, character: 0 };
      lenses.push({ range: { start: at, end: at }, data });
    }
    return lenses;
  }

  resolveLens(lens: CodeLens, document: SourceDocument | undefined): CodeLens {
    const { line, kind, profile } = lens.data as LensData;
    const known = document && profile === this.state.selection.profile ? this.#lookUp(document) : null;
    const region = known?.regions.find(candidate => candidate.line === line && candidate.kind === kind);
    // The profile changed between the two questions; the editor asks for all lenses again at once.
    if (!known || !region || !document) return { ...lens, command: { title: '', command: '' } };
    const stale = document.stale;
    const shown = this.#shown(known.index);
    return {
      ...lens,
      command: {
        title: marked(lensText(region, shown), stale),
        tooltip: [...(stale ? [l10n.t('Stale: {0}', stale)] : []), lensTooltip(region, known.index)].join('\n'),
        command: this.abilities.lensCommand,
      },
    };
  }

  hover(document: SourceDocument, position: Position, settings: Settings): Hover | null {
    const known = this.#lookUp(document);
    if (!known || !settings.hover) return null;
    const { index, rows, regions } = known;
    const shown = this.#shown(index);
    const now = position.line + 1;
    const here = regions.filter(({ line }) => document.lineNow(line) === now);
    const built = index.profile.lines.line;
    const line = rows.lines.find(row => document.lineNow(built[row]) === now);
    const subjects = [
      ...here.map(region => regionHover(region, shown)),
      ...(line === undefined ? [] : [lineHover(shown, line)]),
    ];
    if (subjects.length === 0) return null;
    const stale = document.staleLine(line === undefined ? here[0].line : built[line]);
    const value = hoverText(shown, subjects, stale, this.abilities.hoverLinks);
    return { contents: { kind: 'markdown', value } };
  }

  heat(document: SourceDocument): FileHeat | null {
    const known = this.#lookUp(document);
    return known && fileHeat(this.#shown(known.index), known.rows, document);
  }

  hotRegions(document: SourceDocument | null, limit: number): HotRegion[] {
    const { index, selection } = this.state;
    if (!index) return [];
    const known = document && this.#lookUp(document);
    if (document && !known) return [];
    const list = hotRegions(index, limit, known?.rows ?? null, selection.policy);
    return list.map(({ row, line, ...region }) => ({ ...region, location: this.#locate(row, line, document) }));
  }

  /** Lines, 1-based and where they are now, that belong to what the user points at. */
  focusLines(document: SourceDocument): number[] {
    const focus = this.state.sourceFocus;
    const known = this.#lookUp(document);
    if (!known || !focus) return [];
    return focusLines(known.index, known.rows, focus)
      .map(line => document.lineNow(line))
      .filter(line => line > 0);
  }

  legend(): LegendFacts | null {
    const { index, selection } = this.state;
    if (!index) return null;
    const { hotShare, coldShare } = index.profile.options;
    return {
      counted: word(index.seen.counted),
      note: index.seen === exactly ? '' : trackerNote(index.seen),
      window: provenance(index),
      hotShare,
      coldShare,
      policy: selection.policy,
      baseline: this.state.baseline && selection.baseline,
    };
  }

  /**
   * Where a line, as built, is on this machine, and now.
   * @param file as it was built, or where it is here
   * @param read the document at a path; undefined when there is none
   */
  locate({ file, line }: Location, read: (path: string) => SourceDocument | undefined): LocalLocation {
    const { sources } = this.local;
    const built = sources?.files.findIndex(({ path }) => path === file) ?? -1;
    const row = built < 0 && sources ? sources.rowOf(file) : built;
    const local = row < 0 ? file : sources!.localOf(row);
    const document = row < 0 ? undefined : read(local);
    const exists = row < 0 || sources!.stateOf(row) !== 'missing';
    if (!document?.bound) return { file: local, line, exists, stale: null };
    const now = document.lineNow(line);
    const stale = now === 0 ? l10n.t('the line was removed since it was recorded') : document.staleLine(line);
    return { file: local, line: now || line, exists: true, stale };
  }

  /** The heat of the lines in a range, for editors that draw no heat themselves. Cold lines stay clean. */
  inlayHints(document: SourceDocument, from: number, to: number): InlayHint[] {
    const heat = this.heat(document);
    const shown = heat?.lines.filter(({ line, hotness }) => line > from && line <= to + 1 && hotness !== 'cold') ?? [];
    return shown.map(({ line, text, hotness, stale }) => ({
      position: { line: line - 1, character: document.lineLength(line - 1) },
      label: marked(`${word(hotness)} · ${text}`, stale),
      paddingLeft: true,
      ...(stale ? { tooltip: stale } : {}),
    }));
  }

  #locate(row: number, line: number, document: SourceDocument | null): Location | null {
    const { sources } = this.local;
    if (row < 0 || line === 0 || !sources) return null;
    const now = document ? document.lineNow(line) : line;
    return now === 0 ? null : { file: sources.localOf(row), line: now };
  }

  #shown(index: SourceIndex): Shown {
    const { selection } = this.state;
    return { index, policy: selection.policy, baseline: this.state.comparison(this.local.snapshots) };
  }

  /** Row of the document's file in the shown profile; -1: it has none. */
  #fileOf(document: SourceDocument): number {
    const { sources } = this.local;
    if (!this.state.index || !sources || document.path === '') return -1;
    const row = sources.rowOf(document.path);
    if (row >= 0) return row;
    const real = sources.rowOf(realPath(document.path));
    return real >= 0 || document.past ? real : sources.adopt(document.path, document.text);
  }

  #lookUp(document: SourceDocument): Known | null {
    const { index, selection } = this.state;
    if (!index || !document.bound) return null;
    const cached = this.#known.get(document.uri);
    if (cached && cached.index === index && cached.policy === selection.policy) return cached;
    const file = this.#fileOf(document);
    if (file < 0) return null;
    const rows = index.rowsOf(file);
    if (rows.lines.length + rows.functions.length + rows.objects.length === 0) return null;
    const known = { index, rows, regions: regionsOf(index, rows, selection.policy), policy: selection.policy };
    this.#known.set(document.uri, known);
    return known;
  }
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/** The text of a mark that may no longer be sure. */
function marked(text: string, stale: string | null): string {
  return stale ? l10n.t('stale · {0}', text) : text;
}
