/** The one way to start a thread of core. */
import { setFlagsFromString } from 'node:v8';
import { type Transferable, Worker } from 'node:worker_threads';
import { assetPath } from './assets.js';

/**
 * A thread whose event loop runs empty waits for the compiler's background jobs (NodePlatform::DrainTasks), and a job
 * that needs a garbage collection waits for the thread: now and then both wait for ever (Node 20). So functions are
 * optimised on the threads that call them; the inner loops are WebAssembly, which this does not concern.
 */
export function startThread(workerData: unknown, transferList: Transferable[] = []): Worker {
  setFlagsFromString('--no-concurrent-recompilation');
  return new Worker(assetPath('worker.cjs'), { workerData, transferList });
}
