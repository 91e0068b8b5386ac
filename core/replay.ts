/**
 * The pipeline: trace -> emulated machine -> counts, trackers, hotness -> source lines and objects -> placement.
 *
 * Streams (threads) run one at a time in the happens-before order of trace/merge.ts, so the result depends on the trace
 * alone: not on how it was cut into blocks, nor on whether it was replayed while it was being recorded.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { version } from './assets.js';
import { attribute, type RunSites } from './attribution/attribute.js';
import { withPlacement } from './attribution/placement.js';
import { sampled } from './attribution/sampled.js';
import { messageOf } from './errors.js';
import { classify } from './hotness/classes.js';
import { distribution, temperature } from './hotness/pattern.js';
import { CONTEXTS_MAX } from './kernel/abi.js';
import { Kernel, type KernelStream } from './machine/kernel.js';
import { type HeatSoFar, HeatTeller } from './machine/liveHeat.js';
import { countedReplay } from './machine/results.js';
import { NONE } from './model/columns.js';
import { whole } from './model/format.js';
import * as l10n from './model/l10n.js';
import type { Profile, ReplayOptions } from './model/profile.js';
import type { RawReplay } from './model/raw.js';
import { placeObjects } from './placement/place-objects.js';
import { tierSet } from './placement/tiers.js';
import type { ProfileProgress } from './protocol.js';
import { type MachinePort, MachineRun, type MachineRunResult } from './replay/machineRun.js';
import { MachineThread } from './replay/machineThread.js';
import { symbolsOf } from './symbols/traceSymbols.js';
import type { EndBlock, SitesBlock, SymbolsBlock, ThreadBlock } from './trace/blocks.js';
import { TraceError } from './trace/error.js';
import { MergeOrder, NO_LIMIT } from './trace/merge.js';
import { TraceFile } from './trace/reader.js';
import { firstSequence } from './trace/records.js';
import { pmlLogEntries, trackerResults } from './tracking/run.js';
import { addSamplers, samplersOf } from './tracking/samples.js';
import { trackers } from './tracking/trackers.js';

/** What ends a trace. */
export interface LastBlocks {
  readonly symbols: SymbolsBlock | null;
  readonly end: EndBlock;
}

/** Tells a replay how far a trace that is still being recorded may be read. */
export class LiveFeed {
  #safeSeq = 0;
  #recorded = false;
  #unsaved: LastBlocks | null = null;
  #wake: (() => void) | null = null;

  /** Every segment below this sequence number is in the file. */
  safe(seq: number): void {
    this.#safeSeq = Math.max(this.#safeSeq, seq);
    this.#wake?.();
  }

  /** Nothing more comes into the file; `unsaved`: its last blocks, when the disk had no room for them. */
  recorded(unsaved: LastBlocks | null = null): void {
    this.#recorded = true;
    this.#unsaved = unsaved;
    this.#wake?.();
  }

  get state(): { readonly safeSeq: number; readonly recorded: boolean } {
    return { safeSeq: this.#recorded ? NO_LIMIT : this.#safeSeq, recorded: this.#recorded };
  }

  /** The last blocks of the trace that are not in the file. */
  get unsaved(): LastBlocks | null {
    return this.#unsaved;
  }

  /** Resolves at the next news. */
  async news(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#wake = resolve;
    });
    this.#wake = null;
  }
}

export interface ReplayHooks {
  readonly feed?: LiveFeed | null;
  readonly onProgress?: (progress: ProfileProgress) => void;
  /** Hears of the heat now and then, up to the last whole epoch. */
  readonly onHeat?: (heat: HeatSoFar) => void;
  /** Ends the replay early: the profile holds what was replayed until then, and says so. */
  readonly signal?: AbortSignal;
  /** Emulates the machine on a second thread: the same result, sooner. The calling thread must be one that may block. */
  readonly parallel?: boolean;
}

/** Between two looks at the event loop (messages, cancellation) and two reports of progress, ms. */
const SLICE_MS = 50;

