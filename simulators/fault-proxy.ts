/** A TCP proxy that breaks: stands in front of a healthy server whose protocol we do not implement ourselves. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { Fault } from './simulator.ts';
import { SLOW_MS } from './simulator.ts';

/** The faults that need no understanding of what flows through. */
export const WIRE_FAULTS = [
  'refuse',
  'slow',
  'hang',
  'reset',
  'truncate',
  'garble',
  'html',
  'oversize',
] as const;
export type WireFault = (typeof WIRE_FAULTS)[number];

export function isWireFault(fault: Fault | null): fault is WireFault {
  return fault !== null && (WIRE_FAULTS as readonly string[]).includes(fault);
}

export interface FaultProxy {
  readonly port: number;
  setFault(fault: WireFault | null): void;
  /** Requests whose answer has not begun to arrive. */
  openCalls(): number;
  close(): Promise<void>;
}

const HTML = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body>统一身份认证 登录</body></html>';
const OVERSIZE_BYTES = 64 * 1024 * 1024;

/** `latencyMs` delays everything that the server says, in order, without slowing its rate. */
export async function createFaultProxy(
  target: { host: string; port: number },
  latencyMs: number,
): Promise<FaultProxy> {
  let fault: WireFault | null = null;
  const clients = new Set<Socket>();
  const waiting = new Set<Socket>();

  const server = createServer((client) => {
    clients.add(client);
    client.on('error', () => client.destroy());
    if (fault === 'refuse') {
      client.resetAndDestroy();
      clients.delete(client);
      return;
    }
    const upstream = connect(target.port, target.host);
    const timers = new Set<NodeJS.Timeout>();
    upstream.on('error', () => client.destroy());
    client.on('data', (chunk) => {
      waiting.add(client);
      if (fault === 'html') client.end(HTML);
      else if (fault === 'oversize') pourOversize(client);
      else if (fault === 'hang') return;
      else upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      const delay = fault === 'slow' ? SLOW_MS : latencyMs;
      if (delay === 0) return answer(chunk);
      const timer = setTimeout(() => {
        timers.delete(timer);
        answer(chunk);
      }, delay);
      timers.add(timer);
    });
    function answer(chunk: Buffer): void {
      if (client.destroyed || fault === 'hang') return;
      waiting.delete(client);
      if (fault === 'reset') {
        client.write(chunk.subarray(0, chunk.length >> 1));
        client.resetAndDestroy();
      } else if (fault === 'truncate') client.end(chunk.subarray(0, chunk.length >> 1));
      else if (fault === 'garble') client.write(garble(chunk));
      else client.write(chunk);
    }
    client.on('close', () => {
      clients.delete(client);
      waiting.delete(client);
      for (const timer of timers) clearTimeout(timer);
      upstream.destroy();
    });
    upstream.on('close', () => {
      if (timers.size === 0) client.end();
      else setTimeout(() => client.end(), Math.max(latencyMs, 1) + 5).unref();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    setFault(next) {
      fault = next;
      // What is open was healthy a moment ago: a refusal cuts it, and a cure must not leave it half broken.
      for (const client of clients) if (next === 'refuse' || next === null) client.destroy();
    },
    openCalls: () => waiting.size,
    async close() {
      for (const client of clients) client.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Every seventh byte is changed: enough that no length, tag or text can be trusted. */
function garble(chunk: Buffer): Buffer {
  const changed = Buffer.from(chunk);
  for (let at = 3; at < changed.length; at += 7) changed[at] = (changed[at] ?? 0) ^ 0x5a;
  return changed;
}

function pourOversize(client: Socket): void {
  const block = Buffer.alloc(64 * 1024, 'D');
  let poured = 0;
  const pour = () => {
    while (!client.destroyed && poured < OVERSIZE_BYTES) {
      poured += block.length;
      if (!client.write(block)) {
        client.once('drain', pour);
        return;
      }
    }
    client.end();
  };
  pour();
}
