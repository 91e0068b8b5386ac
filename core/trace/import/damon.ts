/**
 * DAMON, the kernel's data access monitor, in the forms that its user-space tool damo writes (its src/_damo_records.py):
 *
 * - records, as `damo record` saves them: JSON, plain or compressed by zlib; a record a target, with snapshots of regions;
 * - `damo report raw`: text, `start-end (size) nr_accesses age` a region, below the time and target of a snapshot;
 * - the tracepoint damon:damon_aggregated as `perf script`, `trace-cmd report` or damo print it.
 *
 * Of a region DAMON checks one page a sampling interval and counts how often it was accessed (mechanisms.md, J). It takes
 * that for all of the region's pages: so here each page of a region has that many accesses, in the unit of page checks.
 * Behind them stand the checks alone, which the intervals rest on.
 */
import { TraceError } from '../error.js';
import type { ImportFormat } from './format.js';
import type { ImportInput } from './input.js';
import { eachLine, firstLines } from './lines.js';
import { type ImportSink, READ } from './sink.js';

const PAGE_BYTES = 4096;
/** Accesses that an import replays at most: some seconds. Of more, each stands for several page checks. */
const MAX_REPLAYED = 2 ** 24;
/** Different pages that an import tells of, at most. Of more, one stands for its neighbours. */
const MAX_PAGES = 2 ** 18;
/** Between two waits for the writer. */
const ACCESSES_A_TURN = 1 << 20;
/** Longer lines are no regions. */
const MAX_LINE = 2048;
/** Addresses are below it: 57 bits of a process, or of physical memory. */
const ADDRESS_LIMIT = 2 ** 57;

const REGION = /^([0-9a-f]+)-([0-9a-f]+)\s+\(\s*[\d.,]+ \w+\)\s+(-?\d+)\s+(-?\d+)\s*$/;
const TARGET = /^target_id:\s*(\S+)/;
const AGGREGATED =
  /damon[:_]?\s*(?:damon:)?(?:damon_aggregated|damos_before_apply): .*?target_i(?:d|dx)=(\d+) nr_regions=\d+ (\d+)-(\d+): (-?\d+)/;

interface Region {
  readonly target: number;
  /** Bytes. */
  readonly start: number;
  readonly end: number;
  /** Checks that found an access. */
  readonly accesses: number;
}

type OnRegion = (region: Region) => void;

export const damon: ImportFormat = {
  label: 'DAMON',
  summary:
    'damo records (JSON, also compressed), damo report raw, damon_aggregated events: page checks, with intervals',

  recognise(start, whole) {
    const lines = firstLines(start, whole).filter(line => line.length <= MAX_LINE);
    if (isJson(start)) return /"nr_accesses"/.test(Buffer.from(start).toString('latin1'));
    return (
      lines.some(line => AGGREGATED.test(line)) ||
      (lines.some(line => REGION.test(line)) && lines.some(line => TARGET.test(line)))
    );
  },

  async read(input, sink) {
    const regions = await regionsOf(input, sink);
    // 1. How much there is, since it decides what an access stands for.
    const total = new Totals();
    await regions(
      region => total.add(region),
      async () => {},
    );
    total.check(input.name);
    // 2. The pages.
    const spread = new Spread(sink, total.factor, total.grain);
    await regions(
      region => spread.add(region),
      async () => {
        while (spread.goOn()) await sink.room();
        await sink.room();
      },
    );
    total.tell(sink);
  },
};

/** Gives all regions in the file's order, each time that it is called. */
type Regions = (onRegion: OnRegion, between: () => Promise<void>) => Promise<void>;

async function regionsOf(input: ImportInput, sink: ImportSink): Promise<Regions> {
  let json = false;
  for await (const chunk of input.chunks()) {
    json = isJson(chunk);
    break;
  }
  let told = false;
  return async (onRegion, between) => {
    const pending: Region[] = [];
    const drain = async () => {
      for (const region of pending.splice(0)) {
        onRegion(region);
        await between();
      }
    };
    const whole = await (json ? eachJsonRegion : eachTextRegion)(input, region => pending.push(region), drain);
    if (!whole && !told) sink.incomplete('the file is cut: only what precedes the cut is counted');
    told ||= !whole;
  };
}

