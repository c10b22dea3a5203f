import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { FaultProxy, WireFault } from './fault-proxy.ts';
import { createFaultProxy } from './fault-proxy.ts';

const SLOW_MS = 120;
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** A server that writes back what it reads; after `bye` it closes. */
async function startEcho(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => (chunk.toString() === 'bye' ? socket.end('farewell') : socket.write(chunk)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return (server.address() as AddressInfo).port;
}

async function startProxy(latencyMs = 0): Promise<FaultProxy> {
  const proxy = await createFaultProxy({ host: '127.0.0.1', port: await startEcho() }, latencyMs, SLOW_MS);
  open.push(proxy);
  return proxy;
}

interface Talk {
  say(text: string): void;
  /** All that was heard once it is `length` characters long, or the connection is over. */
  heard(length: number): Promise<string>;
  readonly over: Promise<'ended' | 'broken'>;
  isOver(): boolean;
}

async function talkTo(proxy: FaultProxy): Promise<Talk> {
  const socket = connect(proxy.port, '127.0.0.1');
  let text = '';
  let isOver = false;
  let hasEnded = false;
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.on('end', () => (hasEnded = true));
  socket.on('error', () => socket.destroy());
  const over = once(socket, 'close').then(() => {
    isOver = true;
    return hasEnded ? ('ended' as const) : ('broken' as const);
  });
  open.push({ close: () => socket.destroy() });
  await once(socket, 'connect');
  return {
    say: (words) => void socket.write(words),
    async heard(length) {
      while (text.length < length && !isOver) await Promise.race([once(socket, 'data'), over]);
      return text;
    },
    over,
    isOver: () => isOver,
  };
}

/** A whole exchange on another connection: what happened before it on the first one has been delivered by then. */
async function roundTrip(proxy: FaultProxy): Promise<string> {
  const talk = await talkTo(proxy);
  talk.say('ping');
  return talk.heard(4);
}

describe('a fault proxy', () => {
  it('hands everything on, and the end too', async () => {
    const talk = await talkTo(await startProxy());
    talk.say('hello');
    expect(await talk.heard(5)).toBe('hello');
    talk.say('bye');
    expect(await talk.over).toBe('ended');
    expect(await talk.heard(99)).toBe('hellofarewell');
  });

  it.each([
    ['by its latency', 40, null],
    ['by the fault slow', 0, 'slow'],
  ] as const)(
    'hands on what is delayed %s before it ends, though the server has long closed',
    async (_, latencyMs, fault) => {
      const proxy = await startProxy(latencyMs);
      proxy.setFault(fault);
      const talk = await talkTo(proxy);
      talk.say('bye');
      expect(await talk.over).toBe('ended');
      expect(await talk.heard(99)).toBe('farewell');
    },
  );

  it('keeps the order of what was said slowly and what came after the cure', async () => {
    const proxy = await startProxy();
    proxy.setFault('slow');
    const talk = await talkTo(proxy);
    talk.say('first ');
    // The echo is back at the proxy, and has to wait there.
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    talk.say('second ');
    proxy.setFault(null);
    talk.say('third');
    expect(await talk.heard(18)).toBe('first second third');
  });

  it('cuts only what a fault has left half broken when it is cured', async () => {
    const proxy = await startProxy();
    const healthy = await talkTo(proxy);
    healthy.say('before');
    await healthy.heard(6);
    for (const fault of ['hang', 'garble', 'oversize', 'html', 'truncate', 'reset'] satisfies WireFault[]) {
      proxy.setFault(fault);
      const spoilt = await talkTo(proxy);
      spoilt.say('a question that is not answered as it should be');
      if (fault === 'hang') while (proxy.openCalls() === 0) await new Promise(setImmediate);
      else await spoilt.heard(1);
      proxy.setFault(null);
      expect([fault, ['ended', 'broken'].includes(await spoilt.over)]).toEqual([fault, true]);
      expect(proxy.openCalls()).toBe(0);
      expect(await roundTrip(proxy)).toBe('ping');
      expect([fault, healthy.isOver()]).toEqual([fault, false]);
    }
    healthy.say(' and after');
    expect(await healthy.heard(16)).toBe('before and after');
  });

  it('cuts everything when it refuses, and takes nobody in', async () => {
    const proxy = await startProxy();
    const talk = await talkTo(proxy);
    proxy.setFault('refuse');
    await talk.over;
    const late = connect(proxy.port, '127.0.0.1');
    await new Promise((resolve) => late.on('error', () => {}).on('close', resolve));
    expect(late.bytesRead).toBe(0);
  });

  it('says nothing at all while it hangs, not even that the server has gone', async () => {
    const proxy = await startProxy(40);
    const talk = await talkTo(proxy);
    talk.say('bye');
    while (proxy.openCalls() === 0) await new Promise(setImmediate);
    proxy.setFault('hang');
    // Longer on the way than the farewell, which has come to the proxy and gone no further by then.
    expect(await roundTrip(await startProxy(200))).toBe('ping');
    expect(talk.isOver()).toBe(false);
    proxy.setFault(null);
    expect(['ended', 'broken']).toContain(await talk.over);
    expect(await talk.heard(99)).toBe('');
  });
});
