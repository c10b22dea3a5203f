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

/** `latencyMs`, or `slowMs` while the fault is `slow`, delays everything that the server says, in order, without slowing its rate. */
export async function createFaultProxy(
  target: { host: string; port: number },
  latencyMs: number,
  slowMs = SLOW_MS,
): Promise<FaultProxy> {
  let fault: WireFault | null = null;
  const clients = new Set<Socket>();
  const waiting = new Set<Socket>();
  /** Connections in which something was withheld or changed: nobody can go on with them. */
  const spoilt = new WeakSet<Socket>();

  const server = createServer((client) => {
    clients.add(client);
    client.on('error', () => client.destroy());
    if (fault === 'refuse') {
      client.resetAndDestroy();
      clients.delete(client);
      return;
    }
    const upstream = connect(target.port, target.host);
    const delayed = createDelayLine(answer, () => {
      // What hangs says nothing, not even that it has gone.
      if (fault === 'hang') spoilt.add(client);
      else client.end();
    });
    upstream.on('error', () => client.destroy());
    client.on('data', (chunk) => {
      waiting.add(client);
      if (fault === 'html' || fault === 'oversize' || fault === 'hang') spoilt.add(client);
      if (fault === 'html') client.end(HTML);
      else if (fault === 'oversize') pourOversize(client);
      else if (fault !== 'hang') upstream.write(chunk);
    });
    upstream.on('data', (chunk) => delayed.push(chunk, fault === 'slow' ? slowMs : latencyMs));
    function answer(chunk: Buffer): void {
      if (client.destroyed) return;
      if (fault === 'hang' || fault === 'garble') spoilt.add(client);
      if (fault === 'hang') return;
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
      delayed.drop();
      upstream.destroy();
    });
    upstream.on('close', () => delayed.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    setFault(next) {
      fault = next;
      // A refusal cuts whatever is open; a cure only what the fault has left half broken.
      for (const client of clients)
        if (next === 'refuse' || (next === null && spoilt.has(client))) client.destroy();
    },
    openCalls: () => waiting.size,
    async close() {
      for (const client of clients) client.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Hands chunks on after their delay, none before the one that came before it, and says when the last has gone. */
function createDelayLine(
  handOn: (chunk: Buffer) => void,
  onEnd: () => void,
): { push(chunk: Buffer, ms: number): void; end(): void; drop(): void } {
  const chunks: Buffer[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let lastDue = 0;
  let hasEnded = false;
  return {
    push(chunk, ms) {
      if (ms === 0 && chunks.length === 0) return handOn(chunk);
      const now = performance.now();
      lastDue = Math.max(lastDue, now + ms);
      chunks.push(chunk);
      const timer = setTimeout(() => {
        timers.delete(timer);
        // Each timer hands on whatever is first: the order is that of the chunks, not of the timers.
        const first = chunks.shift();
        if (first) handOn(first);
        if (hasEnded && chunks.length === 0) onEnd();
      }, lastDue - now);
      timers.add(timer);
    },
    end() {
      hasEnded = true;
      if (chunks.length === 0) onEnd();
    },
    drop() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      chunks.length = 0;
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
