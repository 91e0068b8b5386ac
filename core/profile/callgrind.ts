/**
 * The profile for KCachegrind, QCachegrind and callgrind_annotate: Callgrind's format, version 1 (Valgrind manual,
 * "Callgrind Format Specification"). Each line's own reads, writes and modelled traffic, by module, file and function.
 * A profile counts no calls, so that there is no call graph in it: pprof and speedscope carry the call paths.
 */
import { NONE } from '../model/columns.js';
import type { Profile } from '../model/profile.js';

/** Names of what is unknown, as Callgrind writes them. */
const UNKNOWN = '???';

const EVENTS = [
  ['Reads', 'reads (accesses)'],
  ['Writes', 'writes (accesses)'],
  ['Fills', 'cache lines filled from memory, modelled'],
  ['WriteBacks', 'cache lines written back to memory, modelled'],
] as const;

type Counts = [reads: number, writes: number, fills: number, writeBacks: number];

export function toCallgrind(profile: Profile): string {
  const { program, totals } = profile;
  const names = new Names();
  const lines = [
    '# callgrind format',
    'version: 1',
    `creator: pagelens-${profile.tool.version}`,
    `cmd: ${[program.path || UNKNOWN, ...program.arguments].join(' ').replaceAll('\n', ' ')}`,
    `desc: Level: ${program.level}`,
    ...(program.sampling ? [`desc: Sampled: ${program.sampling.samples} samples of ${program.sampling.event}`] : []),
    'positions: line',
    ...EVENTS.map(([event, long]) => `event: ${event} : ${long}`),
    `events: ${EVENTS.map(([event]) => event).join(' ')}`,
    `summary: ${[totals.reads, totals.writes, totals.trafficReads, totals.trafficWrites].join(' ')}`,
    '',
  ];
  let object = '';
  for (const { object: itsObject, file, name, costs } of byFunction(profile)) {
    if (itsObject !== object) lines.push(`ob=${names.of('ob', (object = itsObject))}`);
    lines.push(`fl=${names.of('fl', file)}`, `fn=${names.of('fn', name)}`);
    for (const [costFile, byLine] of costs) {
      // Lines of another file: what a macro or an included piece of code did.
      if (costFile !== file) lines.push(`fi=${names.of('fl', costFile)}`);
      for (const [line, counts] of [...byLine].sort(([a], [b]) => a - b)) lines.push(`${line} ${counts.join(' ')}`);
      if (costFile !== file) lines.push(`fe=${names.of('fl', file)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

interface FunctionCosts {
  readonly object: string;
  readonly file: string;
  readonly name: string;
  /** By file, then line. */
  readonly costs: Map<string, Map<number, Counts>>;
}

/** Each function of each module, in the order of the tables; modules together. */
function byFunction({ sites, functions, files, modules }: Profile): FunctionCosts[] {
  const found = new Map<string, FunctionCosts>();
  const fileName = (row: number) => (row === NONE ? UNKNOWN : files[row]!.path);
  for (let site = 0; site < sites.count; site++) {
    const inner = sites.inlineStart[site]!;
    const row = sites.inlineFunction[inner]!;
    const module = sites.module[site]!;
    const object = (module === NONE ? '' : modules[module]!.path) || UNKNOWN;
    const [file, name] = [fileName(functions.file[row]!), functions.name[row] || UNKNOWN];
    const key = `${object}\0${file}\0${name}`;
    let costs = found.get(key);
    if (!costs) found.set(key, (costs = { object, file, name, costs: new Map() }));
    const costFile = fileName(sites.inlineFile[inner]!);
    const byLine = costs.costs.get(costFile) ?? new Map<number, Counts>();
    costs.costs.set(costFile, byLine);
    const line = sites.inlineLine[inner]!;
    const counts = byLine.get(line) ?? [0, 0, 0, 0];
    counts[0] += sites.reads[site]!;
    counts[1] += sites.writes[site]!;
    counts[2] += sites.trafficReads[site]!;
    counts[3] += sites.trafficWrites[site]!;
    byLine.set(line, counts);
  }
  const order = new Map([...found.values()].map(({ object }, i) => [object, i]));
  return [...found.values()].sort((a, b) => order.get(a.object)! - order.get(b.object)!);
}

/** Names are numbered with their first use: `(1) name`, then `(1)`. */
class Names {
  readonly #numbers = new Map<string, number>();

  of(kind: string, name: string): string {
    const key = `${kind}\0${name}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return `(${known})`;
    this.#numbers.set(key, this.#numbers.size + 1);
    return `(${this.#numbers.size}) ${name.replaceAll('\n', ' ')}`;
  }
}
