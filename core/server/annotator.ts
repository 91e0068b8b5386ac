/** Answers an editor's questions about one document: lenses, hover, heat, inlay hints. */
import type { CodeLens, Hover, InlayHint, Position } from 'vscode-languageserver/node';
import type { FileHeat, HotRegion } from '../protocol.js';
import { fileHeat, lensText, lensTooltip } from './annotations.js';
import { hotRegions } from './hotRegions.js';
import { hoverText, lineHover, regionHover } from './hover.js';
import type { FileRows, ProfileIndex } from './profileIndex.js';
import { type Region, regionsOf } from './regions.js';
import type { ClientAbilities, Settings } from './settings.js';
import type { SourceDocument } from './sourceDocument.js';
import type { State } from './state.js';

/** What a lens carries between "where" and "what": enough to find its region again, and to see that it is gone. */
interface LensData {
  readonly uri: string;
  readonly line: number;
  readonly profile: string | null;
}

/** The profile's knowledge of one document. */
interface Known {
  readonly index: ProfileIndex;
  readonly rows: FileRows;
  readonly regions: readonly Region[];
}

export class Annotator {
  readonly #known = new Map<string, Known & { readonly policy: string }>();

  constructor(
    readonly state: State,
    readonly abilities: ClientAbilities,
  ) {}

  /** Ties a document to the shown profile: when it was opened, and when the profile changed. */
  bind(document: SourceDocument): void {
    this.#known.delete(document.uri);
    const { index } = this.state;
    const file = index && document.path ? index.fileOf(document.path) : -1;
    document.bind(index && file >= 0 ? index.profile.files[file] : null);
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
      if (line < 0 || region.percentile < settings.lensPercentile || taken.has(line)) continue;
      taken.add(line);
      const data: LensData = { uri: document.uri, line: region.line, profile: this.state.selection.profile };
      const at = { line, character: 0 };
      lenses.push({ range: { start: at, end: at }, data });
    }
    return lenses;
  }

  resolveLens(lens: CodeLens, document: SourceDocument | undefined): CodeLens {
    const { line, profile } = lens.data as LensData;
    const known = document && profile === this.state.selection.profile ? this.#lookUp(document) : null;
    const region = known?.regions.find(candidate => candidate.line === line);
    // The profile changed between the two questions; the editor asks for all lenses again at once.
    if (!known || !region || !document) return { ...lens, command: { title: '', command: '' } };
    const stale = document.stale;
    return {
      ...lens,
      command: {
        title: `${stale ? 'stale · ' : ''}${lensText(region, known.index)}`,
        tooltip: `${stale ? `Stale: ${stale}\n` : ''}${lensTooltip(region, known.index)}`,
        command: this.abilities.lensCommand,
      },
    };
  }

  hover(document: SourceDocument, position: Position, settings: Settings): Hover | null {
    const known = this.#lookUp(document);
    if (!known || !settings.hover) return null;
    const { index, rows, regions } = known;
    const { policy } = this.state.selection;
    const now = position.line + 1;
    const region = regions.find(({ line }) => document.lineNow(line) === now);
    const built = index.profile.lines.line;
    const line = rows.lines.find(row => document.lineNow(built[row]) === now);
    const subjects = [
      ...(region ? [regionHover(region)] : []),
      ...(line === undefined ? [] : [lineHover(index, line, policy)]),
    ];
    if (subjects.length === 0) return null;
    const stale = document.staleLine(line === undefined ? region!.line : built[line]);
    const value = hoverText(index, subjects, stale, policy, this.abilities.hoverLinks);
    return { contents: { kind: 'markdown', value } };
  }

  heat(document: SourceDocument): FileHeat | null {
    const known = this.#lookUp(document);
    return known && fileHeat(known.index, known.rows, document, this.state.selection.policy);
  }

  hotRegions(document: SourceDocument | null, limit: number): HotRegion[] {
    const { index } = this.state;
    if (!index) return [];
    if (!document) return hotRegions(index, limit, null, null);
    const known = this.#lookUp(document);
    return known ? hotRegions(index, limit, known.rows, document) : [];
  }

  /** The heat of the lines in a range, for editors that draw no heat themselves. Cold lines stay clean. */
  inlayHints(document: SourceDocument, from: number, to: number): InlayHint[] {
    const heat = this.heat(document);
    const shown = heat?.lines.filter(({ line, hotness }) => line > from && line <= to + 1 && hotness !== 'cold') ?? [];
    return shown.map(({ line, text, hotness, stale }) => ({
      position: { line: line - 1, character: document.lineLength(line - 1) },
      label: `${stale ? 'stale · ' : ''}${hotness} · ${text}`,
      paddingLeft: true,
      ...(stale ? { tooltip: stale } : {}),
    }));
  }

  #lookUp(document: SourceDocument): Known | null {
    const { index, selection } = this.state;
    if (!index || document.path === '') return null;
    const cached = this.#known.get(document.uri);
    if (cached && cached.index === index && cached.policy === selection.policy) return cached;
    const file = index.fileOf(document.path);
    if (file < 0) return null;
    const rows = index.rowsOf(file);
    if (rows.lines.length + rows.functions.length + rows.objects.length === 0) return null;
    const known = { index, rows, regions: regionsOf(index, rows, selection.policy), policy: selection.policy };
    this.#known.set(document.uri, known);
    return known;
  }
}
