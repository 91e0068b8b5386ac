/**
 * The bins that are at hand, in tiles of several resolutions. What is in sight is asked for, a few tiles at a time, the
 * middle first; what was asked for a view that has passed is not asked any more. Until a tile is there, those of other
 * resolutions stand in for it: nothing waits.
 */
import type { HeatmapFacts, ViewData, ViewQuery } from '../../core/protocol.js';
import { type Bin, HeatBins } from './heatData.js';
import { extentOf, firstSeen, keyOf, type Step, type TileId, tilesOver } from './heatGrid.js';
import type { Range } from './viewport.js';

export interface Tile {
  readonly id: TileId;
  readonly x: Range;
  readonly y: Range;
  readonly bins: HeatBins;
  /** Its bins as pixels, and what they were painted for. */
  readonly image: HTMLCanvasElement;
  painted: unknown;
  /** Number of the look that last wanted it. */
  wanted: number;
}

export interface TileEvents {
  ask(query: Pick<ViewQuery, 'range' | 'options'>): Promise<ViewData>;
  arrived(): void;
  /** The answers are of other counts than the map: both are to be asked again. */
  outdated(): void;
  failed(error: unknown): void;
}

/** About 45 MB, several screens. */
const mostTiles = 64;
const mostOnTheirWay = 3;

export class HeatTiles {
  readonly #events: TileEvents;
  readonly #tiles = new Map<string, Tile>();
  readonly #onTheirWay = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  #stamp = -1;
  #options: ViewQuery['options'] = {};
  #whole: Step = { x: 0, y: 0 };
  #sight: TileId[] = [];
  #look = 0;

  constructor(events: TileEvents) {
    this.#events = events;
  }

  /** The map whose tiles are wanted from now on; those of other counts are forgotten. */
  begin({ stamp, epochs, pageRows }: HeatmapFacts, options: ViewQuery['options'] = {}): void {
    this.#whole = { x: epochs, y: pageRows };
    this.#options = options;
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    this.#tiles.clear();
    this.#sight = [];
  }

  /** What is in sight, at which resolution. */
  look(x: Range, y: Range, step: Step): void {
    this.#sight = tilesOver(x, y, step, this.#whole);
    this.#look++;
    this.#askNext();
  }

  /** A tile that is known without asking. */
  put(id: TileId, data: ViewData): void {
    const { bins, ...extent } = { bins: new HeatBins(data), ...extentOf(id, this.#whole) };
    const image = document.createElement('canvas');
    this.#tiles.set(keyOf(id), { id, ...extent, bins, image, painted: null, wanted: this.#look });
  }

  get complete(): boolean {
    return this.#sight.every(id => this.#tiles.has(keyOf(id)));
  }

  /** Resolves when everything in sight is there, or was refused. */
  settled(): Promise<void> {
    if (this.complete || this.#onTheirWay.size === 0) return Promise.resolve();
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  /** Tiles in sight at the wanted resolution, as far as they are there. */
  sharp(): Tile[] {
    return this.#sight.flatMap(id => this.#tiles.get(keyOf(id)) ?? []);
  }

  /** Tiles of other resolutions that are seen in a part, the coarsest first. */
  others(x: Range, y: Range): Tile[] {
    const sharp = new Set(this.sharp());
    const found = [...this.#tiles.values()].filter(
      tile => !sharp.has(tile) && tile.x[0] < x[1] && tile.x[1] > x[0] && tile.y[0] < y[1] && tile.y[1] > y[0],
    );
    for (const tile of found) tile.wanted = this.#look;
    found.sort((a, b) => b.id.x * b.id.y - a.id.x * a.id.y || b.id.x - a.id.x);
    return found.slice(firstSeen(found, x, y));
  }

  /** The finest bin known at a point. */
  binAt(epoch: number, page: number): { readonly bins: HeatBins; readonly bin: Bin } | null {
    const near = [...this.sharp(), ...this.others([epoch, epoch + 1e-9], [page, page + 1e-9]).reverse()];
    for (const { bins } of near) {
      const bin = bins.binAt(epoch, page);
      if (bin) return { bins, bin };
    }
    return null;
  }

  #askNext(): void {
    for (const id of this.#sight) {
      const key = keyOf(id);
      const tile = this.#tiles.get(key);
      if (tile) tile.wanted = this.#look;
      else if (!this.#onTheirWay.has(key) && this.#onTheirWay.size < mostOnTheirWay) void this.#ask(id, key);
    }
    if (this.complete || this.#onTheirWay.size === 0) for (const done of this.#waiting.splice(0)) done();
  }

  async #ask(id: TileId, key: string): Promise<void> {
    this.#onTheirWay.add(key);
    const stamp = this.#stamp;
    try {
      const options = { ...this.#options, part: 'bins', stepX: id.x, stepY: id.y };
      const data = await this.#events.ask({ range: extentOf(id, this.#whole), options });
      if ((data.facts as HeatmapFacts).stamp === this.#stamp) {
        this.put(id, data);
        this.#forgetOldest();
        this.#events.arrived();
      } else if (stamp === this.#stamp) {
        this.#sight = [];
        this.#events.outdated();
      }
    } catch (error) {
      this.#sight = [];
      this.#events.failed(error);
    } finally {
      this.#onTheirWay.delete(key);
      this.#askNext();
    }
  }

  #forgetOldest(): void {
    const excess = this.#tiles.size - Math.max(mostTiles, 2 * this.#sight.length);
    if (excess <= 0) return;
    const byAge = [...this.#tiles].sort(([, a], [, b]) => a.wanted - b.wanted);
    for (const [key] of byAge.slice(0, excess)) this.#tiles.delete(key);
  }
}