type ReadRegions = (input: ImportInput, onRegion: OnRegion, between: () => Promise<void>) => Promise<boolean>;

/** Returns whether the file is whole. */
const eachTextRegion: ReadRegions = async (input, onRegion, between) => {
  const reader = new TextReader();
  const rest = await eachLine(
    input,
    (text, from, to) => {
      const region = reader.region(Buffer.from(text.subarray(from, to)).toString('latin1'));
      if (region) onRegion(region);
    },
    between,
  );
  return rest.length === 0 && !input.cut;
};

/** The members that matter, in the order in which damo writes those of a region; numbers may be texts with commas. */
const MEMBER = /"(target_id|start|end|samples)":\s*(?:"(-?[\d,]+)"|(-?\d+))\s*[,}\n]/g;
/** A member is shorter than this, so that what a chunk ends with need not be kept longer. */
const MEMBER_BYTES = 256;

/**
 * Finds regions without keeping the whole text, which has some hundred bytes for each: a region is what stands before
 * each `samples`.
 */
const eachJsonRegion: ReadRegions = async (input, onRegion, between) => {
  let rest = '';
  let [target, start, end] = [0, Number.NaN, Number.NaN];
  for await (const chunk of input.chunks()) {
    const text = rest + Buffer.from(chunk).toString('latin1');
    let used = 0;
    for (const { 0: member, 1: name, 2: quoted, 3: plain, index } of text.matchAll(MEMBER)) {
      used = index + member.length;
      const number = Number((quoted ?? plain)!.replaceAll(',', ''));
      if (name === 'target_id') target = number || 0;
      else if (name === 'start') start = number;
      else if (name === 'end') end = number;
      else {
        const region = regionOf(target, start, end, number);
        if (region) onRegion(region);
      }
    }
    rest = text.slice(Math.max(used, text.length - MEMBER_BYTES));
    await between();
  }
  return rest.trimEnd().endsWith(']') && !input.cut;
};

class TextReader {
  #target = 0;

  region(line: string): Region | null {
    if (line.length > MAX_LINE) return null;
    const target = TARGET.exec(line)?.[1];
    if (target !== undefined) this.#target = Number(target) || 0;
    const raw = REGION.exec(line);
    if (raw) return regionOf(this.#target, Number.parseInt(raw[1]!, 16), Number.parseInt(raw[2]!, 16), Number(raw[3]));
    const event = AGGREGATED.exec(line);
    return event && regionOf(Number(event[1]), Number(event[2]), Number(event[3]), Number(event[4]));
  }
}

/** Null for what says nothing: no access, or the region that damo adds to a single snapshot (0 to 0, -1 accesses). */
function regionOf(target: number, start: number, end: number, accesses: number): Region | null {
  const usable = start >= 0 && end > start && end <= ADDRESS_LIMIT && accesses > 0 && Number.isSafeInteger(accesses);
  return usable ? { target, start, end, accesses } : null;
}

function isJson(start: Uint8Array): boolean {
  return /^\s*\[\s*(\{|\])/.test(Buffer.from(start.subarray(0, 256)).toString('latin1'));
}

const firstPage = ({ start }: Region) => Math.floor(start / PAGE_BYTES);
const pagesOf = (region: Region) => Math.ceil(region.end / PAGE_BYTES) - firstPage(region);

function powerOfTwoAbove(share: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(share)));
}

/** Union of ranges of pages. DAMON's regions tile what they monitor, so that few ranges are left. */
class Extents {
  readonly #ranges: { from: number; to: number }[] = [];

  add(from: number, to: number): void {
    const ranges = this.#ranges;
    let first = ranges.findIndex(range => range.to >= from);
    if (first < 0) first = ranges.length;
    let end = first;
    let merged = { from, to };
    for (; end < ranges.length && ranges[end]!.from <= to; end++)
      merged = { from: Math.min(merged.from, ranges[end]!.from), to: Math.max(merged.to, ranges[end]!.to) };
    ranges.splice(first, end - first, merged);
  }

