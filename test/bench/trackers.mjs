/**
 * What all trackers cost a replay (`npm run bench -- --only trackers`): the time of `--tracker all` over that of the exact
 * counts alone, in one mode of translation, on the ray tracer and on a hash table of 64 MiB.
 *
 * Both are replayed in each round, in turn one or the other first, so that a drift of the machine meets both; the
 * ratio is one of the round, of wall time and of processor time. The median over the rounds is shown.
 */
import path from 'node:path';

/** Nested paging, since most mechanisms watch an extended page table. */
const MODE = 'nested';
/** At most, and aimed for. */
export const trackerGoals = [3, 1.5];

/** Programs with the arguments that they have here: a quarter of the ray tracer's usual frame, all of the hash table. */
export const trackedPrograms = [
  { name: 'sample', full: ['302', '226'], quick: ['64', '48'] },
  { name: 'hash', full: ['22'], quick: ['18'] },
];

/**
 * @param record writes the program's trace @param replay runs the `replay` command with these options
 * @returns medians over the rounds
 */
export async function measureTrackers({ rounds, scratch, record, replay, median }) {
  const trace = path.join(scratch, 'run.pltrace');
  await record(trace);
  const wall = [];
  const processor = [];
  let peakMiB = 0;
  for (let round = 0; round < rounds; round++) {
    const times = {};
    for (const tracker of round % 2 ? ['all', 'exact'] : ['exact', 'all'])
      times[tracker] = await replay(['--mode', MODE, '--tracker', tracker, trace]);
    wall.push(times.all.seconds / times.exact.seconds);
    processor.push(times.all.processorSeconds / times.exact.processorSeconds);
    peakMiB = Math.max(peakMiB, times.all.peakMiB);
  }
  return {
    wallRatio: median(wall),
    processorRatio: median(processor),
    wallRatios: wall,
    processorRatios: processor,
    peakMiB,
  };
}

export function showTrackers(name, args, { wallRatio, processorRatio, wallRatios, peakMiB }) {
  const range = `${Math.min(...wallRatios).toFixed(2)} to ${Math.max(...wallRatios).toFixed(2)}`;
  const [most, aim] = trackerGoals;
  console.log(`trackers, ${name} ${args.join(' ')}`);
  console.log(
    `  all/exact ${wallRatio.toFixed(2)} of wall time (${range}), ${processorRatio.toFixed(2)} of processor time; ` +
      `goal ${most}, ${aim}; ${peakMiB.toFixed(0)} MiB\n`,
  );
}
