/**
 * The boundary gateway of 公安: takes one question at a time within its hours and its daily quota, hands out a ticket, and
 * has decided some seconds later. An answer is kept for whoever holds the ticket.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import iconv from 'iconv-lite';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../adapters/clock.ts';
import type { ServiceWindow } from '../../adapters/window.ts';
import { isWithin } from '../../adapters/window.ts';
import type { WireFault } from '../fault-proxy.ts';
import { createFaultProxy, isWireFault } from '../fault-proxy.ts';
import type { Fault } from '../simulator.ts';
import { SLOW_MS } from '../simulator.ts';

export type Verdict = '00' | '01' | '02';
export type Fields = Readonly<Record<string, string>>;

export interface QuestionServer {
  readonly url: string;
  setFault(fault: Fault | null): void;
  /** Questions that reached the gateway, whatever became of them; asking for an answer does not count. */
  calls(): number;
  openCalls(): number;
  /** Method and path of the latest requests: what would stand in an access log. */
  requests(): readonly string[];
  /** Forgets every ticket: the gateway was restarted. */
  forgetTickets(): void;
  close(): Promise<void>;
}

export interface QuestionServerOptions {
  readonly accessKey: string;
  readonly clock: Clock;
  readonly window: ServiceWindow;
  readonly dailyQuota: number;
  /** Milliseconds from question to verdict. */
  latencyOf(fields: Fields): number;
  verdictOf(fields: Fields): Verdict;
}

interface OpenQuestion {
  readonly reference: string;
  readonly verdict: Verdict;
  readonly decidedAt: number;
}

const TEXTS: Readonly<Record<Verdict, string>> = { '00': '一致', '01': '不一致', '02': '库中无此号' };

const MOST_SEEN = 1_000;

export async function createQuestionServer(options: QuestionServerOptions): Promise<QuestionServer> {
  const { clock } = options;
  let fault: Fault | null = null;
  const questions = new LRUCache<string, OpenQuestion>({ max: 100_000 });
  let quota = { day: -1, used: 0 };
  let calls = 0;
  const seen: string[] = [];

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    seen.push(`${method} ${url}`);
    if (seen.length > MOST_SEEN) seen.shift();
    const body = await readBody(request);
    const isQuestion = method === 'POST' && url === '/questions';
    if (isQuestion) calls += 1;
    const left = new AbortController();
    response.on('close', () => left.abort());
    if (fault === 'slow') await clock.sleep(SLOW_MS, left.signal);
    if (request.headers['x-access-key'] !== options.accessKey || fault === 'expired-token')
      return send(response, 401, { code: '401', msg: '接入凭证无效或已到期' });
    if (!isWithin(options.window, clock.now()))
      return send(response, 503, { code: '503', msg: '不在服务时间' });
    if (fault === 'error-in-200') return send(response, 200, { code: '-1', msg: '前置机异常' });
    if (isQuestion) return accept(JSON.parse(body) as Fields, response);
    const ticket = /^\/answers\/([\w-]+)/.exec(url)?.[1] ?? '';
    const wait = Number(new URL(url, 'http://gateway').searchParams.get('wait') ?? 0);
    await decide(questions.get(ticket), wait, response, left.signal);
  }

  function accept({ reference = '', ...fields }: Fields, response: ServerResponse): void {
    // A day of the department's own time zone (UTC+8).
    const day = Math.floor((clock.now() + 8 * 3_600_000) / 86_400_000);
    quota = { day, used: quota.day === day ? quota.used + 1 : 1 };
    if (quota.used > options.dailyQuota) return send(response, 429, { code: '429', msg: '超出当日限额' });
    const ticket = randomUUID();
    const decidedAt = clock.now() + options.latencyOf(fields);
    questions.set(ticket, { reference, verdict: options.verdictOf(fields), decidedAt });
    send(response, 202, { ticket, msg: '已受理' });
  }

  async function decide(
    question: OpenQuestion | undefined,
    wait: number,
    response: ServerResponse,
    left: AbortSignal,
  ): Promise<void> {
    if (!question) return send(response, 404, { code: '404', msg: '无此受理号' });
    const until = Math.min(question.decidedAt, clock.now() + wait);
    // Timers fire a little early as well.
    while (clock.now() < until) await clock.sleep(until - clock.now(), left);
    if (clock.now() < question.decidedAt) {
      response.writeHead(204).end();
      return;
    }
    send(response, 200, toAnswer(question));
  }

  function toAnswer({ reference, verdict, decidedAt }: OpenQuestion): object {
    const answeredAt = new Date(decidedAt).toISOString();
    // The answer to somebody else's question: matched by nothing but its place in a queue.
    if (fault === 'foreign-row')
      return { reference: reference.replace(/./g, 'f'), verdict: '00', text: TEXTS['00'], answeredAt };
    const text = TEXTS[verdict];
    if (fault === 'schema-drift') return { reference, result: verdict, text, answeredAt, kzzd1: '' };
    return { reference, verdict, text, answeredAt };
  }

  function send(response: ServerResponse, status: number, content: object): void {
    const text = JSON.stringify(content);
    const bytes = fault === 'wrong-encoding' ? iconv.encode(text, 'gbk') : Buffer.from(text, 'utf8');
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
    url: `http://127.0.0.1:${proxy.port}`,
    setFault(next) {
      // The proxy cuts what is open when it is healed: it is only told what concerns it.
      if (breaksOnTheWire(fault) || breaksOnTheWire(next))
        proxy.setFault(breaksOnTheWire(next) ? next : null);
      fault = next;
    },
    calls: () => calls,
    openCalls: () => proxy.openCalls(),
    requests: () => seen,
    forgetTickets: () => questions.clear(),
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

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
