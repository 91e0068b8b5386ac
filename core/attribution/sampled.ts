/**
 * A run that was sampled: its counts are samples times what each stands for.
 *
 * The kernel replays samples as accesses. All that adds up is multiplied, so that every view shows estimates of the
 * run. What samples cannot tell (TLBs, caches, distances and trackers need every access in order) is left out, and a
 * warning says what the rest is worth.
 */
import type { HeatCounts, SourceColumns } from '../model/profile.js';
import type { Sampling } from '../model/sampling.js';
import type { ProfileWithoutPlacement } from './attribute.js';

const TRAFFIC = ['trafficReads', 'trafficWrites'] as const;

export function sampled(profile: ProfileWithoutPlacement, sampling: Sampling): ProfileWithoutPlacement {
  const { factor } = sampling;
  const times = (column: Float64Array) => column.map(count => count * factor);
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
  return {
    ...profile,
    program: { ...profile.program, sampling },
    totals: {
      ...totals,
      reads: totals.reads * factor,
      writes: totals.writes * factor,
      trafficReads: totals.trafficReads * factor,
      trafficWrites: totals.trafficWrites * factor,
      modelledNs: totals.modelledNs * factor,
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
    ...(profile.regions && {
      regions: {
        ...counts(profile.regions),
        stretches: profile.regions.stretches.map(one => ({ ...one, accesses: one.accesses * factor })),
      },
    }),
    pages: counts(profile.pages),
    epochs: { ...counts(epochs), accesses: epochs.accesses * factor, endNs: times(epochs.endNs) },
    heat: {
      ...heat,
      reads: heatCounts(heat.reads, factor),
      writes: heatCounts(heat.writes, factor),
      trafficReads: heatCounts(heat.trafficReads, factor),
      trafficWrites: heatCounts(heat.trafficWrites, factor),
    },
    missRatio: { ...profile.missRatio, pages: new Float64Array(), missRatio: new Float64Array() },
    translation: [],
    trackers: [],
    unattributed: {
      ...profile.unattributed,
      reads: profile.unattributed.reads * factor,
      writes: profile.unattributed.writes * factor,
    },
    warnings: [...samplingWarnings(sampling), ...profile.warnings],
  };
}

function heatCounts(column: HeatCounts, factor: number): HeatCounts {
  let most = 0;
  for (const count of column) most = Math.max(most, count);
  const counts = most * factor < 2 ** 32 ? new Uint32Array(column.length) : new Float64Array(column.length);
  for (let row = 0; row < column.length; row++) counts[row] = column[row]! * factor;
  return counts;
}

function samplingWarnings({ event, samples, period, least, most, unit }: Sampling): string[] {
  const grouped = (count: number) => count.toLocaleString('en');
  return [
    `Sampled: counts are ${grouped(samples)} samples of ${event} times ${grouped(period)} ${unit} each${least === most ? '' : ' on average'}, with intervals of 95 %; ` +
      'pages touched, densities and working sets are what the samples met, so they are at least that large; ' +
      'TLBs, miss ratios and trackers need every access and are left out; traffic and placement rest on the samples alone.',
  ];
}
