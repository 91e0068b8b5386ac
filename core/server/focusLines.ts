/** What the user points at, in whichever view, as lines of one document: to be shown without moving the cursor. */
import { NONE } from '../model/columns.js';
import type { Focus } from '../protocol.js';
import type { FileRows, ProfileIndex } from './profileIndex.js';

/** Lines of the file as they were built, 1-based, ascending. A page stands for the object that has most of its accesses. */
export function focusLines(index: ProfileIndex, rows: FileRows, focus: Focus): number[] {
  const { files, pages } = index.profile;
  switch (focus.kind) {
    case 'line':
      return files[rows.file].path === focus.file ? [focus.line] : [];
    case 'object':
      return linesOfObject(index, rows, focus.object);
    case 'page':
      return pages.object[focus.page] === NONE ? [] : linesOfObject(index, rows, pages.object[focus.page]);
  }
}

/** Where the object is allocated or declared, and the lines that access it. */
function linesOfObject(index: ProfileIndex, rows: FileRows, object: number): number[] {
  const { lines, objects } = index.profile;
  const using = rows.lines.filter(row => index.objectsOfLine(row).some(share => share.object === object));
  const place = rows.objects.includes(object) && objects.line[object] > 0 ? [objects.line[object]] : [];
  return [...new Set([...place, ...using.map(row => lines.line[row])])].sort((a, b) => a - b);
}
