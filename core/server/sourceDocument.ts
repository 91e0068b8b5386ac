/**
 * An open document and its tie to what was profiled.
 *
 * Marks are bound to content, not to a path: the profile holds the SHA-256 of each source file at build time. A
 * document that had exactly that content since it was opened, or has it now, carries marks that then move with every
 * edit; so does one whose built content is known from earlier. Any other is *stale*: the lines are shown where they
 * were, in grey, with the reason, because nobody knows where they went.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { TextDocumentContentChangeEvent } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import * as l10n from '../model/l10n.js';
import type { SourceFile } from '../model/profile.js';
import { LineMap } from './lineMap.js';
import { type Snapshots, sha256 } from './snapshots.js';

export class SourceDocument {
  readonly uri: string;
  /** Absolute path, or '' for a document that neither is a local file nor an older state of one. */
  readonly path: string;
  /** An older state of the file, such as the left side of a diff: it has marks only when it is what was built. */
  readonly past: boolean;
  #document: TextDocument;
  #built: SourceFile | null = null;
  #map: LineMap | null = null;
  #stale: string | null = null;

  constructor(
    uri: string,
    languageId: string,
    version: number,
    text: string,
    readonly snapshots: Snapshots,
  ) {
    this.uri = uri;
    this.past = uri.startsWith('git:');
    this.path = uri.startsWith('file:')
      ? fileURLToPath(uri)
      : this.past
        ? decodeURIComponent(new URL(uri).pathname)
        : '';
    this.#document = TextDocument.create(uri, languageId, version, text);
  }

  /** The document of a file as it is on disk; undefined when it cannot be read. */
  static read(file: string, snapshots: Snapshots): SourceDocument | undefined {
    try {
      return new SourceDocument(pathToFileURL(file).href, '', 0, readFileSync(file, 'utf8'), snapshots);
    } catch {
      return undefined;
    }
  }

  /** Characters of a line (0-based) without its end. */
  lineLength(line: number): number {
    const start = { line, character: 0 };
    const end = { line: line + 1, character: 0 };
    return this.#document.getText({ start, end }).replace(/[\r\n]+$/, '').length;
  }

  /** Why all marks of the document are grey; null when they are sure. */
  get stale(): string | null {
    return this.#stale;
  }

  get text(): string {
    return this.#document.getText();
  }

  /** Whether the document is tied to a file of the profile. */
  get bound(): boolean {
    return this.#built !== null;
  }

  /** Ties the document to the profile's record of its file; null: the profile does not know it. */
  bind(built: SourceFile | null): void {
    this.#built = null;
    this.#map = null;
    this.#stale = null;
    if (!built) return;
    const { text } = this;
    const known = this.snapshots.get(built.sha256);
    if (isContent(text, built, this.past ? '' : this.path)) {
      this.#map = new LineMap(text);
      this.snapshots.keep(built.sha256, text);
    } else if (this.past) {
      return;
    } else if (known !== undefined) {
      this.#map = new LineMap(known);
      this.#map.replaceAll(text);
    } else if (built.sha256 === '') {
      this.#stale = l10n.t('the file could not be read when the program was recorded');
    } else {
      this.#stale = l10n.t('the file differs from what was built and recorded; profile again');
    }
    this.#built = built;
  }

  update(changes: readonly TextDocumentContentChangeEvent[], version: number): void {
    for (const change of changes) {
      if ('range' in change) {
        const { start, end } = change.range;
        this.#map?.replace(start.line, start.character, end.line, end.character, change.text);
      } else {
        this.#map?.replaceAll(change.text);
      }
    }
    this.#document = TextDocument.update(this.#document, [...changes], version);
    // Undone to the last byte: every line is itself again, also those that had been removed, and nothing is stale.
    const text = this.#document.getText();
    if (this.#built && sha256(text) === this.#built.sha256) {
      this.#map = new LineMap(text);
      this.#stale = null;
    }
  }

  /** Where a line (1-based, as built) is now, 1-based; 0 when it is gone. */
  lineNow(built: number): number {
    if (this.#map) return this.#map.lineNow(built - 1) + 1;
    return built >= 1 && built <= this.#document.lineCount ? built : 0;
  }

  /** Why the mark of one line (1-based, as built) is grey; null when it is sure. */
  staleLine(built: number): string | null {
    if (this.#stale) return this.#stale;
    return this.#map?.edited(built - 1) ? l10n.t('the line was edited since it was recorded') : null;
  }
}

/**
 * Whether a document's text is the built content. An editor drops the byte order mark and decodes other encodings, so
 * when the plain text does not match, the file on disk decides, provided that it reads as what the document shows.
 */
function isContent(text: string, built: SourceFile, path: string): boolean {
  if (sha256(text) === built.sha256 || sha256(`\uFEFF${text}`) === built.sha256) return true;
  if (built.sha256 === '' || path === '') return false;
  try {
    const content = readFileSync(path);
    return sha256(content) === built.sha256 && content.toString('latin1') === text;
  } catch {
    return false;
  }
}
