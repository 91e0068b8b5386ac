/** Rows of the map that belong to what the user points at, in whichever view or editor. */
import { NONE } from '../../model/columns.js';
import * as l10n from '../../model/l10n.js';
import type { Focus, HeatmapFacts } from '../../protocol.js';
import type { ProfileIndex } from '../profileIndex.js';
import type { PageRows } from './pageRows.js';

/** More outlines than this could not be told apart. */
const maxRuns = 100;

/** @returns null where the profile has no page of it */
export function focusRows(
  index: ProfileIndex,
  rows: PageRows,
  focus: Focus,
  from: number,
  to: number,
): HeatmapFacts['focus'] {
  if (focus.kind === 'page') return focusOnPage(index, focus.page, from, to);
  const objects = new Set(focus.kind === 'object' ? [focus.object] : objectsOfLine(index, focus.file, focus.line));
  const extent = rows.extent(objects);
  if (!extent) return null;
  return {
    label: focus.kind === 'object' ? index.profile.objects.name[focus.object] : lineLabel(focus.file, focus.line),
    runs: rows.runs(from, to, maxRuns, objects).map(run => [run.from, run.to] as const),
    extent,
  };
}

function focusOnPage({ profile }: ProfileIndex, page: number, from: number, to: number): HeatmapFacts['focus'] {
  const { number, object } = profile.pages;
  const address = `0x${(BigInt(number[page]) * BigInt(profile.options.pageSize)).toString(16)}`;
  return {
    label:
      object[page] === NONE
        ? l10n.t('page {0}', address)
        : l10n.t('page {0} of {1}', address, profile.objects.name[object[page]]),
    runs: page >= from && page < to ? [[page, page + 1]] : [],
    extent: [page, page + 1],
  };
}

/** A page does not know the lines that use it, but the objects that lie on it: the line's objects stand for it. */
function objectsOfLine(index: ProfileIndex, path: string, line: number): number[] {
  const file = index.fileOf(path);
  if (file < 0) return [];
  const { lines } = index.profile;
  return index
    .rowsOf(file)
    .lines.filter(row => lines.line[row] === line)
    .flatMap(row => index.objectsOfLine(row).map(share => share.object));
}

function lineLabel(path: string, line: number): string {
  return l10n.t('allocations that {0} uses', `${path.slice(path.lastIndexOf('/') + 1)}:${line}`);
}
