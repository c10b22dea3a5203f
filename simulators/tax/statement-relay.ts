/** A hop in front of PostgreSQL that counts the statements that pass, and lets each take its time; logins pass at once. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { Clock } from '../../adapters/clock.ts';

export interface StatementRelay {
  readonly port: number;
  /** Statements so far. */
  count(): number;
  close(): Promise<void>;
}

export async function createStatementRelay(
  target: { host: string; port: number },
  latencyMs: number,
  clock: Clock,
): Promise<StatementRelay> {
  const sockets = new Set<Socket>();
  let count = 0;

  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    const readMessages = createMessageReader();
    client.on('data', (chunk) => {
      const statements = readMessages(chunk).filter((type) => type === 'Q' || type === 'E').length;
      count += statements;
      if (statements === 0 || latencyMs === 0) {
        upstream.write(chunk);
        return;
      }
      client.pause();
      const pass = () => {
        if (!upstream.destroyed) upstream.write(chunk);
        client.resume();
      };
      // Without a signal a sleep does not reject.
      void clock.sleep(latencyMs).then(pass);
    });
    upstream.pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
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

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;

/** Cuts a frontend's bytes into messages and gives their types; the messages before the login have a length only. */
function createMessageReader(): (chunk: Buffer) => readonly string[] {
  let rest: Buffer = Buffer.alloc(0);
  let isStarted = false;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const types: string[] = [];
    for (;;) {
      const from = isStarted ? 1 : 0;
      if (rest.length < (isStarted ? 5 : 8)) return types;
      const length = from + rest.readInt32BE(from);
      if (rest.length < length) return types;
      if (isStarted) types.push(String.fromCharCode(rest[0] ?? 0));
      else isStarted = ![SSL_REQUEST, GSS_REQUEST].includes(rest.readInt32BE(4));
      rest = rest.subarray(length);
    }
  };
}
