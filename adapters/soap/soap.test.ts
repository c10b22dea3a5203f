import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import iconv from 'iconv-lite';
import { createSoapServer, type SoapServer } from '../../simulators/courts/soap-server.ts';
import type { Fault } from '../../simulators/simulator.ts';
import type { Adapter } from '../adapter.ts';
import { systemClock } from '../clock.ts';
import { describeAdapterContract } from '../contract.ts';
import { createSoapAdapter, type SoapOptions, type SoapRequest } from './adapter.ts';

const ROWS = Array.from({ length: 23 }, (_, at) => ({
  iname: `天津津信测试〔${at}〕有限公司`,
  cardNum: `MA9TYN01-6`,
  caseCode: String(at),
}));
const LIMITS = {
  sender: '天津市公共信用信息平台',
  pageSize: 10,
  maxRows: 100,
  maxBytes: 256 * 1024,
  connections: 4,
};
const SYSTEM = 'court bus';

let server: SoapServer;
let adapter: Adapter<SoapRequest>;

function connect(options: Partial<SoapOptions> = {}): Adapter<SoapRequest> {
  const account = { system: SYSTEM, url: server.url, user: 'u', password: 'p', bytes: 'gbk' as const };
  return createSoapAdapter({ ...account, ...LIMITS, ...options }, { clock: systemClock });
}

const ask = (count: number): SoapRequest => ({ item: 'ROWS', fields: { count: String(count) } });

async function call(
  request: SoapRequest,
  by: Adapter<SoapRequest> = adapter,
  signal = new AbortController().signal,
) {
  return by.call(request, { signal, deadline: Infinity });
}

beforeAll(async () => {
  server = await createSoapServer({
    user: 'u',
    password: 'p',
    clock: systemClock,
    latencyMs: 0,
    answer: ({ count = '0' }) => ROWS.slice(0, Number(count)),
    foreign: () => ({ iname: '别家', cardNum: '999900013' }),
  });
  adapter = connect();
});
afterAll(async () => {
  await adapter.close();
  await server.close();
});

describeAdapterContract('soap', () => ({
  adapter,
  request: ask(3),
  faults: {
    refuse: ['unavailable'],
    slow: ['timeout'],
    hang: ['timeout'],
    reset: ['unavailable'],
    truncate: ['malformed'],
    garble: ['malformed'],
    html: ['malformed'],
    oversize: ['malformed'],
    'wrong-encoding': ['malformed'],
    'missing-rows': ['malformed'],
    'error-in-200': ['refused'],
    'expired-token': ['refused'],
  },
  fault: (name: string) => Promise.resolve(server.setFault(name as Fault)),
  heal: () => Promise.resolve(server.setFault(null)),
  openCalls: () => server.openCalls(),
}));

describe('soap pages', () => {
  it.each([
    [0, 1],
    [9, 1],
    [10, 1],
    [11, 2],
    [20, 2],
    [23, 3],
  ])('reads all of %i rows in %i questions, in order and in Chinese', async (count, questions) => {
    const before = server.calls();
    const { rows } = await call(ask(count));
    expect(rows).toEqual(ROWS.slice(0, count));
    expect(server.calls() - before).toBe(questions);
  });

  it('says as of when, in the time of China', async () => {
    expect((await call(ask(1))).asOf).toMatch(/^\d{4}-\d{2}-\d{2}T06:00:00\+08:00$/);
  });

  it('notices a missing row on any page, and where there should be none', async () => {
    server.setFault('missing-rows');
    for (const count of [0, 1, 23])
      await expect(call(ask(count))).rejects.toMatchObject({ fault: 'malformed' });
    server.setFault(null);
  });

  it('takes rows that are sent twice once', async () => {
    server.setFault('duplicate-rows');
    const { rows } = await call(ask(23));
    server.setFault(null);
    expect(rows).toEqual(ROWS);
  });

  it('refuses an answer that is longer than it may be, rather than cutting it', async () => {
    const narrow = connect({ maxRows: 20 });
    await expect(call(ask(21), narrow)).rejects.toMatchObject({ fault: 'malformed' });
    expect((await call(ask(20), narrow)).rows).toHaveLength(20);
    await narrow.close();
  });
});

