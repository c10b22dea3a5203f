/**
 * A bell that all processes hear, over Redis: it says that there is something new to read, and nothing else, so that whoever
 * rings it without right makes others read once more and no more than that. Without Redis nobody hears it: whoever waits for
 * it reads from time to time as well.
 */
import type { Logger } from 'pino';
import { openRedis } from './circuit.ts';
import { connectRedis } from './connection.ts';

export interface Bell {
  /** Never rejects. */
  ring(): Promise<void>;
  close(): Promise<void>;
}

const CHANNEL = 'jinxin:changes';

/** For who rings: nothing is heard. */
export function createBell({ url, log }: { readonly url: string; readonly log: Logger }): Bell {
  const circuit = openRedis({ url, purpose: 'changes are heard of when they are read', log });
  return {
    async ring() {
      await circuit.attempt((client) => client.publish(CHANNEL, ''), 0);
    },
    close: () => circuit.close(),
  };
}

/** `onRing` is called for each ring, and whenever the subscription was made anew: something may have been missed. */
export function listenToBell(url: string, onRing: () => void): { close(): Promise<void> } {
  const client = connectRedis(url);
  // Told by who uses Redis for more than this.
  client.on('error', () => {});
  client.on('ready', () => {
    client.subscribe(CHANNEL).then(onRing, () => undefined);
  });
  client.on('message', onRing);
  return {
    close() {
      client.disconnect();
      return Promise.resolve();
    },
  };
}
