/**
 * The extension as the page sees it: requests that settle, messages, and a memory that outlives the page.
 * The only caller of `acquireVsCodeApi`, which may be called once.
 */
import type { FromWebview, Location, Requests, ToWebview } from '../core/protocol.js';

interface VsCodeApi {
  postMessage(message: FromWebview): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

/** What the page may ask of core; the extension refuses the rest. */
export type Askable = 'pagelens/view' | 'pagelens/select' | 'pagelens/phases';

type Waiting = { resolve(value: unknown): void; reject(reason: Error): void };

const api = acquireVsCodeApi();
const waiting = new Map<number, Waiting>();
let lastId = 0;

/** Rejects with core's one-line reason. */
export function request<M extends Askable>(method: M, params: Requests[M]['params']): Promise<Requests[M]['result']> {
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve: value => resolve(value as Requests[M]['result']), reject });
    api.postMessage({ kind: 'request', id, method, params });
  });
}

export const reveal = (location: Location): void => api.postMessage({ kind: 'reveal', location });

export const runCommand = (command: string): void => api.postMessage({ kind: 'command', command });

export const copy = (text: string): void => api.postMessage({ kind: 'copy', text });

export const savePicture = (picture: { name: string; svg: string; pngBase64: string }): void =>
  api.postMessage({ kind: 'savePicture', ...picture });

export const savedState = (): unknown => api.getState();

export const saveState = (state: unknown): void => api.setState(state);

/** Begins to listen; replies go to their requests, all else to `receive`. */
export function connect(receive: (message: Exclude<ToWebview, { kind: 'reply' }>) => void): void {
  addEventListener('message', ({ data }: MessageEvent<ToWebview>) => {
    if (data?.kind !== 'reply') {
      if (data?.kind) receive(data);
      return;
    }
    const { id, result } = data;
    const asked = waiting.get(id);
    waiting.delete(id);
    if ('err' in result) asked?.reject(new Error(result.err));
    else asked?.resolve(result.ok);
  });
  api.postMessage({ kind: 'ready' });
}
