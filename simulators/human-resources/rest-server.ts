/**
 * The query service of 人社: a real HTTP server that takes signed requests with a nonce of their own, answers under SM4,
 * says what went wrong with status 200, and lets five calls a second through.
 */
import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import iconv from 'iconv-lite';
import type { Clock } from '../../adapters/clock.ts';
import type { WireFault } from '../fault-proxy.ts';
import { createFaultProxy, isWireFault } from '../fault-proxy.ts';
import type { Fault } from '../simulator.ts';
import { SLOW_MS } from '../simulator.ts';
import type { Row } from './data-faults.ts';
import { countOf, withDataFault } from './data-faults.ts';
import type { Account } from './sealing.ts';
import { openQuestion, sealAnswer, signatureOf } from './sealing.ts';

export interface RestServer {
  readonly url: string;
  setFault(fault: Fault | null): void;
  /** Requests that reached the service, whatever became of them. */
  calls(): number;
  openCalls(): number;
  close(): Promise<void>;
}

export interface RestServerOptions {
  readonly account: Account;
  readonly clock: Clock;
  readonly latencyMs: number;
  /** Calls a second; more are answered 429. */
  readonly perSecond: number;
  answer(fields: Readonly<Record<string, string>>): readonly Row[];
  /** A row that belongs to another subject than the one asked for. */
  foreign(fields: Readonly<Record<string, string>>): Row;
}

const PATH = '/api/query';
const CLOCK_SKEW_MS = 5 * 60_000;
/** Calls may bunch on the network by this much without being more than were sent. */
const SLACK_CALLS = 2;

export async function createRestServer(options: RestServerOptions): Promise<RestServer> {
  const { account, clock } = options;
  let fault: Fault | null = null;
  let calls = 0;
  /** Nonce → when it may be forgotten. */
  const nonces = new Map<string, number>();
  const takeTurn = createLimiter(options.perSecond, options.perSecond + SLACK_CALLS, clock);

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    calls += 1;
    if (request.method !== 'POST' || request.url !== PATH)
      return send(response, 404, { code: '404', msg: '无此服务' });
    if (!takeTurn()) return send(response, 429, { code: '429', msg: '访问频率超限' });
    const problem = problemOf(request, body);
    if (problem) return send(response, 200, problem);
    const nonce = String(request.headers['x-nonce']);
    const fields = openQuestion(account, nonce, body);
    if (!fields) return send(response, 200, { code: '-4', msg: '报文校验失败' });
    const wait = fault === 'slow' ? SLOW_MS : options.latencyMs;
    if (wait > 0) {
      const left = new AbortController();
      response.on('close', () => left.abort());
      await clock.sleep(wait, left.signal);
    }
    if (fault === 'error-in-200') return send(response, 200, { code: '-1', msg: '系统繁忙，请稍后再试' });
    const rows = options.answer(fields);
    const content = JSON.stringify({
      total: countOf(fault, rows.length),
      dataTime: toDataTime(clock.now()),
      rows: withDataFault(fault, rows, () => options.foreign(fields)),
    });
    send(response, 200, { code: '0', msg: '成功', ...sealAnswer(account, nonce, encode(content)) });
  }

  function problemOf(request: IncomingMessage, body: Buffer): { code: string; msg: string } | null {
    const { headers } = request;
    const now = clock.now();
    if (headers['x-app-key'] !== account.appKey || fault === 'expired-token')
      return { code: '-3', msg: '应用未授权或授权已到期' };
    if (!(Math.abs(now - Number(headers['x-timestamp'])) <= CLOCK_SKEW_MS))
      return { code: '-2', msg: '请求时间超出允许范围' };
    const given = Buffer.from(String(headers['x-signature']), 'hex');
    const expected = Buffer.from(signatureOf(account, request, body), 'hex');
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      return { code: '-2', msg: '签名错误' };
    const nonce = String(headers['x-nonce']);
    for (const [old, until] of nonces) if (until < now) nonces.delete(old);
    if (nonces.has(nonce)) return { code: '-2', msg: '请求重复' };
    nonces.set(nonce, now + 2 * CLOCK_SKEW_MS);
    return null;
  }

  const encode = (text: string): Buffer =>
    fault === 'wrong-encoding' ? iconv.encode(text, 'gbk') : Buffer.from(text, 'utf8');

  function send(response: ServerResponse, status: number, content: object): void {
    const bytes = encode(JSON.stringify(content));
    response
      .writeHead(status, { 'content-type': 'application/json;charset=UTF-8', 'content-length': bytes.length })
      .end(bytes);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await createFaultProxy(
    { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    0,
  );

  return {
    url: `http://127.0.0.1:${proxy.port}/api`,
    setFault(next) {
      // The proxy cuts what is open when it is healed: it is only told what concerns it.
      if (breaksOnTheWire(fault) || breaksOnTheWire(next))
        proxy.setFault(breaksOnTheWire(next) ? next : null);
      fault = next;
    },
    calls: () => calls,
    openCalls: () => proxy.openCalls(),
    async close() {
      await proxy.close();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Slowness is the server's own: it waits before it answers, so that nothing is cut when its connection ends. */
const breaksOnTheWire = (fault: Fault | null): fault is Exclude<WireFault, 'slow'> =>
  isWireFault(fault) && fault !== 'slow';

/** `perSecond` on average, `most` at once. Returns whether a call may pass. */
function createLimiter(perSecond: number, most: number, clock: Clock): () => boolean {
  let left = most;
  let at = clock.now();
  return () => {
    const now = clock.now();
    left = Math.min(most, left + ((now - at) / 1000) * perSecond);
    at = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The copy is refreshed at six every morning (UTC+8): the last one before now, yyyyMMddHHmmss. */
function toDataTime(now: number): string {
  const hours = 3_600_000;
  const day = Math.floor((now + 2 * hours) / (24 * hours)) * 24 * hours;
  return `${new Date(day).toISOString().slice(0, 10).replaceAll('-', '')}060000`;
}
