/**
 * What adds up to one line or function: the instantiations of a template, and the functions that its code was inlined
 * into. The compiler makes a copy of the code for each, and each copy has access sites of its own.
 */
import * as l10n from '../model/l10n.js';
import { shortFunctionName } from '../model/names.js';
import type { SourceIndex } from './sourceIndex.js';

export interface Part {
  readonly label: string;
  readonly reads: number;
  readonly writes: number;
}

/** The parts of these sites, most accesses first: `dot<float>`, `dot<float> inlined into shade`. */
export function partsOfSites(index: SourceIndex, rows: Iterable<number>): Part[] {
  const { functions, sites } = index.profile;
  const parts = new Map<string, { label: string; reads: number; writes: number }>();
  for (const site of rows) {
    const start = sites.inlineStart[site];
    const depth = sites.inlineStart[site + 1] - start;
    if (depth === 0) continue;
    const name = shortFunctionName(functions.name[sites.inlineFunction[start]]);
    // The caller whose source names the function; what that one was inlined into in turn does not matter here.
    const into = depth > 1 ? shortFunctionName(functions.name[sites.inlineFunction[start + 1]]) : '';
    const label = into ? l10n.t('{0} inlined into {1}', name, into) : name;
    let part = parts.get(label);
    if (!part) parts.set(label, (part = { label, reads: 0, writes: 0 }));
    part.reads += sites.reads[site];
    part.writes += sites.writes[site];
  }
  return [...parts.values()].sort(
    (a, b) => b.reads + b.writes - a.reads - a.writes || (a.label < b.label ? -1 : a.label > b.label ? 1 : 0),
  );
}
