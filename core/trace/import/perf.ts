/**
 * `perf script` of memory samples: Intel PEBS (`perf mem record`, cpu/mem-loads/), AMD IBS (ibs_op//), Arm SPE. Its text
 * (tools/perf/builtin-script.c, process_event; perf-script(1)) has, a line a sample, in this order and as far as chosen
 * with -F: command, process/thread, [cpu], time:, period, event:, address, data source with its words, weight,
 * instruction with symbol and (file), physical address. Of call chains, on lines of their own, the first is the
 * instruction. With --show-mmap-events the file also says where executables lie, so that lines can be found.
 *
 * A sample stands for as many events as its period says.
 */
import { TraceError } from '../error.js';
import type { ImportFormat } from './format.js';
import type { ImportInput } from './input.js';
import { eachLine, firstLines } from './lines.js';
import { type ImportSink, READ, WRITE } from './sink.js';
import { Strange } from './strange.js';

/** No sample stands for more events, some minutes of a processor's; what says more is damage. */
const MAX_PERIOD = 2 ** 40;
/** Linux numbers its threads by 32 bits, with a sign. */
const MAX_TID = 2 ** 31 - 1;

/** Command, process and thread, cpu, time, period, event, and the rest. */
const SAMPLE =
  /^\s*(?:\S.*?)\s+(?:(\d+)\/)?(\d+)\s+(?:\[\d+\]\s+)?(?:[.\w]{1,8}\s+)?\d+\.\d+:\s+(?:(\d+)\s+)?(\S*?[a-zA-Z]\S*?):\s+([0-9a-f]+)\b(.*)$/;
/** The words of a data source, behind its number: `68100142 |OP LOAD|LVL L1 hit|...`, then the weight. */
const SOURCE =
  /^\s+[0-9a-f]+ \|OP (\S[^|]*)(?:\|LVL ([^|]+))?(?:\|[^|]*?)*?(?:\|BLK\s+(?:N\/A|\S+))?\s+(?=[0-9a-f]+\s)/;
