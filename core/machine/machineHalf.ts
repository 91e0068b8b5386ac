/**
 * The machine half of a replay: the emulated machine in an instance of the kernel of its own, told of batches of touches
 * by the counting half. Nothing goes back before the end, so that it may run on a thread of its own.
 */
import { OUTBOX_BYTES } from '../kernel/abi.js';
import { type EpochColumns, type HeatRows, readEpochColumns, readHeatRows, readPageCounts, wide } from './heatRows.js';
import { guarded, instantiate } from './instance.js';
import { readSiteTimes, type SiteTimes, type SiteTimesExports } from './siteTimes.js';

interface Global {
  readonly value: number;
}

/** The exports that the machine half uses. */
export interface MachineHalfExports extends SiteTimesExports {
  readonly memory: WebAssembly.Memory;
  readonly failure: Global;
  setPageSize(bytes: number): void;
  setEpochLength(accesses: bigint): void;
  setEpochLimits(start: bigint, maximum: number, rows: number): void;
  machineStart(): void;
  machineParameters(): number;
  machineCounters(): number;
  modelledNs(): number;
  inboxStart(): number;
  inboxFilled(bytes: number): void;
  consume(): number;
  finishMachine(): void;
  // Modes.
  machineCount(): number;
  machineEvents(process: number): number;
  dspSwitch(process: number, shadow: number): void;
  agileInterval(): void;
  // Trackers.
  eventsStart(): number;
  eventsCount(): number;
  eventsClear(): void;
  trackerArm(tracker: number, classes: number): void;
  trackerDisarm(tracker: number, classes: number): void;
  pageList(count: number): number;
  trackerArmPages(tracker: number, classes: number, count: number): void;
  trackerDisarmPages(tracker: number, classes: number, count: number): void;
  addSampler(stream: number, period: number, jitter: number, seed: number, directions: number, level: number): void;
  streamWant(stream: number): void;
  streamWords(stream: number): number;
  streamLength(stream: number): number;
  streamsClear(): void;
  readonly pageNumbers: Global;
  vcpuProcess(vcpu: number): number;
  vcpusLive(): number;
  // Results.
  addTraffic(pair: number, page: number, isWrite: number): void;
  pairTraffic(): number;
  pairTrafficCount(): number;
  pageCounts(): number;
  readonly pagesKnown: Global;
  readonly epochCount: Global;
  readonly epochLength: { readonly value: bigint };
  readonly epochsPerBin: Global;
  epochRecord(epoch: number): number;
  readonly rowCount: Global;
  heatRow(row: number): number;
  readonly histogram: Global;
  readonly distinct: Global;
}

/** What the machine half counted; pages and pairs have the counting half's numbers. Plain data: it may cross threads. */
export interface MachineCountsOfRun {
  /** Modelled run time, ns. */
  readonly modelledNs: number;
  /** Lines filled from memory and written back to it, by pair; pairs beyond the end have none. */
  readonly pairFills: Float64Array;
  readonly pairWriteBacks: Float64Array;
  /** The same by page. */
  readonly pageFills: Float64Array;
  readonly pageWriteBacks: Float64Array;
  readonly epochs: EpochColumns;
  readonly heat: HeatRows;
  /** Lines filled and written back by site and time. */
  readonly siteTimes: SiteTimes;
  /** Accesses by LRU stack distance in pages, 1-based; index 0: first accesses of a page, whose distance is infinite. */
  readonly distances: Float64Array;
}

export class MachineHalf {
  readonly exports: MachineHalfExports;

  constructor(options: { readonly pageSize: 4096 | 2097152; readonly epochAccesses: number }) {
    this.exports = instantiate(() => {
      throw new Error('the machine half has nobody to tell');
    });
    this.exports.setPageSize(options.pageSize);
    this.exports.setEpochLength(BigInt(options.epochAccesses));
  }

  /**
   * Works through messages of the counting half, at most OUTBOX_BYTES of them.
   * @param onQuantum called whenever the run's accesses reach a multiple of QUANTUM
   */
  deliver(messages: Uint8Array, onQuantum?: () => void): void {
    const { exports } = this;
    guarded(exports, () => {
      new Uint8Array(exports.memory.buffer, exports.inboxStart() >>> 0, OUTBOX_BYTES).set(messages);
      exports.inboxFilled(messages.length);
      while (exports.consume()) onQuantum?.();
    });
  }

  /** Ends the run. */
  finish(): MachineCountsOfRun {
    const { exports } = this;
    guarded(exports, () => exports.finishMachine());
    const pages = readPageCounts(exports, exports.pagesKnown.value);
    const pairs = this.#u64(exports.pairTraffic(), exports.pairTrafficCount() * 2);
    return {
      modelledNs: exports.modelledNs(),
      pairFills: pairs.filter((_, i) => i % 2 === 0),
      pairWriteBacks: pairs.filter((_, i) => i % 2 === 1),
      pageFills: pages.first,
      pageWriteBacks: pages.second,
      epochs: readEpochColumns(exports),
      heat: readHeatRows(exports),
      siteTimes: readSiteTimes(exports),
      distances: exports.histogram.value
        ? this.#u64(exports.histogram.value, exports.distinct.value + 1)
        : new Float64Array(1),
    };
  }

  #u64(address: number, length: number): Float64Array {
    const words = new Uint32Array(this.exports.memory.buffer, address >>> 0, length * 2);
    return Float64Array.from({ length }, (_, i) => wide(words, 2 * i));
  }
}
