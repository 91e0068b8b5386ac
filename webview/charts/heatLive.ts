/** A recording that goes on, in the shape of the heatmap's answers: a row is a block of addresses, not a page. Pure. */
import type { HeatmapFacts, LiveHeat, ViewData } from '../../core/protocol.js';
import { column } from '../wire.js';
import type { TileId } from './heatGrid.js';

/** All of it is one tile: core makes no more rows and columns. */
export const liveTile: TileId = { x: 1, y: 1, column: 0, row: 0 };

export function liveView(heat: LiveHeat): ViewData {
  const { columns, rows, reads, writes } = heat;
  const facts: HeatmapFacts = {
    stamp: 0,
    columns,
    rows,
    epochs: columns,
    pageRows: rows,
    step: { x: 1, y: 1 },
    leastStepX: 1,
    shown: { x: [0, columns], y: [0, rows] },
    epochAccesses: heat.accessesPerColumn,
    counted: 'accesses',
    timesNs: [],
    segments: segmentsOf(heat),
    pageSize: heat.bytesPerRow,
    tiers: [],
    agreement: null,
    focus: null,
  };
  const none = { type: 'f32' as const, base64: '' };
  return { view: 'heatmap', facts, columns: { reads, writes, traffic: none } };
}

/** Blocks that follow each other are one range. */
function segmentsOf({ rows, process, block, bytesPerRow }: LiveHeat): HeatmapFacts['segments'] {
  const [processes, blocks] = [column(process), column(block)];
  const segments: HeatmapFacts['segments'][number][] = [];
  for (let from = 0, to = 1; from < rows && to <= rows; to++) {
    const follows = to < rows && processes[to] === processes[to - 1] && blocks[to] === blocks[to - 1]! + 1;
    if (follows) continue;
    segments.push({
      from,
      to,
      address: `0x${(BigInt(blocks[from]!) * BigInt(bytesPerRow)).toString(16)}`,
      bytes: (to - from) * bytesPerRow,
      objects: [],
    });
    from = to;
  }
  return segments;
}
