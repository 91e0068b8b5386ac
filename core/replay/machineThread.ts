/**
 * The machine half on a thread of its own: messages go through a ring of shared memory, results come back as a message.
 *
 * The writer waits when the ring is full, the reader when it is empty; both are threads that may block. When the reader
 * fails, it says so in the ring, so that a waiting writer learns of it.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import { messageOf } from '../errors.js';
import { OUTBOX_BYTES } from '../kernel/abi.js';
import { startThread } from '../threads.js';
import { type MachinePort, MachineRun, type MachineRunOptions, type MachineRunResult } from './machineRun.js';
import { transferable } from './transfer.js';

export interface MachineTask {
  readonly kind: 'machine';
  readonly options: MachineRunOptions;
  readonly ring: SharedArrayBuffer;
  readonly port: MessagePort;
}

const SLOTS = 8;
// Words of the ring's head: slots written, slots read, whether the reader failed. Then a length for each slot.
const WRITTEN = 0;
const READ = 1;
const FAILED = 2;
const LENGTHS = 16;
const HEAD_BYTES = 4096;
/** Length that ends the run. */
const END = -1;
/** A slot takes the reader a few milliseconds: after so many it is dead. */
const DEAD_AFTER_MS = 120_000;

class Ring {
  readonly head: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(readonly shared: SharedArrayBuffer) {
    this.head = new Int32Array(shared, 0, HEAD_BYTES / 4);
    this.#bytes = new Uint8Array(shared, HEAD_BYTES);
  }

  static create(): Ring {
    return new Ring(new SharedArrayBuffer(HEAD_BYTES + SLOTS * OUTBOX_BYTES));
  }

  slot(number: number): Uint8Array {
    const at = (number % SLOTS) * OUTBOX_BYTES;
    return this.#bytes.subarray(at, at + OUTBOX_BYTES);
  }

  /** Blocks until `word` is no longer `value`. False: that took longer than `milliseconds`. */
  wait(word: number, value: number, milliseconds?: number): boolean {
    while (Atomics.load(this.head, word) === value) {
      if (Atomics.wait(this.head, word, value, milliseconds) === 'timed-out') return false;
    }
    return true;
  }

  set(word: number, value: number): void {
    Atomics.store(this.head, word, value);
    Atomics.notify(this.head, word);
  }
}

export class MachineThread implements MachinePort {
  readonly #ring = Ring.create();
  readonly #worker: Worker;
  readonly #port: MessagePort;
  #written = 0;
  #stopped = false;

  constructor(options: MachineRunOptions) {
    const { port1, port2 } = new MessageChannel();
    const task: MachineTask = { kind: 'machine', options, ring: this.#ring.shared, port: port2 };
    this.#port = port1;
    this.#worker = startThread(task, [port2]);
    // What goes wrong there is told by the port; without a listener it would end the process.
    this.#worker.on('error', () => {});
  }

  deliver(messages: Uint8Array): void {
    this.#put(messages.length, messages);
  }

  async finish(): Promise<MachineRunResult> {
    this.#put(END, null);
    const answer = await new Promise<MachineAnswer>(resolve => {
      this.#port.once('message', resolve);
      // It ends after its answer, which may still be under way.
      this.#worker.once('exit', () => resolve(this.#told() ?? { error: GONE }));
    });
    this.stop();
    return resultOf(answer);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#port.close();
    void this.#worker.terminate();
  }

  #put(length: number, messages: Uint8Array | null): void {
    const { head } = this.#ring;
    // A full ring: wait for the reader.
    while (this.#written - Atomics.load(head, READ) >= SLOTS) {
      this.#failure();
      if (!this.#ring.wait(READ, this.#written - SLOTS, DEAD_AFTER_MS)) throw new Error(GONE);
    }
    this.#failure();
    if (messages) this.#ring.slot(this.#written).set(messages);
    head[LENGTHS + (this.#written % SLOTS)] = length;
    this.#ring.set(WRITTEN, ++this.#written);
  }

  /** @throws Error of the reader, if it failed */
  #failure(): void {
    if (Atomics.load(this.#ring.head, FAILED) === 0) return;
    resultOf(this.#told() ?? { error: GONE });
  }

  #told(): MachineAnswer | undefined {
    return receiveMessageOnPort(this.#port)?.message as MachineAnswer | undefined;
  }
}

const GONE = "the emulated machine's thread ended early; please report the trace";

type MachineAnswer = { readonly result: MachineRunResult } | { readonly error: string };

function resultOf(answer: MachineAnswer): MachineRunResult {
  if ('error' in answer) throw new Error(answer.error);
  return answer.result;
}

/** The thread's own part. */
export function runMachineTask({ options, ring: shared, port }: MachineTask): void {
  const ring = new Ring(shared);
  try {
    const run = new MachineRun(options);
    for (let read = 0; ; ) {
      ring.wait(WRITTEN, read);
      const length = ring.head[LENGTHS + (read % SLOTS)];
      if (length === END) break;
      run.deliver(ring.slot(read).subarray(0, length));
      ring.set(READ, ++read);
    }
    const result = run.result();
    port.postMessage({ result } satisfies MachineAnswer, transferable(result));
  } catch (error) {
    port.postMessage({ error: messageOf(error) } satisfies MachineAnswer);
    ring.set(FAILED, 1);
    // A writer that waits for room wakes up and sees it.
    Atomics.sub(ring.head, READ, SLOTS * 2);
    Atomics.notify(ring.head, READ);
  }
}
