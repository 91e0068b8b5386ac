/**
 * NUMA hint faults (Linux NUMA balancing; mechanisms.md, H.6, J): each pass takes the permissions of the next pages of a
 * process in order of address, as many as make up 256 MiB, so that the next access to each faults once (PROT_NONE); at
 * the end of the address space the next pass begins anew. Pages that still wait for their fault are passed over. The
 * first pass of a process comes after the shortest period.
 *
 * Every process has a period of its own. When the whole address space was covered and then a fault comes, the period
 * grows by three tenths up to the longest, as it does where all memory is on one node (Linux kernel/sched/fair.c,
 * `update_task_scan_period`: 10 slots, 7 of them the threshold).
 *
 * A page is reported with its faults, read or written as the access that faulted; how often it was used behind that
 * cannot be told. `faultsWithinThreshold` are those that came sooner after the pass than the hot threshold, which are
 * what memory tiering would promote; times are known to a quantum of the replay, the earliest is taken.
 *
 * Memory: the scanner's place and times in each process [C linux 6.3 include/linux/mm_types.h: numa_next_scan,
 * numa_scan_offset, numa_scan_seq]. When a page lost its permission stands in bits of its frame that are there anyway.
 */
import { GuestMemory } from './guestMemory.js';
import { periodParameter } from './parameters.js';
import { lowerBound } from './presentPages.js';
import type { Readings } from './readings.js';
import {
  type FlagEvent,
  type Observation,
  PageColumn,
  type Tracker,
  type TrackerContext,
  tooShort,
  tracker,
} from './tracker.js';

const parameters = {
  scanMiB: {
    summary: 'memory whose permissions a pass takes',
    unit: 'MiB of present pages',
    default: 256,
    minimum: 1,
    maximum: 2 ** 20,
    source: 'H.6: 256 MB a pass',
  },
  shortestSeconds: periodParameter(1, 'H.6: period 1-60 s, first after 1 s'),
  longestSeconds: periodParameter(60, 'H.6: period 1-60 s'),
  hotSeconds: {
    summary: 'a fault this soon after the pass tells of a hot page',
    unit: 's of modelled time, stretched by --time-scale',
    default: 1,
    minimum: 0,
    maximum: 86_400,
    source: 'H.6: 1000 ms',
  },
} as const;

type Values = { readonly [Name in keyof typeof parameters]: number };

export const numaHintFaults = tracker({
  label: 'NUMA hint faults',
  summary: 'pages accessed after each pass, read or written as their first access, from faults on pages without access',
  needs: 'Linux with NUMA balancing (kernel.numa_balancing), and root to switch it on',
  parameters,
  create: context => new HintFaults(context, context.parameters),
});

/** Growth of the period on one node: (10 - 7) slots of 10. */
const GROWTH = 1.3;

/** Bytes of a scanner in the kernel: two words and a number of 32 bits, aligned. */
const SCANNER_BYTES = 24;

/** The scanner of one process. */
interface Scanner {
  /** Number of the next page. */
  cursor: number;
  /** Modelled ns. */
  due: number;
  periodNs: number;
  /** The address space was covered and no fault came since. */
  covered: boolean;
}

class HintFaults implements Tracker {
  readonly #context: TrackerContext;
  readonly #parameters: Values;
  readonly #nsPerSecond: number;
  readonly #memory: GuestMemory;
  readonly #scanners = new Map<number, Scanner>();
  /** Modelled ns at which a page's permission was taken; 0: it has it. */
  readonly #takenAt = new PageColumn();
  readonly #readings: Readings;
  #now = 0;
  #passes = 0;
  #taken = 0;
  #faults = 0;
  #soon = 0;

  constructor(context: TrackerContext, parameters: Values) {
    this.#context = context;
    this.#parameters = parameters;
    this.#nsPerSecond = 1e9 / context.timeScale;
    this.#memory = new GuestMemory(context);
    this.#readings = context.readings('both');
    // First touches, which fault anyway: they tell which pages are present.
    context.arm({ access: true });
  }

  onMappings(mappings: Uint32Array): void {
    const gone = this.#memory.change(mappings);
    for (const page of gone) this.#takenAt.add(page, -(this.#takenAt.values[page] ?? 0));
    if (gone.length > 0) this.#context.arm({ access: true }, gone);
  }

  onFlag(event: Readonly<FlagEvent>): void {
    this.#memory.touched(event);
    const { page } = event;
    const takenAt = this.#takenAt.values[page] ?? 0;
    if (takenAt === 0) return;
    this.#takenAt.add(page, -takenAt);
    this.#faults++;
    if (this.#now - takenAt < this.#parameters.hotSeconds * this.#nsPerSecond) this.#soon++;
    if (event.write) this.#readings.write(page);
    else this.#readings.read(page);
    const scanner = this.#scanners.get(this.#context.processOf(event.vcpu));
    if (scanner?.covered) {
      scanner.covered = false;
      scanner.periodNs = Math.min(scanner.periodNs * GROWTH, this.#parameters.longestSeconds * this.#nsPerSecond);
    }
  }

  onTime(ns: number): void {
    // A process that is new came since then.
    const before = this.#now;
    this.#now = ns;
    const shortest = this.#parameters.shortestSeconds * this.#nsPerSecond;
    for (const process of this.#memory.spaces.keys()) {
      let scanner = this.#scanners.get(process);
      if (!scanner) {
        scanner = { cursor: 0, due: before + shortest, periodNs: shortest, covered: false };
        this.#scanners.set(process, scanner);
      }
      if (ns < scanner.due) continue;
      this.#pass(process, scanner);
      scanner.due = ns + scanner.periodNs;
    }
  }

  #pass(process: number, scanner: Scanner): void {
    const { numbers, pages } = this.#memory.spaces.get(process)!.present.ordered();
    const from = lowerBound(numbers, scanner.cursor);
    const count = Math.ceil((this.#parameters.scanMiB * 2 ** 20) / this.#context.pageSize);
    const to = Math.min(numbers.length, from + count);
    const taken = pages.subarray(from, to).filter(page => (this.#takenAt.values[page] ?? 0) === 0);
    for (const page of taken) this.#takenAt.add(page, this.#now);
    if (taken.length > 0) this.#context.arm({ access: true }, taken);
    this.#passes++;
    this.#taken += taken.length;
    const atEnd = to === numbers.length;
    if (atEnd) scanner.covered = true;
    scanner.cursor = atEnd ? 0 : numbers[to];
  }

  finish(ns: number): Observation {
    const { costs } = this.#context;
    const { shortestSeconds, longestSeconds } = this.#parameters;
    return {
      vmExits: 0,
      costNs: this.#faults * costs.hintFaultNs + this.#taken * costs.scanNsPerPage + this.#passes * costs.shootdownNs,
      memoryBytes: this.#memory.spaces.size * SCANNER_BYTES,
      periods: this.#passes,
      own: {
        passes: this.#passes,
        pagesWithoutAccess: this.#taken,
        hintFaults: this.#faults,
        faultsWithinThreshold: this.#soon,
      },
      warnings: tooShort(
        {
          completed: this.#passes,
          seconds: meanOfTen(shortestSeconds, longestSeconds),
          timeScale: this.#context.timeScale,
        },
        ns,
      ),
    };
  }
}

/** Mean of the first ten periods where each pass covers the address space, s to two digits. */
function meanOfTen(shortest: number, longest: number): number {
  let sum = 0;
  for (let pass = 0; pass < 10; pass++) sum += Math.min(longest, shortest * GROWTH ** pass);
  return Number((sum / 10).toPrecision(2));
}
