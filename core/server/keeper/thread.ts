/** The keeper's thread, from both ends: requests and replies over its port, each reply a result or an error. */
import type { MessagePort } from 'node:worker_threads';
import { messageOf } from '../../errors.js';
import type { Failure } from '../../model/failure.js';
import { transferable } from '../../replay/transfer.js';
import { startThread } from '../../threads.js';
import { failureOf } from '../failure.js';
import type { KeeperLink, KeeperRequests } from './requests.js';

/** `workerData` of a worker that is to keep the profile. */
export interface KeeperTask {
  readonly kind: 'keeper';
}

interface Request {
  readonly id: number;
  readonly method: keyof KeeperRequests;
  readonly params: KeeperRequests[keyof KeeperRequests]['params'];
}

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly name: string; readonly failure: Failure };
}

/** Answers what comes over the port. */
export function serveKeeper(port: MessagePort, keeper: KeeperLink): void {
  port.on('message', async ({ id, method, params }: Request) => {
    const reply: Reply = await keeper.request(method, params).then(
      result => ({ id, result }),
      (error: Error) => ({ id, error: { message: messageOf(error), name: error.name, failure: failureOf(error) } }),
    );
    port.postMessage(reply);
  });
}

/**
 * Starts a thread that keeps the profile; it does not keep the process alive. Its end is the process's: without it
 * nothing can be shown, and whoever started the server starts it again.
 */
export function startKeeper(): KeeperLink {
  const task: KeeperTask = { kind: 'keeper' };
  const worker = startThread(task);
  worker.unref();
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let last = 0;
  worker.on('message', ({ id, result, error }: Reply) => {
    const { resolve, reject } = waiting.get(id)!;
    waiting.delete(id);
    if (error) reject(Object.assign(new Error(error.message), error));
    else resolve(result);
  });
  worker.on('exit', status => {
    throw new Error(`the thread that keeps the profile ended (status ${status})`);
  });
  return {
    request: (method, params) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        waiting.set(id, { resolve: result => resolve(result as never), reject });
        // A profile that was replayed moves there; nobody else looks at it.
        worker.postMessage({ id, method, params } satisfies Request, transferable(params));
      }),
  };
}
