/** Connections to subgraphs outlive a graph that changes nothing about addresses: after a reload they are open already. */
import type { Transport } from '../execution/transport.ts';

export interface Lease {
  readonly transport: Transport;
  /** Closed when nobody holds it any more. */
  release(): Promise<void>;
}

export interface Transports {
  /** `urls`: subgraph → endpoint. */
  lease(urls: ReadonlyMap<string, string>): Lease;
}

export function createTransports(create: (urls: ReadonlyMap<string, string>) => Transport): Transports {
  const held = new Map<string, { readonly transport: Transport; holders: number }>();
  return {
    lease(urls) {
      const key = JSON.stringify([...urls].sort(([a], [b]) => (a < b ? -1 : 1)));
      const entry = held.get(key) ?? { transport: create(urls), holders: 0 };
      held.set(key, entry);
      entry.holders += 1;
      let isReleased = false;
      return {
        transport: entry.transport,
        async release() {
          if (isReleased) return;
          isReleased = true;
          entry.holders -= 1;
          if (entry.holders > 0) return;
          held.delete(key);
          await entry.transport.close();
        },
      };
    },
  };
}
