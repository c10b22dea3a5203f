/** A hop in front of PostgreSQL that counts the statements that pass, by the frontend messages Query and Execute. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export interface StatementCounter {
  readonly port: number;
  count(): number;
  close(): Promise<void>;
}

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;

export async function createStatementCounter(target: {
  host: string;
  port: number;
}): Promise<StatementCounter> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    const read = createMessageReader((type) => {
      if (type === 'Q' || type === 'E') count += 1;
    });
    client.on('data', read);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      // Each end is cut when the other is; what was on the way is the callers' loss, as on a real wire.
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    count: () => count,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Cuts a frontend's bytes into messages: the first ones have no type, only a length. */
function createMessageReader(onMessage: (type: string) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  let isStarted = false;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const from = isStarted ? 1 : 0;
      if (rest.length < (isStarted ? 5 : 8)) return;
      const length = from + rest.readInt32BE(from);
      if (rest.length < length) return;
      if (isStarted) onMessage(String.fromCharCode(rest[0] ?? 0));
      else isStarted = ![SSL_REQUEST, GSS_REQUEST].includes(rest.readInt32BE(4));
      rest = rest.subarray(length);
    }
  };
}
