import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export interface ByteSpoiler {
  readonly port: number;
  /** On each connection from now on, the byte at `place` is changed by exclusive or. */
  spoil(place: number, change: number): void;
  close(): Promise<void>;
}

/** For tests of what drivers make of it: a hop that changes one byte of what the server says, counted over a connection. */
export async function createByteSpoiler(target: URL): Promise<ByteSpoiler> {
  const sockets = new Set<Socket>();
  let spoilt = { place: -1, change: 0 };
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let passed = 0;
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => socket.destroy()));
    client.pipe(upstream);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    upstream.on('data', (chunk: Buffer) => {
      const at = spoilt.place - passed;
      passed += chunk.length;
      const sent = Buffer.from(chunk);
      if (at >= 0 && at < sent.length) sent[at] = (sent[at] ?? 0) ^ spoilt.change;
      client.write(sent);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    spoil: (place, change) => void (spoilt = { place, change }),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
