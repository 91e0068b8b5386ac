/**
 * The memory of this machine as tiers, from Linux: each node with memory, its size, and the latencies and bandwidths that
 * the firmware states for the nearest initiators (ACPI HMAT; Documentation/admin-guide/mm/numaperf.rst: ns and MiB/s).
 *
 * It makes the text of a tiers file and is never read by a replay: the same trace and options must give the same report
 * on any machine.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../errors.js';

const NODES = '/sys/devices/system/node';
/** A tiers file takes no more. */
const TIERS_MAX = 5;

interface Node {
  readonly number: number;
  readonly bytes: number;
  readonly readLatencyNs: number;
  readonly writeLatencyNs: number;
  readonly readBandwidthGBps: number;
  readonly writeBandwidthGBps: number;
}

/**
 * A tiers file (tiers.schema.json), nodes with the least latency first; the last takes what the others do not.
 * @throws UsageError when the machine has one node, or does not state what a node's memory is like.
 */
export function hostTiers(folder = NODES): string {
  const numbers = nodeNumbers(folder).filter(number => bytesOf(folder, number) > 0);
  if (numbers.length < 2)
    throw new UsageError(
      'this machine has one memory node, so it has no tiers of its own; take a preset (pagelens list tiers) or write a file (docs/placement.md)',
    );
  const nodes = numbers.map(number => nodeOf(folder, number));
  nodes.sort((a, b) => a.readLatencyNs - b.readLatencyNs || b.readBandwidthGBps - a.readBandwidthGBps);
  if (nodes.length > TIERS_MAX)
    throw new UsageError(
      `this machine has ${nodes.length} memory nodes, and a tiers file takes ${TIERS_MAX}; write one that joins nodes of a kind`,
    );
  const tiers = nodes.map(({ number, bytes, ...figures }, i) => ({
    id: `node${number}`,
    name: `node ${number}`,
    ...(i < nodes.length - 1 && { capacity: bytes }),
    ...figures,
  }));
  return `${JSON.stringify({ label: "This machine's memory nodes", tiers }, null, 2)}\n`;
}

function nodeNumbers(folder: string): number[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    throw new UsageError(`${folder} cannot be read: only Linux tells of its memory nodes`);
  }
  const numbers = names.flatMap(name => /^node(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  return numbers.sort((a, b) => a - b);
}

function bytesOf(folder: string, node: number): number {
  const total = /MemTotal:\s+(\d+) kB/.exec(text(folder, node, 'meminfo') ?? '')?.[1];
  return total === undefined ? 0 : Number(total) * 1024;
}

function nodeOf(folder: string, node: number): Node {
  // Class 0 is of any initiator, class 1 of processors alone: older kernels have the first one only.
  const figure = (name: string): number => {
    const stated = ['access1', 'access0']
      .map(access => text(folder, node, `${access}/initiators/${name}`))
      .find(value => value !== null);
    const value = Number(stated);
    if (stated !== undefined && Number.isFinite(value) && value > 0) return value;
    throw new UsageError(
      `node ${node} does not state its ${name.replace('_', ' ')} (no HMAT from the firmware); write a tiers file with measured figures (docs/placement.md)`,
    );
  };
  const gigabytes = (name: string): number => Math.round((figure(name) * 1024 * 1024) / 1e8) / 10;
  return {
    number: node,
    bytes: bytesOf(folder, node),
    readLatencyNs: figure('read_latency'),
    writeLatencyNs: figure('write_latency'),
    readBandwidthGBps: gigabytes('read_bandwidth'),
    writeBandwidthGBps: gigabytes('write_bandwidth'),
  };
}

/** Content of a node's file; null when there is none. */
function text(folder: string, node: number, name: string): string | null {
  try {
    return readFileSync(path.join(folder, `node${node}`, name), 'utf8').trim();
  } catch {
    return null;
  }
}
