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
/** Accesses that an import replays at most: a minute or two. Of more, only each n-th page is told. */
const MAX_REPLAYED = 2 ** 27;
/** Pages of one region that are told, at most: of 2 GiB. */
const MAX_REGION_PAGES = 2 ** 19;
/** Between two waits for the writer. */
const ACCESSES_A_TURN = 1 << 20;
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
    const lines = firstLines(start, whole);
    if (isJson(start)) return /"nr_accesses"/.test(Buffer.from(start).toString('latin1'));
    return (
      lines.some(line => AGGREGATED.test(line)) ||
      (lines.some(line => REGION.test(line)) && lines.some(line => TARGET.test(line)))
    );
  },

  async read(input, sink) {
    const regions = await regionsOf(input, sink);
    // 1. How much there is, since it decides how finely pages are told.
    const total = new Totals();
    await regions(
      region => total.add(region),
      async () => {},
    );
    total.check(input.name);
    const { step } = total;
    // 2. The pages.
    const spread = new Spread(sink, step);
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
const MEMBER = /"(target_id|start|end|samples)":\s*"?(-?[\d,]+|null)"?\s*[,}\n]/g;
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
    for (const { 0: member, 1: name, 2: value, index } of text.matchAll(MEMBER)) {
      used = index + member.length;
      const number = Number(value!.replaceAll(',', ''));
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

class Totals {
  /** Pages times checks that found them accessed. */
  pageChecks = 0;
  #checks = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = 0;
  readonly #targets = new Set<number>();

  add(region: Region): void {
    const pages = pagesOf(region);
    this.pageChecks += pages * region.accesses;
    this.#checks += region.accesses;
    this.#least = Math.min(this.#least, pages);
    this.#most = Math.max(this.#most, pages);
    this.#targets.add(region.target);
  }

  /** One in so many pages is told. */
  get step(): number {
    const share = Math.max(this.pageChecks / MAX_REPLAYED, this.#most / MAX_REGION_PAGES);
    return 2 ** Math.max(0, Math.ceil(Math.log2(share)));
  }

  check(name: string): void {
    if (this.#checks === 0) throw new TraceError(`${name} holds no region that DAMON saw accessed`);
    if (this.pageChecks > Number.MAX_SAFE_INTEGER)
      throw new TraceError(`${name} is damaged: its regions have more accesses than can be`);
  }

  tell(sink: ImportSink): void {
    const { step } = this;
    sink.sampled({
      event: 'DAMON checks that found an access',
      samples: this.#checks,
      period: Math.max(1, Math.round(this.pageChecks / this.#checks)),
      least: this.#least,
      most: this.#most,
      factor: step,
      unit: 'pages',
    });
    const { warnings } = sink;
    warnings.push(
      'Counts are page checks: a page of a region counts as accessed as often as the checks of the region’s one random page found; ' +
        'loads and stores are not told apart and stand as reads, and what code made them is unknown.',
    );
    if (step > 1)
      warnings.push(
        `The regions are large: one in ${step} pages stands for ${step}, so that pages touched are ${step} times as many.`,
      );
    if (this.#targets.size > 1)
      warnings.push(
        `${this.#targets.size} targets (processes) are shown in one address space: monitor one for a clear picture.`,
      );
  }
}

/** Makes accesses of regions: one in `step` pages has a region's checks, at most so many at once. */
class Spread {
  #region: Region | null = null;
  #next = 0;
  readonly #threads = new Map<number, number>();
  /** Page checks of what came before that no access stands for yet. */
  #carried = 0;

  constructor(
    private readonly sink: ImportSink,
    private readonly step: number,
  ) {}

  add(region: Region): void {
    this.#region = region;
    this.#next = 0;
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
    const { step } = this;
    const first = firstPage(region);
    const pages = pagesOf(region);
    for (let told = 0; this.#next < pages && told < ACCESSES_A_TURN; this.#next += step) {
      this.#carried += Math.min(step, pages - this.#next) * region.accesses;
      const address = (first + this.#next) * PAGE_BYTES;
      const [low, high] = [address % 2 ** 32, Math.floor(address / 2 ** 32)];
      for (; this.#carried >= step; this.#carried -= step, told++) this.sink.access(0, 0, low, high, READ, 1);
    }
    if (this.#next >= pages) this.#region = null;
    return this.#region !== null;
  }
}