describe('soap connections', () => {
  it('serve the next caller at once after one who left, and after one whose connection broke', async () => {
    const outcomes: string[] = [];
    for (let time = 0; time < 60; time++) {
      server.setFault(time % 2 === 0 ? 'hang' : 'reset');
      const caller = new AbortController();
      const asked = call(ask(3), adapter, caller.signal).catch(() => 'failed');
      await until(() => server.openCalls() > 0 || time % 2 === 1);
      if (time % 2 === 0) caller.abort();
      await asked;
      server.setFault(null);
      outcomes.push(
        await call(ask(3)).then(
          ({ rows }) => `${rows.length} rows`,
          (error: Error) => `${error.message}: ${String(error.cause)}`,
        ),
      );
    }
    expect(new Set(outcomes)).toEqual(new Set(['3 rows']));
  });

  it('outlive a system that promises to keep them and closes each after its answer', async () => {
    const closing = createServer((request, response) => {
      request.resume().on('end', () => {
        const isLogin = request.url === '/auth';
        const login = '<auth><token>t</token><serviceId>s</serviceId><validSeconds>600</validSeconds></auth>';
        response.writeHead(200, { 'content-type': 'text/xml', connection: 'keep-alive' });
        response.end(
          `<Envelope><Body><${isLogin ? 'login' : 'service'}Response><return><![CDATA[${isLogin ? login : '500:busy'}]]></return></${isLogin ? 'login' : 'service'}Response></Body></Envelope>`,
          () => setImmediate(() => request.socket.destroy()),
        );
      });
    }).listen(0, '127.0.0.1');
    await once(closing, 'listening');
    const client = connect({ url: `http://127.0.0.1:${(closing.address() as AddressInfo).port}` });
    const faults = new Set<unknown>();
    for (let time = 0; time < 40; time++)
      faults.add(await call(ask(1), client).catch(({ fault }: { fault: string }) => fault));
    await client.close();
    closing.close();
    expect(faults).toEqual(new Set(['refused']));
  });
});

