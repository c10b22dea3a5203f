/** A hop in front of PostgreSQL that counts the statements that pass, and holds back their answers, but not the logins'. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export interface StatementHop {
  readonly port: number;
  calls(): number;
  close(): Promise<void>;
}

const QUERY = 0x51;
const EXECUTE = 0x45;
const SSL_REQUEST = 80_877_103;
const CANCEL_REQUEST = 80_877_102;

export async function createStatementHop(
  target: { host: string; port: number },
  latencyMs: number,
): Promise<StatementHop> {
  const sockets = new Set<Socket>();
  let calls = 0;
  // Without delay: answers come in many small pieces, each of which would wait for the one before to be acknowledged.
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ ...target, noDelay: true });
    let hasAsked = false;
    const read = createTypeReader((type) => {
      if (type !== QUERY && type !== EXECUTE) return;
      hasAsked = true;
      calls += 1;
    });
    client.on('data', (chunk) => {
      read(chunk);
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (latencyMs === 0 || !hasAsked) client.write(chunk);
      else setTimeout(() => client.destroyed || client.write(chunk), latencyMs);
    });
    upstream.on('end', () => setTimeout(() => client.end(), hasAsked ? latencyMs + 1 : 0));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => sockets.delete(one));
    }
    client.on('close', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    calls: () => calls,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Cuts a frontend's bytes into messages and says their types; the messages before the login have none. */
function createTypeReader(onType: (type: number) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  let isStarted = false;
  return (chunk) => {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < (isStarted ? 5 : 8)) return;
      const length = isStarted ? 1 + rest.readInt32BE(1) : rest.readInt32BE(0);
      if (rest.length < length) return;
      if (isStarted) onType(rest[0] ?? 0);
      else isStarted = ![SSL_REQUEST, CANCEL_REQUEST].includes(rest.readInt32BE(4));
      rest = rest.subarray(length);
    }
  };
}
