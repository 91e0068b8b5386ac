/**
 * What the guest's kernel knows of its processes without looking at accesses: what is mapped, and which pages are present
 * in the page tables, since the first touch of a page faults into the kernel.
 *
 * A tracker keeps one up to date from its mappings and from its flags: it must have armed every page at the start of the
 * run, and arm again those that go, so that their first touch is told.
 */
import { MAPPING_END, MAPPING_FORK, MAPPING_MAP, MAPPING_UNMAP } from '../kernel/abi.js';
import { PageRanges } from './pageRanges.js';
import { PresentPages } from './presentPages.js';
import type { FlagEvent, TrackerContext } from './tracker.js';

export class AddressSpace {
  mapped = new PageRanges();
  readonly present = new PresentPages();
}

/** Words of a record of mappings. */
const MAPPING_WORDS = 6;

export class GuestMemory {
  readonly #context: Pick<TrackerContext, 'pageNumber' | 'processOf'>;
  readonly #spaces = new Map<number, AddressSpace>();
  /** 1 for each page that is present, by kernel page number. */
  #present = new Uint8Array(1024);
  #count = 0;

  constructor(context: Pick<TrackerContext, 'pageNumber' | 'processOf'>) {
    this.#context = context;
  }

  /** Address spaces by process, in order of appearance. */
  get spaces(): ReadonlyMap<number, AddressSpace> {
    return this.#spaces;
  }

  /** Pages that are present, of all processes. */
  get presentPages(): number {
    return this.#count;
  }

  /** A page's flag was set: if it was not present, it is now. */
  touched({ page, vcpu }: Readonly<Pick<FlagEvent, 'page' | 'vcpu'>>): void {
    if (page >= this.#present.length) {
      const larger = new Uint8Array(Math.max(page + 1, this.#present.length * 2));
      larger.set(this.#present);
      this.#present = larger;
    }
    if (this.#present[page]) return;
    this.#present[page] = 1;
    this.#count++;
    const space = this.#space(this.#context.processOf(vcpu));
    const number = this.#context.pageNumber(page);
    space.present.add(number, page);
    // Parts of the program that were mapped before its first instruction are no events.
    if (!space.mapped.has(number)) space.mapped.add(number, number + 1);
  }

  /** Takes over changes of mappings (Tracker.onMappings). Returns the pages that are no longer present. */
  change(mappings: Uint32Array): number[] {
    const gone: number[] = [];
    for (let at = 0; at < mappings.length; at += MAPPING_WORDS) {
      const [kind, process, firstLow, firstHigh, pagesLow, pagesHigh] = mappings.subarray(at, at + MAPPING_WORDS);
      const first = firstHigh * 2 ** 32 + firstLow;
      const end = first + pagesHigh * 2 ** 32 + pagesLow;
      const space = this.#space(process);
      if (kind === MAPPING_FORK) {
        space.mapped = this.#space(first).mapped.copy();
      } else if (kind === MAPPING_END) {
        this.#drop(space, 0, Number.POSITIVE_INFINITY, gone);
      } else if (kind === MAPPING_UNMAP) {
        this.#drop(space, first, end, gone);
      } else if (kind === MAPPING_MAP) {
        this.#drop(space, first, end, gone);
        space.mapped.add(first, end);
      }
    }
    return gone;
  }

  #drop(space: AddressSpace, from: number, to: number, gone: number[]): void {
    space.mapped.remove(from, to);
    space.present.remove(from, to, page => {
      this.#present[page] = 0;
      this.#count--;
      gone.push(page);
    });
  }

  #space(process: number): AddressSpace {
    let space = this.#spaces.get(process);
    if (!space) {
      space = new AddressSpace();
      this.#spaces.set(process, space);
    }
    return space;
  }
}
