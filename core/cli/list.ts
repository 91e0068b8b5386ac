/** `pagelens list KIND`: the tables that ids come from. */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { messageOf, UsageError } from '../errors.js';
import { type Cost, costTable } from '../machine/costs.js';
import { modes } from '../machine/modes.js';
import { machines } from '../machine/presets.js';
import { hostTiers } from '../placement/hostTiers.js';
import { policies } from '../placement/policies.js';
import { presets } from '../placement/tiers.js';
import { recorders } from '../record/recorders.js';
import { importFormats } from '../trace/import/formats.js';
import type { Parameters } from '../tracking/parameters.js';
import { trackers } from '../tracking/trackers.js';

interface Described {
  readonly label?: string;
  readonly name?: string;
  readonly summary?: string;
  readonly needs?: string;
  readonly parameters?: Parameters;
  readonly costs?: Readonly<Record<string, Cost>>;
}

const kinds: Readonly<Record<string, Readonly<Record<string, Described>>>> = {
  recorders,
  formats: {
    pltrace: { label: 'Pagelens trace', summary: 'every access in order per thread, lossless (docs/trace-format.md)' },
    ...importFormats,
  },
  machines: Object.fromEntries(
    Object.entries(machines).map(([id, { label }]) => [id, { label, costs: costTable(id) }]),
  ),
  modes,
  trackers,
  classifiers: {
    shares: {
      label: 'Shares of the accesses',
      summary: 'hot: the fewest pages that receive 80 % of them; cold: the last 1 % (--hot-share, --cold-share)',
    },
  },
  policies,
  tiers: presets,
};

export async function list(args: string[]): Promise<number> {
  const { values, positionals } = parseList(args);
  const known = Object.keys(kinds).join(', ');
  if (positionals.length !== 1) throw new UsageError(`list takes one of: ${known}`);
  const [kind] = positionals;
  if (!Object.hasOwn(kinds, kind)) throw new UsageError(`list ${kind}: unknown; known: ${known}`);
  if (values.host) {
    if (kind !== 'tiers')
      throw new UsageError('--host goes with list tiers: the memory of this machine as a file for --tiers');
    process.stdout.write(hostTiers());
    return 0;
  }
  const rows = Object.entries(kinds[kind]).map(([id, { label, name, summary, needs, parameters, costs }]) => ({
    id,
    label: label ?? name ?? id,
    ...(summary && { summary }),
    ...(needs && { needs }),
    ...(parameters && { parameters }),
    ...(costs && { costs }),
  }));
  if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else {
    const width = Math.max(...rows.map(row => row.id.length));
    for (const { id, label, summary, needs, parameters } of rows) {
      const said = [label, summary, needs && `needs ${needs}`, parameters && optionsOf(id, parameters)];
      process.stdout.write(`${id.padEnd(width)}  ${said.filter(Boolean).join('; ')}\n`);
    }
  }
  return 0;
}

/** A tracker's parameters as `--tracker-option` takes them. */
function optionsOf(id: string, parameters: Parameters): string {
  const texts = Object.entries(parameters).map(([name, parameter]) => `${id}.${name}=${parameter.default}`);
  return texts.length > 0 ? `options ${texts.join(', ')}` : '';
}

function parseList(args: string[]) {
  try {
    return parseArgs({
      args,
      options: { json: { type: 'boolean' }, host: { type: 'boolean' } },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError(messageOf(error).split('. ')[0]);
  }
}