/** @throws TraceError, UsageError */
export async function replay(path: string, options: ReplayOptions, hooks: ReplayHooks = {}): Promise<Profile> {
  // A tiers file that cannot be used is told before the work, not after it.
  tierSet(options.tiers);
  const live = hooks.feed !== undefined && hooks.feed !== null;
  const trace = await TraceFile.open(path, { live });
  try {
    const run = new Replay(trace, options, hooks);
    try {
      await run.streams();
      return await run.profile();
    } finally {
      run.stop();
    }
  } finally {
    await trace.close();
  }
}

interface ReplayStream {
  readonly thread: ThreadBlock;
  kernel: KernelStream | null;
  nextBlock: number;
}

class Replay {
  readonly #trace: TraceFile;
  readonly #options: ReplayOptions;
  readonly #hooks: ReplayHooks;
  readonly #kernel: Kernel;
  readonly #machine: MachinePort;
  readonly #heat: HeatTeller | null;
  readonly #order = new MergeOrder();
  readonly #streams = new Map<number, ReplayStream>();
  readonly #waiting = new Set<ThreadBlock>();
  readonly #sites = new SiteNumbers();
  readonly #vcpus = new Map<string, number>();
  readonly #warnings: string[] = [];
  /** How much of the trace's lists is known to the kernel. */
  readonly #known = { processes: 0, modules: 0, sites: 0, fileNames: 0, markNames: 0, threads: 0 };
  #lastSlice = performance.now();
  #startedAt = performance.now();
  #cut = false;

