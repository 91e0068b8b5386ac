/**
 * A shell script that runs a program under the placements that numactl(8) can give to all of its memory: those policies of
 * the profile that place pages by a rule of the kernel's (MPOL_PREFERRED, MPOL_INTERLEAVE, MPOL_BIND), each with what was
 * modelled for it. Whole allocations are for `pagelens apply`.
 */
import { bytes } from '../model/format.js';
import type { Profile, Tier } from '../model/profile.js';
import { nodeOf } from './placement.js';

interface Rule {
  readonly option: (tiers: readonly string[], fastest: number) => string;
  readonly says: (tiers: readonly Tier[], fastest: number) => string;
}

const rules: Readonly<Record<string, Rule>> = {
  'first-touch': {
    option: ([first]) => `--preferred="${first}"`,
    says: ([first]) => `${first!.name} until it is full, then what is next to it`,
  },
  interleave: {
    option: tiers => `--interleave="${tiers.join(',')}"`,
    says: () => 'page by page over all tiers in turn',
  },
  'all-fast': {
    option: (tiers, fastest) => `--membind="${tiers[fastest]}"`,
    says: (tiers, fastest) => `${tiers[fastest]!.name} alone: ends where it is full`,
  },
  'all-slow': {
    option: tiers => `--membind="${tiers.at(-1)}"`,
    says: tiers => `${tiers.at(-1)!.name} alone: ends where it is full`,
  },
};

export function toNumactl({ program, placement, totals, options }: Profile): string {
  const { tiers, policies, fastestTier = 0 } = placement;
  const known = policies.filter(({ id }) => Object.hasOwn(rules, id));
  const variables = tiers.map(({ id }) => `TIER_${id.toUpperCase().replaceAll('-', '_')}`);
  const used = variables.map(name => `$${name}`);
  const width = Math.max(0, ...known.map(({ id }) => id.length));
  return [
    '#!/bin/sh',
    '# Runs a program with all of its memory placed by one rule, as modelled by Pagelens for',
    `#   ${[program.path, ...program.arguments].map(printable).join(' ')}`,
    `# which touches ${bytes(totals.pagesTouched * options.pageSize)}. Figures: modelled run time over everything in the fastest tier, whole run, with its range.`,
    '#',
    '#   sh THIS-FILE POLICY PROGRAM [ARGUMENTS]',
    '#',
    ...known.map(({ id, modelledSlowdown, modelledSlowdownRange: [least, most] }) => {
      const figures = `${modelledSlowdown.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
      return `#   ${id.padEnd(width)}  ${figures}  ${rules[id]!.says(tiers, fastestTier)}`;
    }),
    '#',
    '# Whole allocations are placed by: pagelens report --format placement, pagelens apply.',
    '# The memory node of each tier, to be set here or in the environment; numactl --hardware lists the nodes.',
    ...tiers.map(({ id }, rank) => `: "\${${variables[rank]}:=${nodeOf(id) ?? rank}}"`),
    'if [ $# -lt 2 ]; then',
    '  echo "usage: sh $0 POLICY PROGRAM [ARGUMENTS]" >&2',
    '  exit 2',
    'fi',
    'policy=$1',
    'shift',
    'case $policy in',
    ...known.map(({ id }) => `  ${id}) exec numactl ${rules[id]!.option(used, fastestTier)} -- "$@" ;;`),
    `  *) echo "$0: policy $policy: it has ${known.map(({ id }) => id).join(', ')}" >&2 ;;`,
    'esac',
    'exit 2',
    '',
  ].join('\n');
}

/** For a comment: a name may hold anything, also line ends. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  return text.replaceAll(/[\u0000-\u001f\u007f]/g, '?');
}
