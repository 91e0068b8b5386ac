/** Rows of a profile's tables by what they belong to, as columns: made by one thread, looked at by others. */
import { NONE } from '../model/columns.js';
import type { SourceProfile } from '../model/profile.js';

/** Rows of one table by the row of another: those of group g are `rows[start[g]] .. rows[start[g + 1]]`, ascending. */
export interface Grouped {
  readonly start: Uint32Array;
  readonly rows: Uint32Array;
}

export interface SourceGroups {
  readonly linesOfFile: Grouped;
  readonly functionsOfFile: Grouped;
  readonly objectsOfFile: Grouped;
  readonly pairsOfLine: Grouped;
  readonly pairsOfFunction: Grouped;
  readonly sitesOfLine: Grouped;
  readonly sitesOfFunction: Grouped;
}

export function groupedRows({ files, lines, functions, objects, pairs, sites }: SourceProfile): SourceGroups {
  const functionOfSite = functionsOfSites(sites);
  return {
    linesOfFile: grouped(lines.file, files.length),
    functionsOfFile: grouped(functions.file, files.length),
    objectsOfFile: grouped(objects.file, files.length),
    sitesOfLine: grouped(sites.line, lines.count),
    sitesOfFunction: grouped(functionOfSite, functions.count),
    pairsOfLine: grouped(through(pairs.site, sites.line), lines.count),
    pairsOfFunction: grouped(through(pairs.site, functionOfSite), functions.count),
  };
}

/** A site belongs to the innermost function of its inline chain: the one whose source it is. */
export function functionsOfSites({ count, inlineStart, inlineFunction }: SourceProfile['sites']): Uint32Array {
  const functions = new Uint32Array(count);
  for (let site = 0; site < count; site++) {
    const chain = inlineStart[site];
    functions[site] = chain < inlineStart[site + 1] ? inlineFunction[chain] : NONE;
  }
  return functions;
}

function through(rows: Uint32Array, column: Uint32Array): Uint32Array {
  const values = new Uint32Array(rows.length);
  for (let row = 0; row < rows.length; row++) values[row] = column[rows[row]];
  return values;
}

/** By a column that names a row of another table; `NONE` belongs to no group. */
function grouped(group: Uint32Array, groups: number): Grouped {
  const start = new Uint32Array(groups + 1);
  for (let row = 0; row < group.length; row++) if (group[row] !== NONE) start[group[row] + 1]++;
  for (let i = 0; i < groups; i++) start[i + 1] += start[i];
  const next = start.slice();
  const rows = new Uint32Array(start[groups]);
  for (let row = 0; row < group.length; row++) if (group[row] !== NONE) rows[next[group[row]]++] = row;
  return { start, rows };
}

export function rowsOfGroup({ start, rows }: Grouped, group: number): Uint32Array {
  return rows.subarray(start[group], start[group + 1]);
}
