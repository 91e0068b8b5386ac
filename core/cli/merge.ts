/** `pagelens merge`: profiles of shards, ranks and processes as one. */
import process from 'node:process';
import { checkConservation } from '../attribution/conservation.js';
import { withPlacement } from '../attribution/placement.js';
import { UsageError } from '../errors.js';
import { mergeProfiles } from '../merging/merge.js';
import { placeable, placeObjects } from '../placement/place-objects.js';
import { load, save } from '../profile/file.js';
import { parseMany } from './arguments.js';
import { absolute } from './output.js';

export async function merge(args: string[]): Promise<number> {
  const { values, files } = parseMany(args, ['output', 'check', 'quiet', 'verbose']);
  if (!values.output) throw new UsageError('merge needs -o OUT.pagelens');
  const profiles = [];
  for (const file of files) profiles.push(await load(absolute(file)));
  const merged = mergeProfiles(profiles);
  const profile = withPlacement(merged, placeObjects(placeable(merged), merged.options));
  if (values.check) {
    const wrong = checkConservation(profile);
    if (wrong.length > 0) throw new UsageError(`--check: totals are not conserved: ${wrong.join('; ')}`);
  }
  await save(profile, absolute(values.output));
  if (!values.quiet) {
    const accesses = (profile.totals.reads + profile.totals.writes).toLocaleString('en');
    process.stderr.write(`pagelens: ${profiles.length} profiles, ${accesses} accesses, merged in ${values.output}\n`);
  }
  return 0;
}
