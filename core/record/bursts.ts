/**
 * Bursts of recording (runtime/window.c): what they say of the whole run.
 *
 * What is within a burst happened together: it is one sample, however many accesses it has. So intervals rest on the
 * number of bursts, as if each fell on one line alone: the widest that their correlation can make them (Cochran,
 * "Sampling Techniques", 1977, section 9.4: the variance of clusters).
 */
import { whole } from '../model/format.js';
import * as l10n from '../model/l10n.js';
import type { Sampling } from '../model/sampling.js';
import { type BurstOptions, burstFactor } from '../model/window.js';
import type { ControlPage } from './runDirectory.js';

type Counted = Pick<ControlPage, 'accesses' | 'skipped' | 'bursts'>;

/** null: no burst fell into the run. */
export function burstSampling(options: BurstOptions, streams: readonly Counted[]): Sampling | null {
  const recorded = streams.reduce((sum, { accesses }) => sum + accesses, 0);
  const samples = streams.reduce((sum, { bursts }) => sum + bursts, 0);
  if (samples === 0 || recorded === 0) return null;
  const factor = burstFactor(options);
  const period = Math.max(1, Math.round((recorded * factor) / samples));
  const event = `bursts of ${whole(Math.round(recorded / samples))} accesses`;
  return { event, samples, period, least: period, most: period, factor, unit: 'accesses' };
}

export function noBurst({ on, off }: BurstOptions, streams: readonly Counted[]): string {
  const skipped = streams.reduce((sum, one) => sum + one.skipped, 0);
  return l10n.kept(
    'no burst fell into the run: it made only {0} accesses; --sample {1}/{2} is for longer runs',
    whole(skipped),
    on,
    off,
  );
}
