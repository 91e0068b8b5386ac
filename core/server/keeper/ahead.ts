/** A keeper that opens a profile before anybody asks for it. */
import type { KeeperLink, KeeperRequests } from './requests.js';

/** What leaves the profile that is shown as it is. */
const harmless: ReadonlySet<keyof KeeperRequests> = new Set<keyof KeeperRequests>([
  'speak',
  'phases',
  'view',
  'history',
]);

/** The same keeper. The first request to open the file has the answer already, unless another changed what is shown. */
export function openedAhead(keeper: KeeperLink, file: string): KeeperLink {
  let ahead: Promise<KeeperRequests['open']['result']> | null = keeper.request('open', { file });
  // Whoever asks for it hears of a failure.
  ahead.catch(() => {});
  return {
    async request(method, params) {
      if (!ahead || harmless.has(method)) return keeper.request(method, params);
      const opened = ahead;
      ahead = null;
      if (method === 'open' && (params as KeeperRequests['open']['params']).file === file) return opened as never;
      // Else it could come after the other, and be what is shown.
      await opened.catch(() => {});
      return keeper.request(method, params);
    },
  };
}
