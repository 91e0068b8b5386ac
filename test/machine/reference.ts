/**
 * A plain model of counting, written for clarity alone: a history of owners, sets of pages, a list as LRU stack. The
 * kernel must agree with it number for number.
 */
export interface Access {
  readonly process: number;
  readonly site: number;
  readonly address: number;
}

export interface Site {
  readonly bytes: number;
  readonly write: boolean;
}

export class Reference {
  readonly sites: readonly Site[];
  readonly pageSize: number;
  /** What owned which bytes from then on, by process: the latest that covers a byte wins; none: object 0. */
  readonly owners = new Map<number, { from: number; to: number; object: number }[]>();
  readonly pairs = new Map<string, number>();
  /** By `process/page`. */
  readonly pageReads = new Map<string, number>();
  readonly pageWrites = new Map<string, number>();
  readonly touched = new Set<string>();
  readonly pageLines = new Map<string, Set<number>>();
  /** By `page/object`. */
  readonly pageObject = new Map<string, number>();
  readonly sitePages = new Map<number, Set<string>>();
  readonly objectPages = new Map<number, Set<string>>();
  readonly objectLines = new Map<number, Set<string>>();
  readonly stack: string[] = [];
  readonly distances: number[] = [];
  /** One per access: pages it touches, first the page that it counts on. */
  readonly history: { pages: string[]; write: boolean }[] = [];

  constructor(sites: readonly Site[], pageSize = 4096) {
    this.sites = sites;
    this.pageSize = pageSize;
  }

  own(process: number, address: number, size: number, object: number): void {
    const history = this.owners.get(process) ?? [];
    history.push({ from: address, to: address + size, object });
    this.owners.set(process, history);
  }

  fork(parent: number, child: number): void {
    this.owners.set(child, [...(this.owners.get(parent) ?? [])]);
  }

  access({ process, site, address }: Access): void {
    const { bytes, write } = this.sites[site];
    const owner = this.owners.get(process)?.findLast(range => address >= range.from && address < range.to);
    const object = owner?.object ?? 0;
    const page = this.page(process, address);
    add(this.pairs, `${site}/${object}`);
    add(write ? this.pageWrites : this.pageReads, page);
    add(this.pageObject, `${page}/${object}`);
    const pages = new Set<string>();
    for (const byte of [address, address + bytes - 1]) {
      const touched = this.page(process, byte);
      const line = Math.floor(byte / 64);
      pages.add(touched);
      this.touched.add(touched);
      put(this.pageLines, touched, line);
      put(this.sitePages, site, touched);
      put(this.objectPages, object, touched);
      put(this.objectLines, object, `${process}/${line}`);
    }
    this.history.push({ pages: [...pages], write });
    const position = this.stack.indexOf(page);
    this.distances.push(position + 1);
    if (position >= 0) this.stack.splice(position, 1);
    this.stack.unshift(page);
  }

  page(process: number, address: number): string {
    return `${process}/${Math.floor(address / this.pageSize)}`;
  }

  /** Accesses by distance; index 0: first ones. */
  histogram(): number[] {
    const counts = new Array<number>(this.touchedByAccess() + 1).fill(0);
    for (const distance of this.distances) counts[distance]++;
    return counts;
  }

  touchedByAccess(): number {
    return new Set([...this.pageReads.keys(), ...this.pageWrites.keys()]).size;
  }

  /** Epochs of `length` accesses, with heat rows `page -> [reads, writes]`. */
  epochs(length: number): { pages: Set<string>; reads: number; writes: number; rows: Map<string, [number, number]> }[] {
    const epochs = [];
    for (let from = 0; from < this.history.length; from += length) {
      const epoch = { pages: new Set<string>(), reads: 0, writes: 0, rows: new Map<string, [number, number]>() };
      for (const { pages, write } of this.history.slice(from, from + length)) {
        for (const page of pages) {
          epoch.pages.add(page);
          if (!epoch.rows.has(page)) epoch.rows.set(page, [0, 0]);
        }
        epoch[write ? 'writes' : 'reads']++;
        (epoch.rows.get(pages[0]) as [number, number])[write ? 1 : 0]++;
      }
      epochs.push(epoch);
    }
    return epochs;
  }
}

function add(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

function put<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const set = map.get(key);
  if (set) set.add(value);
  else map.set(key, new Set([value]));
}
