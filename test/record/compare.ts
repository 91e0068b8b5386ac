/** Compares what a stream decodes to with what the verifying runtime wrote raw, access by access, event by event. */
import { decodeStream, loadDecoder, type Run, STOP_INPUT } from './rundir.js';

const RANGE_READ = 2;
const ENTRY = 4;
const EXIT = 5;
const CLASS_MASK = 7;

export interface Comparison {
  readonly accesses: number;
  readonly events: number;
  readonly bytes: number;
  /** Raw steps and events at the end that the encoded stream lacks: what a kill may cost. */
  readonly missing: number;
}

/** The accesses and events that raw entries stand for, in the form `kind:pc:address` and `event:...`. */
function* expand(raw: BigUint64Array): Generator<string> {
  for (let at = 0; at < raw.length; at += 8) {
    const word = raw[at] as bigint;
    if (word >> 32n === 1n) {
      const fields = [1, 2, 3, 4, 5].map(i => raw[at + i]);
      yield `event ${(word & 0xffffffffn) >> 1n} ${fields.join(' ')}`;
      continue;
    }
    const kind = Number((word & 0xffffffffn) >> 1n);
    const pc = raw[at + 1] as bigint;
    const start = raw[at + 2] as bigint;
    const siteClass = kind & CLASS_MASK;
    if (siteClass === ENTRY || siteClass === EXIT) continue;
    if (siteClass < RANGE_READ) {
      yield `${kind} ${pc} ${start}`;
      continue;
    }
    const end = start + (raw[at + 3] as bigint);
    for (let line = start; line < end; line = (line & ~63n) + 64n) yield `${kind} ${pc} ${line}`;
  }
}

/**
 * Throws at the first difference. With `killed` the raw side may go on: the one step or event whose record was being
 * written (a step that expands to a range counts as one).
 */
export async function compareRun(run: Run, { killed = false } = {}): Promise<Comparison> {
  let accesses = 0;
  let events = 0;
  let bytes = 0;
  let missing = 0;
  for (const stream of run.streams) {
    const sites = run.processes.get(stream.process)?.sites ?? [];
    const kernel = await loadDecoder();
    const expected = expand(stream.raw);
    let number = 0;
    const expectNext = (actual: string) => {
      const next = expected.next();
      if (next.done || next.value !== actual) {
        throw new Error(
          `stream ${stream.number}, item ${number}: decoded ${actual}, recorded ${next.done ? 'nothing' : next.value}`,
        );
      }
      number++;
    };
    const before = accesses;
    const stop = decodeStream(kernel, sites, stream.bytes, {
      access(site, address) {
        const { kind, pc } = sites[site] as { kind: number; pc: bigint };
        expectNext(`${kind} ${pc} ${address}`);
        accesses++;
      },
      event({ kind, seq, fields }) {
        expectNext(`event ${kind} ${seq} ${fields.join(' ')}`);
        events++;
      },
    });
    if (stop !== STOP_INPUT) {
      throw new Error(
        `stream ${stream.number}: stop ${stop} at byte ${kernel.decodeErrorOffset.value} of ${stream.bytes.length}`,
      );
    }
    let left = 0;
    for (const _ of expected) left++;
    if (left > 0 && !killed) throw new Error(`stream ${stream.number}: ${left} recorded items were not decoded`);
    if (left > 0) missing = Math.max(missing, left);
    if (!killed && BigInt(accesses - before) !== stream.count + stream.adjust) {
      throw new Error(
        `stream ${stream.number}: ${accesses - before} accesses, its counters say ${stream.count + stream.adjust}`,
      );
    }
    bytes += stream.bytes.length;
  }
  return { accesses, events, bytes, missing };
}