/** Polls a fact of the server's making, because no event tells it. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await systemClock.sleep(1);
}

describe('soap sessions', () => {
  it('logs in once for many callers at the same time', async () => {
    const fresh = connect();
    const before = server.logins();
    await Promise.all(Array.from({ length: 20 }, () => call(ask(1), fresh)));
    expect(server.logins() - before).toBe(1);
    await fresh.close();
  });

  it('renews an ended session once, for everybody', async () => {
    await call(ask(1));
    server.endSessions();
    const before = server.logins();
    const replies = await Promise.all(Array.from({ length: 20 }, () => call(ask(1))));
    expect(replies.map(({ rows }) => rows.length)).toEqual(Array.from({ length: 20 }, () => 1));
    expect(server.logins() - before).toBe(1);
  });

  it('does not let one caller who leaves spoil the login of the others', async () => {
    const fresh = connect();
    const leaver = new AbortController();
    const left = call(ask(1), fresh, leaver.signal);
    const stayed = call(ask(1), fresh);
    leaver.abort();
    await expect(left).rejects.toMatchObject({ name: 'LegacyError', fault: 'timeout' });
    expect((await stayed).rows).toHaveLength(1);
    await fresh.close();
  });

  it('is refused with wrong credentials, and does not repeat them in the error', async () => {
    const stranger = connect({ password: 'wrong-password' });
    const error: unknown = await call(ask(1), stranger).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ fault: 'refused' });
    expect(String(error)).not.toContain('wrong-password');
    await stranger.close();
  });
});

describe('a hostile or confused bus', () => {
  /** A server that logs everybody in and answers every question with one text. */
  async function answerOf(toText: (question: string) => string, status = 200) {
    const scripted = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const question = iconv.decode(Buffer.concat(chunks), 'gbk');
        const isLogin = request.url === '/auth';
        const login = '<auth><token>t</token><serviceId>s</serviceId><validSeconds>60</validSeconds></auth>';
        const text = isLogin ? envelope('login', login) : toText(question);
        response.writeHead(isLogin ? 200 : status, { 'content-type': 'text/xml' });
        response.end(iconv.encode(text, 'gbk'));
      });
    }).listen(0, '127.0.0.1');
    await once(scripted, 'listening');
    const client = connect({ url: `http://127.0.0.1:${(scripted.address() as AddressInfo).port}` });
    try {
      return await call(ask(1), client).then(
        ({ rows }) => rows,
        (error: { fault?: string; message: string }) => error.fault ?? error.message,
      );
    } finally {
      await client.close();
      scripted.close();
    }
  }
  const envelope = (operation: string, content: string) =>
    `<Envelope><Body><${operation}Response><return><![CDATA[${content}]]></return></${operation}Response></Body></Envelope>`;
  const serialOf = (question: string) => /<sn>(.*)<\/sn>/.exec(question)?.[1] ?? '';
  const page = (serial: string, rows: string, total = 1, receiver = LIMITS.sender) =>
    envelope(
      'service',
      `<ExchangeMessage><Header><receiver>${receiver}</receiver><sn>${serial}</sn></Header><Body><page><pageNo>1</pageNo><total>${total}</total></page><rows>${rows}</rows></Body></ExchangeMessage>`,
    );

  it('is not believed when it was written anew between two pages, and counts as many rows as before', async () => {
    let asked = 0;
    const outcome = await answerOf((question) => {
      asked += 1;
      const rows = Array.from(
        { length: asked === 1 ? 10 : 1 },
        (_, at) => `<row><a>${asked}-${at}</a></row>`,
      );
      return page(serialOf(question), rows.join(''), 11)
        .replace('<pageNo>1<', `<pageNo>${asked}<`)
        .replace('<rows>', `<dataTime>2026-11-2${asked} 06:00:00</dataTime><rows>`);
    });
    expect([outcome, asked]).toEqual(['malformed', 2]);
  });

  it('is not believed when a row that it repeats stands where another is missing', async () => {
    const twice = '<row><a>甲</a></row><row><a>甲</a></row>';
    expect(await answerOf((question) => page(serialOf(question), twice, 2))).toBe('malformed');
  });

  it('is believed when it answers properly', async () => {
    const rows = '<row><a>甲 &amp; &lt;乙&gt; &#20013;</a></row>';
    expect(await answerOf((question) => page(serialOf(question), rows))).toEqual([{ a: '甲 & <乙> 中' }]);
  });

  const DTD = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>';
  const XXE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>';
  it.each<[string, (question: string) => string]>([
    ['entities that grow', (question) => DTD + page(serialOf(question), '<row><a>&c;</a></row>')],
    ['an entity that names a file', (question) => XXE + page(serialOf(question), '<row><a>&a;</a></row>')],
    [
      'a document type inside the string',
      (question) =>
        page(serialOf(question), '<row><a>&a;</a></row>').replace(
          '<ExchangeMessage>',
          `${XXE}<ExchangeMessage>`,
        ),
    ],
    ['the answer to somebody else’s question', () => page('other-serial', '<row><a>1</a></row>')],
    ['nobody’s records in the answer to somebody else’s question', () => page('other-serial', '', 0)],
    ['our name in another character set', (question) => page(serialOf(question), '', 0, 'å¤©æ´¥')],
    ['a row that is not a record', (question) => page(serialOf(question), '<row/>')],
    ['a cell that stands twice', (question) => page(serialOf(question), '<row><a>1</a><a>2</a></row>')],
    ['a count that is no number', (question) => page(serialOf(question), '', NaN)],
    ['nothing at all', () => ''],
    ['tags without end', () => '<a>'.repeat(5000)],
    ['a prototype', (question) => page(serialOf(question), '<row><__proto__>1</__proto__></row>')],
  ])('is malformed with %s', async (_, toText) => {
    expect(await answerOf(toText)).toBe('malformed');
  });

  it.each([
    [500, 'refused'],
    [503, 'unavailable'],
    [404, 'refused'],
    [302, 'malformed'],
  ])('ends status %i as %s', async (status, fault) => {
    expect(await answerOf(() => '<Envelope/>', status)).toBe(fault);
  });

  it.each([
    '500:system busy',
    '<ExchangeMessage><Body><ERR><code>E01</code><message>x</message></ERR></Body></ExchangeMessage>',
  ])('is refused by an error inside success: %s', async (content) => {
    expect(await answerOf(() => envelope('service', content))).toBe('refused');
  });
});