  constructor(trace: TraceFile, options: ReplayOptions, hooks: ReplayHooks) {
    this.#trace = trace;
    this.#options = options;
    this.#hooks = hooks;
    this.#machine = hooks.parallel ? new MachineThread(options) : new MachineRun(options);
    this.#kernel = new Kernel({
      pageSize: options.pageSize,
      epochAccesses: options.epochAccesses,
      deliver: messages => this.#machine.deliver(messages),
    });
    addSamplers(
      this.#kernel.exports,
      samplersOf(trackers, options.trackers, options.trackerOptions).filter(({ level }) => level === 0),
    );
    this.#heat = hooks.onHeat ? new HeatTeller(this.#kernel, hooks.onHeat) : null;
  }

  /** Releases what the replay holds; after the end, or instead of it. */
  stop(): void {
    this.#machine.stop();
  }

  /** Replays all streams to their ends, or until cancelled. */
  async streams(): Promise<void> {
    const { feed, signal } = this.#hooks;
    for (;;) {
      // The state first, then the file: what is in the file may be newer than the state, never older.
      const { safeSeq, recorded } = feed?.state ?? { safeSeq: NO_LIMIT, recorded: true };
      if (feed) await this.#trace.refresh();
      await this.#learn();
      for (let turn = this.#order.next(safeSeq); turn; turn = this.#order.next(safeSeq)) {
        await this.#run(turn.stream, turn.limitSeq, safeSeq, recorded);
        if (signal?.aborted) {
          this.#cut = true;
          this.#warnings.push(l10n.kept('the replay was cancelled: what was replayed until then is shown'));
          this.#kernel.finish();
          return;
        }
      }
      if (recorded) break;
      this.#kernel.flush();
      // News that came while the turns ran is news too.
      if (feed!.state.safeSeq === safeSeq) await feed!.news();
    }
    this.#kernel.finish();
  }

  /** Tells the kernel of the processes, modules, sites and threads that the trace names by now. */
  async #learn(): Promise<void> {
    const { processes, modules, sites, fileNames, markNames, threads } = this.#trace;
    const known = this.#known;
    for (; known.processes < processes.length; known.processes++) {
      this.#kernel.defineProcess(processes[known.processes].process);
    }
    for (; known.modules < modules.length; known.modules++) this.#kernel.defineModule(modules[known.modules]);
    for (; known.fileNames < fileNames.length; known.fileNames++) {
      const { process, index, path } = fileNames[known.fileNames];
      this.#kernel.defineFile(process, index, path);
    }
    for (; known.markNames < markNames.length; known.markNames++) {
      const { process, index, name } = markNames[known.markNames];
      this.#kernel.defineMarkName(process, index, name);
    }
    for (; known.sites < sites.length; known.sites++) {
      const block = sites[known.sites];
      this.#kernel.defineSites(block, this.#sites.numbersOf(block));
    }
    for (; known.threads < threads.length; known.threads++) this.#waiting.add(threads[known.threads]);
    // A stream takes its place in the order by its first number, which stands in its first block.
    for (const thread of this.#waiting) {
      if (this.#trace.streamBlocks(thread.stream) === 0) continue;
      this.#waiting.delete(thread);
      const first = await this.#read(thread.stream, 0);
      if (!first) continue;
      this.#streams.set(thread.stream, { thread, kernel: null, nextBlock: 0 });
      this.#order.add(thread.stream, firstSequence(first));
    }
  }

  /** One turn of a stream. */
  async #run(number: number, limitSeq: number, safeSeq: number, recorded: boolean): Promise<void> {
    const stream = this.#streams.get(number)!;
    // A thread's vCPU starts when it is the thread's turn, so that its clock starts then.
    stream.kernel ??= this.#createStream(stream.thread);
    const limit = BigInt(limitSeq);
    for (;;) {
      const stop = this.#kernel.run(stream.kernel, limit);
      switch (stop.stop) {
        case 'turn':
          this.#order.advance(number, Number(stop.seq));
          return;
        case 'slice':
          await this.#slice();
          if (this.#hooks.signal?.aborted) return;
          break;
        case 'input': {
          if (stream.nextBlock < this.#trace.streamBlocks(number)) {
            const bytes = await this.#read(number, stream.nextBlock++);
            if (!bytes) {
              this.#order.end(number);
              return;
            }
            this.#kernel.feed(stream.kernel, bytes);
            break;
          }
          // While it is recorded, what comes next starts at `safeSeq` or later: all below it is in the file.
          if (recorded) this.#order.end(number);
          else this.#order.advance(number, safeSeq);
          return;
        }
        case 'exit':
        case 'fork':
        case 'exec':
          break;
        case 'error':
          this.#damaged(
            `the records of stream ${number} cannot be decoded at byte ${stop.offset} of block ${stream.nextBlock - 1}`,
          );
          this.#order.end(number);
          return;
      }
    }
  }

  #createStream({ process, stream, tid, signal }: ThreadBlock): KernelStream {
    const key = `${process}:${tid}`;
    let vcpu = signal ? this.#vcpus.get(key) : undefined;
    if (vcpu === undefined) {
      vcpu = this.#kernel.createThread(process);
      this.#vcpus.set(key, vcpu);
    }
    return this.#kernel.createStream(process, vcpu, stream, signal);
  }

  /** A block of a stream; null, with a warning, when it is damaged. */
  async #read(stream: number, block: number): Promise<Uint8Array | null> {
    try {
      return await this.#trace.readStream(stream, block);
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      // Of damage in the file, the file's own warning tells.
      if (this.#trace.damage) this.#cut = true;
      else this.#damaged(messageOf(error));
      return null;
    }
  }

  #damaged(what: string): void {
    this.#cut = true;
    this.#warnings.push(l10n.kept('{0}; what precedes it was used', what));
  }

  /** Lets messages in, and tells progress, now and then. */
  async #slice(): Promise<void> {
    const now = performance.now();
    if (now - this.#lastSlice < SLICE_MS) return;
    this.#lastSlice = now;
    this.#heat?.slice(now);
    const { accesses, pages } = this.#kernel.progress;
    const accessesPerSecond = (accesses * 1000) / Math.max(1, now - this.#startedAt);
    this.#hooks.onProgress?.({
      stage: 'replay',
      accesses,
      accessesPerSecond,
      pages,
      fraction: null,
      message: l10n.kept('replaying: {0} accesses, {1} pages', whole(accesses), whole(pages)),
    });
    await nextTurn();
  }

  /** What was counted, resolved to source. */
  async profile(): Promise<Profile> {
    const trace = this.#trace;
    const sites = this.#sites.columns();
    const unsaved = this.#hooks.feed?.unsaved;
    const symbols =
      trace.symbols ?? unsaved?.symbols ?? (await symbolsOf(trace.modules, sites, { sameBuildOnly: true }));
    const raw = this.#raw(await this.#machine.finish());
    const last = trace.end ?? unsaved?.end ?? null;
    const end = last && { ...last, complete: trace.complete && !this.#cut };
    const counted = attribute(
      raw,
      {
        header: trace.header,
        processes: trace.processes,
        threads: trace.threads,
        modules: trace.modules,
        sites,
        symbols,
        end,
        tool: version(),
      },
      this.#options,
    );
    const profile = end?.sampling ? sampled(counted, end.sampling) : counted;
    return withPlacement(profile, placeObjects(profile, this.#options));
  }

  #raw({ counted: machine, translation, observed, busyNs, pmlLogged }: MachineRunResult): RawReplay {
    const { rowOfPage, ...counted } = countedReplay(this.#kernel, machine);
    const { pages, totals, epochs } = counted;
    const { reads, writes } = pages;
    const trackers = trackerResults(observed, { reads, writes, rowOfPage, busyNs, epochs: epochs.count });
    const accesses = pages.reads.map((reads, page) => reads + pages.writes[page]);
    const { hotShare, coldShare, pageSize } = this.#options;
    const hotness = classify(accesses, hotShare, coldShare);
    return {
      ...counted,
      temperature: temperature(hotness, pmlLogEntries(observed) ?? pmlLogged, totals.modelledNs),
      distribution: distribution({ ...totals, pages, pageSize, epochs, mappings: this.#kernel.mappings() }),
      translation,
      trackers,
      warnings: [
        ...damage(this.#trace),
        ...this.#warnings,
        ...(this.#kernel.exports.contextsFull.value ? [fullContexts] : []),
        ...trackers.flatMap(({ id, warnings }) => warnings.map(warning => l10n.kept('tracker {0}: {1}', id, warning))),
      ],
    };
  }
}

const fullContexts = l10n.kept(
  'more than {0} call paths: what further ones did is counted on the known part of their path',
  CONTEXTS_MAX - 1,
);

/** What is wrong with the file itself. That its end is missing is told by whoever resolves it. */
function damage({ damage }: TraceFile): string[] {
  if (!damage) return [];
  return [`the trace is damaged at byte ${damage.offset} (${damage.reason}); what precedes it was used`];
}

/**
 * Run-wide numbers of sites: one for each place and kind, so that processes of one program share them. A place outside
 * all modules is its process's own.
 */
class SiteNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #module: number[] = [];
  readonly #offset: number[] = [];
  readonly #kind: number[] = [];

  numbersOf(block: SitesBlock): Uint32Array {
    return Uint32Array.from({ length: block.pc.length }, (_, i) => {
      const module = block.module[i];
      const offset = module === NONE ? Number(block.pc[i]) : block.offset[i];
      const place = module === NONE ? `${block.process}:${block.pc[i]}` : `${module}/${offset}`;
      const key = `${place} ${block.kind[i]}`;
      let number = this.#numbers.get(key);
      if (number === undefined) {
        number = this.#module.length;
        this.#numbers.set(key, number);
        this.#module.push(module);
        this.#offset.push(offset);
        this.#kind.push(block.kind[i]);
      }
      return number;
    });
  }

  columns(): RunSites {
    return {
      count: this.#module.length,
      module: Uint32Array.from(this.#module),
      offset: Float64Array.from(this.#offset),
      kind: Uint16Array.from(this.#kind),
    };
  }
}
