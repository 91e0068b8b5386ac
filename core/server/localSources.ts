/** The shown profile's files on this machine, by the editor's folders and settings; redone when one of these changes. */
import { isSystemFile } from '../attribution/naming.js';
import type { SourceProfile } from '../model/profile.js';
import type { FilesReport } from '../protocol.js';
import { PathMap } from './pathMap.js';
import { Snapshots } from './snapshots.js';
import { Sources } from './sources.js';
import { TextStore } from './textStore.js';

const folderVariable = /\$\{workspaceFolder\}/g;

export class LocalSources {
  readonly snapshots = new Snapshots();
  #profile: SourceProfile | null = null;
  #sources: Sources | null = null;
  #folders: readonly string[] = [];
  #mapping: Readonly<Record<string, string>> = {};

  get sources(): Sources | null {
    return this.#sources;
  }

  /** @param profile what is shown now; a projection of the same one keeps what is known of its files */
  show(profile: SourceProfile | null): void {
    const same = profile !== null && profile.files === this.#profile?.files;
    this.#profile = profile;
    if (!same) this.#renew();
  }

  /**
   * @param folders of the workspace, absolute
   * @param mapping the setting as it is written, with `${workspaceFolder}`
   * @returns whether that changed anything
   */
  configure(folders: readonly string[], mapping: Readonly<Record<string, string>>): boolean {
    const before = JSON.stringify([this.#folders, this.#mapping]);
    this.#folders = folders;
    this.#mapping = mapping;
    if (JSON.stringify([folders, mapping]) === before) return false;
    this.#renew();
    return true;
  }

  /** Keeps the texts of profiled files in a folder, for the next session. */
  keepTextsIn(folder: string): void {
    this.snapshots.store = new TextStore(folder);
  }

  /** Keeps the texts that are known of the shown profile's files, the hottest first. @throws the system's error */
  async keepTexts(): Promise<void> {
    const { sources } = this;
    if (!sources) return;
    const own = sources.order.map(row => sources.files[row]).filter(file => !isSystemFile(file.path));
    await this.snapshots.persist(own.map(({ sha256 }) => sha256));
  }

  /** Looks at all files; what is found elsewhere than expected is known afterwards. */
  async report(): Promise<FilesReport | null> {
    const sources = this.#sources;
    await sources?.check();
    // Another profile came meanwhile: its own files are asked for, too.
    return sources === this.#sources ? (sources?.report() ?? null) : this.report();
  }

  #renew(): void {
    const profile = this.#profile;
    const [first = ''] = this.#folders;
    const expand = (text: string) => text.replaceAll(folderVariable, first);
    const mapping = Object.entries(this.#mapping).map(([built, local]) => [expand(built), expand(local)]);
    const paths = new PathMap(Object.fromEntries(mapping));
    this.#sources = profile && new Sources(profile.files, hottestFirst(profile), paths, this.#folders, this.snapshots);
  }
}

/** Rows of the files by their hottest line; those without a line come last. */
function hottestFirst({ files, lines }: SourceProfile): number[] {
  const rows = new Set<number>();
  // Lines are sorted by accesses.
  for (let line = 0; line < lines.count; line++) rows.add(lines.file[line]);
  for (let file = 0; file < files.length; file++) rows.add(file);
  return [...rows];
}
