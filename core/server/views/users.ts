/** Which source lines use an object, from the profile's pairs of site and object. */
import { NONE } from '../../model/columns.js';
import * as l10n from '../../model/l10n.js';
import { shortFunctionName } from '../../model/names.js';
import type { Profile } from '../../model/profile.js';
import type { LineUse } from '../../protocol.js';
import type { ProfileIndex } from '../profileIndex.js';
import { location } from './view.js';

/** Most accesses first; accesses without a line are one row at its place. Counts are of the whole run. */
export function usersOf({ profile }: ProfileIndex, object: number): LineUse[] {
  const { pairs, sites, lines } = profile;
  const sums = new Map<number, { reads: number; writes: number; traffic: number }>();
  for (let pair = 0; pair < pairs.count; pair++) {
    if (pairs.object[pair] !== object) continue;
    const line = sites.line[pairs.site[pair]];
    let sum = sums.get(line);
    if (!sum) sums.set(line, (sum = { reads: 0, writes: 0, traffic: 0 }));
    sum.reads += pairs.reads[pair];
    sum.writes += pairs.writes[pair];
    sum.traffic += pairs.trafficReads[pair] + pairs.trafficWrites[pair];
  }
  return [...sums]
    .sort(([a, x], [b, y]) => y.reads + y.writes - x.reads - x.writes || a - b)
    .map(([line, sum]) => ({
      label: line === NONE ? l10n.t('code without line information') : lineLabel(profile, line),
      location: line === NONE ? null : location(profile, lines.file[line], lines.line[line]),
      ...sum,
    }));
}

/** `raytracer.c:412 shade`. */
function lineLabel({ files, lines, functions }: Profile, row: number): string {
  const name = files[lines.file[row]].path.split('/').pop();
  return `${name}:${lines.line[row]} ${shortFunctionName(functions.name[lines.function[row]] ?? '')}`.trimEnd();
}