  get pages(): number {
    return this.#ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  }
}

class Totals {
  /** Pages times checks that found them accessed. */
  pageChecks = 0;
  #checks = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = 0;
  readonly #extents = new Extents();
  readonly #targets = new Set<number>();

  add(region: Region): void {
    const pages = pagesOf(region);
    this.pageChecks += pages * region.accesses;
    this.#checks += region.accesses;
    this.#least = Math.min(this.#least, pages);
    this.#most = Math.max(this.#most, pages);
    this.#extents.add(firstPage(region), firstPage(region) + pages);
    this.#targets.add(region.target);
  }

  /** Page checks that one access stands for. */
  get factor(): number {
    return powerOfTwoAbove(this.pageChecks / MAX_REPLAYED);
  }

  /** Pages of which one is told. */
  get grain(): number {
    return powerOfTwoAbove(this.#extents.pages / MAX_PAGES);
  }

  check(name: string): void {
    if (this.#checks === 0) throw new TraceError(`${name} holds no region that DAMON saw accessed`);
    if (this.pageChecks > Number.MAX_SAFE_INTEGER)
      throw new TraceError(`${name} is damaged: its regions have more accesses than can be`);
  }

  tell(sink: ImportSink): void {
    const { factor, grain } = this;
    sink.sampled({
      event: 'DAMON checks that found an access',
      samples: this.#checks,
      period: Math.max(1, Math.round(this.pageChecks / this.#checks)),
      least: this.#least,
      most: this.#most,
      factor,
      unit: 'pages',
    });
    const { warnings } = sink;
    warnings.push(
      'Counts are page checks: a page of a region counts as accessed as often as the checks of the region’s one random page found; ' +
        'loads and stores are not told apart and stand as reads, and what code made them is unknown.',
    );
    if (factor > 1)
      warnings.push(
        `There are ${this.pageChecks.toLocaleString('en')} page checks: one access stands for ${factor.toLocaleString('en')} of them, evenly over the ` +
          'pages of each region, so that pages checked less often may be missing.',
      );
    if (grain > 1)
      warnings.push(
        `The regions have ${this.#extents.pages.toLocaleString('en')} pages: one page in ${grain} stands for its neighbours, so that pages touched are up to ${grain} times as many.`,
      );
    if (this.#targets.size > 1)
      warnings.push(
        `${this.#targets.size} targets (processes) are shown in one address space: monitor one for a clear picture.`,
      );
  }
}

/** Makes accesses of regions: one for each `factor` page checks, at most so many at once. */
class Spread {
  #region: Region | null = null;
  /** Accesses of the region that are told, of all. */
  #told = 0;
  #all = 0;
  /** Page checks of what came before that no access stands for yet; of the region's start. */
  #carried = 0;
  readonly #threads = new Map<number, number>();

  constructor(
    private readonly sink: ImportSink,
    private readonly factor: number,
    private readonly grain: number,
  ) {}

  add(region: Region): void {
    this.#region = region;
    this.#told = 0;
    this.#all = Math.floor((this.#carried + pagesOf(region) * region.accesses) / this.factor);
  }

  /** Targets stand as threads: their ids are addresses of the kernel. */
  #threadOf(target: number): number {
    const thread = this.#threads.get(target) ?? this.#threads.size;
    this.#threads.set(target, thread);
    return thread;
  }

  /** A part of the region's accesses; false when they are all told. */
  goOn(): boolean {
    const region = this.#region;
    if (!region) return false;
    this.sink.thread(this.#threadOf(region.target));
    const { factor } = this;
    const first = firstPage(region);
    const until = Math.min(this.#all, this.#told + ACCESSES_A_TURN);
    while (this.#told < until) {
      this.#told++;
      // The page with which the checks so far reach the next multiple of the factor.
      const page = Math.ceil((this.#told * factor - this.#carried) / region.accesses) - 1;
      const told = first + page;
      const address = Math.max(first, told - (told % this.grain)) * PAGE_BYTES;
      this.sink.access(0, 0, address % 2 ** 32, Math.floor(address / 2 ** 32), READ, 1);
    }
    if (until < this.#all) return true;
    this.#carried += pagesOf(region) * region.accesses - this.#all * factor;
    this.#region = null;
    return false;
  }
}
