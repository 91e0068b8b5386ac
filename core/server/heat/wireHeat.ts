/** The heat of a recording that goes on, on its way to the dashboard. */
import type { HeatSoFar } from '../../machine/liveHeat.js';
import type { LiveHeat } from '../../protocol.js';
import { wire } from '../views/view.js';

export function wireHeat({ process, block, reads, writes, ...figures }: HeatSoFar): LiveHeat {
  return {
    ...figures,
    process: wire(process),
    block: wire(block),
    reads: wire(reads),
    writes: wire(writes),
  };
}
