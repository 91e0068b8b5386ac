/** What the user points at, in whichever view, as lines of one document: to be shown without moving the cursor. */
import { NONE } from '../model/columns.js';
import type { Profile } from '../model/profile.js';
import type { Focus } from '../protocol.js';
import type { FileRows, SourceIndex } from './sourceIndex.js';

/** What the source has lines of: a page has not, its main object does. */
export type SourceFocus = Exclude<Focus, { kind: 'page' }>;

/** A page stands for the object that has most of its accesses; null: nothing that the source has lines of. */
export function sourceFocus({ pages }: Profile, focus: Focus | null): SourceFocus | null {
  if (focus?.kind !== 'page') return focus;
  const object = pages.object[focus.page];
  return object === NONE ? null : { kind: 'object', object };
}

/** Lines of the file as they were built, 1-based, ascending. */
export function focusLines(index: SourceIndex, rows: FileRows, focus: SourceFocus): number[] {
  if (focus.kind === 'object') return linesOfObject(index, rows, focus.object);
  return index.profile.files[rows.file].path === focus.file ? [focus.line] : [];
}

/** Where the object is allocated or declared, and the lines that access it. */
function linesOfObject(index: SourceIndex, rows: FileRows, object: number): number[] {
  const { lines, objects } = index.profile;
  const using = rows.lines.filter(row => index.objectsOfLine(row).some(share => share.object === object));
  const place = rows.objects.includes(object) && objects.line[object] > 0 ? [objects.line[object]] : [];
  return [...new Set([...place, ...using.map(row => lines.line[row])])].sort((a, b) => a - b);
}
