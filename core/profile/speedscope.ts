/**
 * The profile for speedscope: its file format (speedscope.app/file-format-schema.json), sampled profiles of accesses,
 * reads, writes and modelled traffic, by call path down to the allocation or global that was accessed.
 */
import type { Profile } from '../model/profile.js';
import { type Stack, type Stacks, stacksOf } from './stacks.js';

const SCHEMA = 'https://www.speedscope.app/file-format-schema.json';

const WEIGHTS: readonly (readonly [name: string, weight: (stack: Stack) => number])[] = [
  ['accesses', ({ reads, writes }) => reads + writes],
  ['reads', ({ reads }) => reads],
  ['writes', ({ writes }) => writes],
  [
    'traffic: cache lines from and to memory, modelled',
    ({ trafficReads, trafficWrites }) => trafficReads + trafficWrites,
  ],
];

export function toSpeedscope(profile: Profile): string {
  const { program, objects, tool } = profile;
  const all = stacksOf(profile);
  const shownObjects = new Map<number, number>();
  const samples = all.stacks.map(({ frames, object }) => {
    if (!shownObjects.has(object)) shownObjects.set(object, all.functions.length + shownObjects.size);
    // Outermost first; what was accessed is the leaf.
    return [...frames.map(frame => frame.function).reverse(), shownObjects.get(object)!];
  });
  const name = [program.path.split('/').pop() || 'unknown program', ...program.arguments].join(' ');
  return `${JSON.stringify({
    $schema: SCHEMA,
    name,
    exporter: `pagelens@${tool.version}`,
    activeProfileIndex: 0,
    shared: {
      frames: [
        ...functionFrames(all),
        ...[...shownObjects.keys()].map(row => ({ name: `[${objects.kind[row]}] ${objects.name[row]}` })),
      ],
    },
    profiles: WEIGHTS.flatMap(([title, weight]) => sampledProfile(`${name}: ${title}`, all, samples, weight)),
  })}\n`;
}

function functionFrames({ functions }: Stacks) {
  return functions.map(({ name, file, startLine }) => ({
    name,
    ...(file && { file }),
    ...(file && startLine > 0 && { line: startLine }),
  }));
}

/** Nothing where nothing has this weight. */
function sampledProfile(
  name: string,
  { stacks }: Stacks,
  samples: readonly number[][],
  weight: (stack: Stack) => number,
) {
  const rows = stacks.map((stack, row) => ({ row, weight: weight(stack) })).filter(({ weight }) => weight > 0);
  if (rows.length === 0) return [];
  const endValue = rows.reduce((sum, { weight }) => sum + weight, 0);
  return [
    {
      type: 'sampled',
      name,
      unit: 'none',
      startValue: 0,
      endValue,
      samples: rows.map(({ row }) => samples[row]!),
      weights: rows.map(({ weight }) => weight),
    },
  ];
}
