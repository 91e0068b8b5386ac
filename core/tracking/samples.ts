/**
 * Samples of accesses that trackers ask for, and the kernel's samplers that make them. Those that count accesses live in
 * the counting half, which alone knows every access; those that count what a level of the caches served, in the machine
 * half. Both halves number the streams from the same list, so that samples reach who asked for them.
 */
import { SAMPLE_PERIOD_MIN, SAMPLE_READS, SAMPLE_WRITES } from '../kernel/abi.js';
import { SAMPLERS, STREAM_SAMPLES } from '../kernel/abi-machine.js';
import { type TrackerParameters, valuesOf } from './parameters.js';
import { seedOf } from './random.js';
import type { TrackerKind } from './tracker.js';

/** One of every so many accesses. */
export interface SampleRequest {
  readonly accesses: 'all' | 'reads' | 'writes';
  /** Counts only accesses that this level or a lower one served: SERVED_L2, SERVED_LLC, SERVED_MEMORY. */
  readonly servedFrom?: number;
  /** Accesses between two samples at most. */
  readonly period: number;
  /** A random number up to it is taken off each period. */
  readonly jitter: number;
}

export interface Sampler {
  readonly tracker: string;
  /** STREAM_SAMPLES + a number of its own. */
  readonly stream: number;
  /** Its place among the tracker's requests. */
  readonly request: number;
  readonly period: number;
  readonly jitter: number;
  readonly seed: number;
  /** SAMPLE_* bits. */
  readonly directions: number;
  /** SERVED_*; 0: it counts in the counting half. */
  readonly level: number;
}

const DIRECTIONS = { all: SAMPLE_READS | SAMPLE_WRITES, reads: SAMPLE_READS, writes: SAMPLE_WRITES } as const;

/** Adds one to the kernel half that it counts in. */
export interface SamplerExports {
  addSampler(stream: number, period: number, jitter: number, seed: number, directions: number, level: number): void;
}

export function addSamplers(kernel: SamplerExports, samplers: readonly Sampler[]): void {
  for (const { stream, period, jitter, seed, directions, level } of samplers)
    kernel.addSampler(stream, period, jitter, seed, directions, level);
}

/** The samplers that these trackers ask for. @throws RangeError for a request that the kernel cannot serve */
export function samplersOf(
  table: Readonly<Record<string, TrackerKind>>,
  ids: readonly string[],
  parameters: TrackerParameters,
): Sampler[] {
  const asked = ids.flatMap(id => {
    const kind = table[id];
    const requests = kind.samples?.(valuesOf(id, kind.parameters, parameters)) ?? [];
    return requests.map((request, index) => ({ id, request, index }));
  });
  if (asked.length > SAMPLERS) throw new RangeError(`${asked.length} samplers are asked for; there are ${SAMPLERS}`);
  return asked.map(({ id, request, index }, number) => {
    const { accesses, servedFrom, period, jitter } = request;
    if (!(jitter >= 0 && period - jitter >= SAMPLE_PERIOD_MIN && period <= 0x7fff_ffff))
      throw new RangeError(
        `tracker ${id}: a period of ${period} less up to ${jitter} is not within ${SAMPLE_PERIOD_MIN} and 2^31 - 1`,
      );
    return {
      tracker: id,
      stream: STREAM_SAMPLES + number,
      request: index,
      period,
      jitter,
      seed: seedOf(`${id} ${index}`),
      directions: DIRECTIONS[accesses],
      level: servedFrom ?? 0,
    };
  });
}