/** What perf calls the data at the address, where it knows a name. */
const DATA = /^\s+(?![0-9a-f]+\s+[^(\s])\S.*?\s\([^()]*\)/;
/**
 * Weight and other numbers, instruction, symbol with offset, file with or without its offset; behind it may stand the
 * physical address. A symbol may look like a number (`add`): then the file follows it.
 */
const INSTRUCTION =
  /^\s*(?:[0-9a-f]+\s+)*?([0-9a-f]{1,16})\s+(?![0-9a-f]+\s+[^(\s])([^\s(].*?)(?:\+0x([0-9a-f]+))?\s+\(([^()]*(?:\([^()]*\))?[^()]*?)(?:\+0x([0-9a-f]+))?\)(?:\s+[0-9a-f]+)?\s*$/;
const MAPPING =
  /PERF_RECORD_MMAP2? -?\d+\/-?\d+: \[0x([0-9a-f]+)\(0x([0-9a-f]+)\) @ (?:0x)?([0-9a-f]+)[^\]]*\]:\s+\S*x\S*\s+(\/(?!\/).*)$/;

const UNKNOWN = '[unknown]';
/** Longer lines are no samples; expressions that try many ways to match would take long for them. */
const MAX_LINE = 2048;

interface Sample {
  readonly tid: number;
  readonly period: number;
  readonly event: string;
  readonly address: bigint;
  /** What was done and what served it, as perf words it; '' unknown. */
  readonly operation: string;
  readonly level: string;
  readonly weight: number;
  readonly instruction: Instruction | null;
}

interface Instruction {
  readonly address: bigint;
  readonly symbol: string;
  readonly file: string;
  /** Of the instruction in the file's addresses, where perf says it. */
  readonly fileOffset: bigint | null;
}

export const perf: ImportFormat = {
  label: 'perf script',
  summary: 'text of sampled accesses (PEBS, IBS, SPE) with addresses: counts are samples times period, with intervals',

  recognise(start, whole) {
    const lines = firstLines(start, whole).filter(
      line => line.trim() !== '' && line.length <= MAX_LINE && !line.startsWith('#'),
    );
    const samples = lines.filter(line => SAMPLE.test(line) && !line.includes('damon'));
    return samples.length > 0 && lines.some(line => /\(\S.*\)\s*$/.test(line));
  },

  async read(input, sink, { image }) {
    // 1. Where the executables lie, which stands anywhere in the file.
    const places = await placesOf(input);
    for (const { path, base, end, known } of places) {
      const file = known && path.startsWith('/') ? await image?.(path) : null;
      sink.module(
        file
          ? { ...file, base: file.relocatable ? base : 0n }
          : { path, base, size: Number(end - base), unplaced: true, segments: [] },
      );
    }
    // 2. The samples.
    const samples = new Samples(sink);
    const reader = new PerfReader(sample => samples.add(sample));
    const rest = await eachLine(
      input,
      (text, from, to) => reader.line(Buffer.from(text.subarray(from, to)).toString('utf8')),
      () => sink.room(),
    );
    reader.end();
    if (rest.length > 0 || input.cut)
      sink.incomplete('the file ends in the middle of a line: only what precedes it is counted');
    samples.finish(input.name);
    reader.strange.warn(sink);
  },
};

/** Turns lines into samples. */
class PerfReader {
  readonly strange = new Strange('neither samples nor events of perf');
  #open: Omit<Sample, 'instruction'> | null = null;

  constructor(private readonly onSample: (sample: Sample) => void) {}

  line(text: string): void {
    if (text.trim() === '' || text.startsWith('#') || text.includes('PERF_RECORD_')) {
      this.end();
      return;
    }
    // A line of a call chain, of which the first is the instruction.
    if (text.length <= MAX_LINE && /^\s+[0-9a-f]{1,16} \S/.test(text) && !SAMPLE.test(text)) {
      const open = this.#open;
      this.#open = null;
      if (open) this.#tell({ ...open, instruction: instructionOf(text) });
      return;
    }
    this.end();
    const found = text.length > MAX_LINE ? null : SAMPLE.exec(text);
    const [, , tid, period, event, address, rest] = (found ?? []) as unknown as string[];
    if (!found || Number(period ?? 0) > MAX_PERIOD || Number(tid) > MAX_TID) {
      this.strange.line();
      return;
    }
    const source = SOURCE.exec(rest!);
    const behind = source ? rest!.slice(source[0].length) : rest!;
    const instruction = instructionOf(behind.replace(DATA, ''));
    const weight = /^\s*(\d+)\s+[0-9a-f]+\s/.exec(behind)?.[1];
    const sample = {
      tid: Number(tid),
      period: Number(period ?? 0),
      event: event!,
      address: BigInt(`0x${address}`),
      operation: source?.[1]?.trim() ?? '',
      level: source?.[2]?.trim() ?? '',
      weight: source && weight ? Number(weight) : 0,
    };
    if (instruction) this.#tell({ ...sample, instruction });
    else this.#open = sample;
  }

  /** A sample whose instruction did not come has none. */
  end(): void {
    const open = this.#open;
    this.#open = null;
    if (open) this.#tell({ ...open, instruction: null });
  }

  #tell(sample: Sample): void {
    this.strange.record();
    this.onSample(sample);
  }
}

function instructionOf(text: string): Instruction | null {
  const found = INSTRUCTION.exec(text);
  if (!found) return null;
  const [, address, symbol, , file, offset] = found as unknown as string[];
  return {
    address: BigInt(`0x${address}`),
    symbol: symbol!,
    file: file!,
    fileOffset: offset === undefined ? null : BigInt(`0x${offset}`),
  };
}

/** A file as far as samples and mappings tell where it lies. */
interface Place {
  readonly path: string;
  base: bigint;
  end: bigint;
  /** `base` is that of the file, not only the lowest sampled instruction. */
  known: boolean;
}

async function placesOf(input: ImportInput): Promise<Place[]> {
  const places = new Map<string, Place>();
  const cover = (path: string, base: bigint, end: bigint, known: boolean) => {
    const place = places.get(path);
    if (!place || (known && !place.known)) {
      places.set(path, { path, base, end: place && place.end > end ? place.end : end, known });
    } else if (known === place.known) {
      if (base < place.base) place.base = base;
      if (end > place.end) place.end = end;
    } else if (end > place.end) place.end = end;
  };
  const reader = new PerfReader(({ instruction }) => {
    if (!instruction || instruction.file === UNKNOWN || instruction.file === '') return;
    const { address, file, fileOffset } = instruction;
    if (fileOffset === null) cover(file, address, address + 1n, false);
    else cover(file, address - fileOffset, address + 1n, true);
  });
  await eachLine(
    input,
    (text, from, to) => {
      const line = Buffer.from(text.subarray(from, to)).toString('utf8');
      const mapping = line.includes('PERF_RECORD_MMAP') && line.length <= 2 * MAX_LINE ? MAPPING.exec(line) : null;
      if (mapping) {
        const [start, size, offset] = mapping.slice(1, 4).map(digits => BigInt(`0x${digits}`)) as [
          bigint,
          bigint,
          bigint,
        ];
        // Linkers lay files out so that addresses in them are offsets plus the base; executables at fixed places have 0.
        if (start >= offset) cover(mapping[4]!, start - offset, start + size, true);
      } else reader.line(line);
    },
    async () => {},
  );
  reader.end();
  return [...places.values()];
}

/** Passes samples on, and adds up what the warnings tell. */
class Samples {
  #samples = 0;
  #periods = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = 0;
  #withoutPeriod = 0;
  #withoutOperation = 0;
  #other = 0;
  #weights = 0;
  #weighed = 0;
  readonly #events = new Set<string>();
  readonly #levels = new Map<string, number>();

  constructor(private readonly sink: ImportSink) {}

  add({ tid, period, event, address, operation, level, weight, instruction }: Sample): void {
    const kind = this.#kind(operation, event);
    // No address: the processor did not give one.
    if (kind === null || address === 0n) {
      this.#other++;
      return;
    }
    this.#samples++;
    this.#events.add(event);
    if (period === 0) this.#withoutPeriod++;
    else {
      this.#periods += period;
      this.#least = Math.min(this.#least, period);
      this.#most = Math.max(this.#most, period);
    }
    if (level !== '') this.#levels.set(level, (this.#levels.get(level) ?? 0) + 1);
    if (weight > 0) {
      this.#weights += weight;
      this.#weighed++;
    }
    const pc = instruction?.address ?? 0n;
    if (instruction && instruction.symbol !== UNKNOWN && !this.sink.named(pc))
      this.sink.name(pc, { function: instruction.symbol, file: '', line: 0, column: 0, startLine: 0 });
    this.sink.thread(tid);
    const [pcLow, pcHigh] = words(pc);
    const [low, high] = words(address);
    this.sink.access(pcLow, pcHigh, low, high, kind, 1);
  }

  /** Null: neither a load nor a store. */
  #kind(operation: string, event: string): number | null {
    if (/STORE/.test(operation)) return WRITE;
    if (/LOAD/.test(operation)) return READ;
    if (/PREFETCH|EXEC/.test(operation)) return null;
    if (/store|write/i.test(event)) return WRITE;
    if (!/load|read/i.test(event)) this.#withoutOperation++;
    return READ;
  }

  finish(name: string): void {
    if (this.#samples === 0)
      throw new TraceError(
        `${name} has no samples with addresses: record with perf mem record, print with perf script -F comm,tid,time,period,event,addr,data_src,weight,ip,sym,dso`,
      );
    const { warnings } = this.sink;
    const grouped = (count: number) => count.toLocaleString('en');
    const known = this.#samples > this.#withoutPeriod;
    const period = known ? Math.max(1, Math.round(this.#periods / (this.#samples - this.#withoutPeriod))) : 1;
    const [least, most] = known ? [this.#least, this.#most] : [1, 1];
    const event = [...this.#events].sort().join(', ');
    this.sink.sampled({ event, samples: this.#samples, period, least, most, factor: period, unit: 'accesses' });
    if (!known) warnings.push('The file has no periods (perf script -F +period): counts are samples.');
    if (least !== most)
      warnings.push(
        `The period of the samples varied from ${grouped(least)} to ${grouped(most)}: each counts as the mean, so that what was sampled ` +
          'with longer periods is understated; record one event with a fixed period (perf record -c) for counts without that bias.',
      );
    if (this.#withoutOperation > 0)
      warnings.push(
        `${grouped(this.#withoutOperation)} samples do not say whether they load or store: they count as reads.`,
      );
    if (this.#other > 0)
      warnings.push(`${grouped(this.#other)} samples were no load or store, or had no address, and do not count.`);
    if (this.#levels.size > 0) warnings.push(this.#servedBy());
  }

  /** What the data sources say: it is measured, unlike the modelled traffic. */
  #servedBy(): string {
    const ranked = [...this.#levels].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const total = ranked.reduce((sum, [, count]) => sum + count, 0);
    const shares = ranked.slice(0, 6).map(([level, count]) => `${level} ${((100 * count) / total).toFixed(1)} %`);
    const weight = this.#weighed > 0 ? `; mean weight ${(this.#weights / this.#weighed).toFixed(1)} cycles` : '';
    return `Measured: samples were served by ${shares.join(', ')}${weight}.`;
  }
}

function words(value: bigint): [low: number, high: number] {
  return [Number(value & 0xffffffffn), Number(value >> 32n)];
}
