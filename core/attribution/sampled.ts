/**
 * A run that was sampled: its counts are samples times what each stands for.
 *
 * The kernel replays samples as accesses. All that adds up is multiplied, so that every view shows estimates of the
 * run. What samples cannot tell (TLBs, caches, distances and trackers need every access in order) is left out, and a
 * warning says what the rest is worth.
 */
import type { SourceColumns } from '../model/profile.js';
import type { Sampling } from '../model/sampling.js';
import type { ProfileWithoutPlacement } from './attribute.js';

const TRAFFIC = ['trafficReads', 'trafficWrites'] as const;

export function sampled(profile: ProfileWithoutPlacement, sampling: Sampling): ProfileWithoutPlacement {
  const { period } = sampling;
  const times = (column: Float64Array) => column.map(count => count * period);
  const counts = <T extends Pick<SourceColumns, 'reads' | 'writes' | (typeof TRAFFIC)[number]>>(table: T): T => ({
    ...table,
    reads: times(table.reads),
    writes: times(table.writes),
    trafficReads: times(table.trafficReads),
    trafficWrites: times(table.trafficWrites),
  });
  const region = <T extends SourceColumns & { readonly perPagePerSecond: Float64Array }>(table: T): T => ({
    ...counts(table),
    // Accesses and modelled time grow alike.
    perPagePerSecond: table.perPagePerSecond,
  });
  const { totals, epochs, heat, siteTimes } = profile;
  const heatTimes = (column: Uint32Array) => column.map(count => count * period);
  return {
    ...profile,
    program: { ...profile.program, sampling },
    totals: {
      ...totals,
      reads: totals.reads * period,
      writes: totals.writes * period,
      trafficReads: totals.trafficReads * period,
      trafficWrites: totals.trafficWrites * period,
      modelledNs: totals.modelledNs * period,
    },
    lines: region(profile.lines),
    functions: region(profile.functions),
    sites: counts(profile.sites),
    objects: region(profile.objects),
    pairs: counts(profile.pairs),
    ...(profile.calls && { calls: counts(profile.calls) }),
    ...(siteTimes && {
      siteTimes: {
        ...siteTimes,
        accesses: times(siteTimes.accesses),
        trafficReads: times(siteTimes.trafficReads),
        trafficWrites: times(siteTimes.trafficWrites),
      },
    }),
    pages: counts(profile.pages),
    epochs: { ...counts(epochs), accesses: epochs.accesses * period, endNs: times(epochs.endNs) },
    heat: {
      ...heat,
      reads: heatTimes(heat.reads),
      writes: heatTimes(heat.writes),
      trafficReads: heatTimes(heat.trafficReads),
      trafficWrites: heatTimes(heat.trafficWrites),
    },
    missRatio: { ...profile.missRatio, pages: new Float64Array(), missRatio: new Float64Array() },
    translation: [],
    trackers: [],
    unattributed: {
      ...profile.unattributed,
      reads: profile.unattributed.reads * period,
      writes: profile.unattributed.writes * period,
    },
    warnings: [...samplingWarnings(sampling), ...profile.warnings],
  };
}

function samplingWarnings({ event, samples, period, least, most, unit }: Sampling): string[] {
  const grouped = (count: number) => count.toLocaleString('en');
  return [
    `Sampled: counts are ${grouped(samples)} samples of ${event} times ${grouped(period)} ${unit} each, with intervals of 95 %; ` +
      'pages touched, densities and working sets are what the samples met, so they are at least that large; ' +
      'TLBs, miss ratios and trackers need every access and are left out; traffic and placement rest on the samples alone.',
    ...(least === most
      ? []
      : [
          `The period of the samples varied from ${grouped(least)} to ${grouped(most)}: each counts as the mean, so that places sampled ` +
            'with longer periods are understated; record with a fixed period (perf record -c) for counts without that bias.',
        ]),
  ];
}
