import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createQuestionServer,
  type QuestionServer,
} from '../../simulators/public-security/question-server.ts';
import type { Fault } from '../../simulators/simulator.ts';
import type { Adapter, LegacyReply } from '../adapter.ts';
import type { Clock } from '../clock.ts';
import { createClock, systemClock } from '../clock.ts';
import { describeAdapterContract } from '../contract.ts';
import { createVerdictAdapter, type VerdictOptions, type VerdictRequest } from './adapter.ts';
import { createOpenTickets, referenceOf } from './tickets.ts';

const CITIZEN = '120101190001010016';
const NAME = '张测试样本';
const REQUEST: VerdictRequest = { question: { XM: NAME, GMSFHM: CITIZEN } };
const KEY = Buffer.alloc(32, 3);
const SYSTEM = 'real-name gateway';
const ALWAYS = { from: '00:00', to: '00:00' };

const options = (url: string): VerdictOptions => ({
  system: SYSTEM,
  url,
  accessKey: 'key',
  referenceKey: KEY,
  ticketMs: 86_400_000,
  mostTickets: 100,
  maxBytes: 64 * 1024,
});

interface Rig {
  readonly server: QuestionServer;
  readonly adapter: Adapter<VerdictRequest>;
  close(): Promise<void>;
}

async function serve(
  latencyMs: number,
  { clock = systemClock, ...more }: { clock?: Clock; dailyQuota?: number; window?: typeof ALWAYS } = {},
): Promise<Rig> {
  const server = await createQuestionServer({
    accessKey: 'key',
    clock,
    window: ALWAYS,
    dailyQuota: 1_000,
    latencyOf: () => latencyMs,
    verdictOf: ({ XM }) => (XM === NAME ? '00' : '01'),
    ...more,
  });
  const adapter = createVerdictAdapter(options(server.url), { clock });
  return {
    server,
    adapter,
    async close() {
      await adapter.close();
      await server.close();
    },
  };
}

async function call(
  { adapter }: Pick<Rig, 'adapter'>,
  { forMs = 60_000, clock = systemClock, request = REQUEST } = {},
): Promise<LegacyReply> {
  const deadline = clock.now() + forMs;
  const limit = clock.deadline(deadline);
  try {
    return await adapter.call(request, { signal: limit.signal, deadline });
  } finally {
    limit.end();
  }
}

const faultOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'answered',
    (error: { fault?: string; message: string }) => error.fault ?? error.message,
  );

let well: Rig;
beforeAll(async () => {
  well = await serve(5);
});
afterAll(() => well.close());

describeAdapterContract('verdict', () => ({
  adapter: well.adapter,
  request: REQUEST,
  faults: {
    refuse: ['unavailable'],
    slow: ['timeout'],
    hang: ['timeout'],
    // The proxy cuts the message anywhere: what is left is no message, or a connection that broke off.
    reset: ['malformed', 'unavailable'],
    truncate: ['malformed', 'unavailable'],
    garble: ['malformed'],
    html: ['malformed', 'unavailable'],
    oversize: ['malformed', 'unavailable'],
    'wrong-encoding': ['malformed'],
    'schema-drift': ['malformed'],
    'error-in-200': ['refused'],
    'expired-token': ['refused'],
  },
  fault: (name: string) => Promise.resolve(well.server.setFault(name as Fault)),
  heal: () => Promise.resolve(well.server.setFault(null)),
  openCalls: () => well.server.openCalls(),
}));

describe('a verdict', () => {
  it('is waited for, and says when it was given and to which question', async () => {
    const before = well.server.calls();
    const { rows, asOf } = await call(well);
    expect(rows).toEqual([
      { state: 'DECIDED', reference: referenceOf(KEY, REQUEST.question), verdict: '00' },
    ]);
    expect(Math.abs(Date.parse(asOf ?? '') - Date.now())).toBeLessThan(60_000);
    expect(well.server.calls() - before).toBe(1);
  });

  it('that takes its two to ten seconds is there within the caller’s minute', async () => {
    const clock = createClock(50);
    for (const latencyMs of [2_000, 10_000]) {
      const rig = await serve(latencyMs, { clock });
      const startedAt = clock.now();
      const { rows } = await call(rig, { clock, forMs: 600_000 });
      expect(rows).toMatchObject([{ state: 'DECIDED', verdict: '00' }]);
      expect(clock.now() - startedAt).toBeGreaterThanOrEqual(latencyMs);
      expect(rig.server.calls()).toBe(1);
      await rig.close();
    }
  });

  it('that is not given in time is PENDING, and is picked up later without a second question', async () => {
    const rig = await serve(2_000);
    const first = await call(rig, { forMs: 800 });
    expect(first).toEqual({
      rows: [{ state: 'PENDING', reference: expect.any(String), ticket: expect.any(String) }],
      asOf: null,
    });
    const later = await call(rig);
    expect(later.rows).toMatchObject([{ state: 'DECIDED', verdict: '00' }]);
    expect(rig.server.calls()).toBe(1);
    // Answered is answered: the next one is a new question.
    await call(rig);
    expect(rig.server.calls()).toBe(2);
    await rig.close();
  });

  it('that hangs after the question was accepted is a timeout, and its ticket is kept', async () => {
    const rig = await serve(300);
    await call(rig, { forMs: 200 });
    rig.server.setFault('hang');
    expect(await faultOf(call(rig, { forMs: 300 }))).toBe('timeout');
    rig.server.setFault(null);
    expect((await call(rig)).rows).toMatchObject([{ state: 'DECIDED' }]);
    expect(rig.server.calls()).toBe(1);
    await rig.close();
  });

  it('on which the system has lost its ticket is asked for once more', async () => {
    const rig = await serve(1_500);
    expect((await call(rig, { forMs: 400 })).rows).toMatchObject([{ state: 'PENDING' }]);
    rig.server.forgetTickets();
    expect((await call(rig)).rows).toMatchObject([{ state: 'DECIDED' }]);
    expect(rig.server.calls()).toBe(2);
    await rig.close();
  });

  it('on another question is handed on under its own reference, and its ticket is not used again', async () => {
    const before = well.server.calls();
    well.server.setFault('foreign-row');
    const { rows, asOf } = await call(well);
    well.server.setFault(null);
    expect(rows).toEqual([{ state: 'DECIDED', reference: 'f'.repeat(64), verdict: '00' }]);
    expect(asOf).toBeNull();
    expect((await call(well)).rows).toMatchObject([{ reference: referenceOf(KEY, REQUEST.question) }]);
    expect(well.server.calls() - before).toBe(2);
  });

  it('is unavailable outside the hours of the gateway, and beyond its quota', async () => {
    const night = createClock(1, Date.parse('2026-03-02T02:00:00+08:00'));
    const asleep = await serve(5, { clock: night, window: { from: '08:30', to: '17:30' } });
    expect(await faultOf(call(asleep, { clock: night }))).toBe('unavailable');
    await asleep.close();
    const counted = await serve(5, { dailyQuota: 1 });
    expect(await faultOf(call(counted))).toBe('answered');
    expect(await faultOf(call(counted))).toBe('unavailable');
    await counted.close();
  });
});

it('a simulated gateway goes down at once, whoever waits for a verdict', async () => {
  const rig = await serve(60_000);
  const pending = faultOf(call(rig));
  while (rig.server.calls() === 0) await systemClock.sleep(1);
  const startedAt = performance.now();
  await rig.server.close();
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  expect(await pending).toBe('unavailable');
  await rig.adapter.close();
});

describe('what a question is about', () => {
  it('stands in no URL, no ticket and no error', async () => {
    const rig = await serve(600);
    const said: string[] = [];
    said.push(JSON.stringify(await call(rig, { forMs: 300 })), JSON.stringify(await call(rig)));
    for (const fault of ['garble', 'html', 'error-in-200', 'expired-token', 'reset', 'hang'] as const) {
      rig.server.setFault(fault);
      const error: unknown = await call(rig, { forMs: 300 }).catch((reason: unknown) => reason);
      said.push(describeFully(error));
      rig.server.setFault(null);
    }
    const everything = [...said, ...rig.server.requests()].join('\n');
    expect(everything).toContain('GET /answers/');
    expect(everything).not.toContain(CITIZEN);
    expect(everything).not.toContain(NAME);
    expect(everything).not.toContain(encodeURIComponent(NAME));
    await rig.close();
  });

  it('cannot be told from its reference without the key', () => {
    const citizen = fc.stringMatching(/^1201011900[01][0-9]{6}[0-9X]$/);
    fc.assert(
      fc.property(citizen, citizen, fc.uint8Array({ minLength: 16, maxLength: 16 }), (one, other, key) => {
        const reference = referenceOf(key, { XM: NAME, GMSFHM: one });
        expect(reference).toMatch(/^[0-9a-f]{64}$/);
        expect(reference).toBe(referenceOf(key, { GMSFHM: one, XM: NAME }));
        expect(reference === referenceOf(key, { XM: NAME, GMSFHM: other })).toBe(one === other);
        expect(reference).not.toBe(referenceOf(KEY, { XM: NAME, GMSFHM: one }));
      }),
    );
  });

  it('is not said by values that are put together otherwise', () => {
    expect(referenceOf(KEY, { a: 'b', c: 'd' })).not.toBe(referenceOf(KEY, { a: 'bc', c: 'd' }));
    expect(referenceOf(KEY, { a: 'b,c' })).not.toBe(referenceOf(KEY, { a: 'b', c: '' }));
  });
});

describe('open tickets', () => {
  it('are forgotten when the system has thrown the answer away, and the oldest when there are too many', async () => {
    const clock = createClock(1_000);
    const tickets = createOpenTickets({ most: 2, keptMs: 60_000 }, clock);
    tickets.keep('one', 'ticket-1');
    expect(tickets.get('one')).toBe('ticket-1');
    await clock.sleep(61_000);
    expect(tickets.get('one')).toBeUndefined();
    const lasting = createOpenTickets({ most: 2, keptMs: 1e9 }, clock);
    for (const number of [1, 2, 3]) lasting.keep(`question-${number}`, `ticket-${number}`);
    expect([1, 2, 3].map((number) => lasting.get(`question-${number}`))).toEqual([
      undefined,
      'ticket-2',
      'ticket-3',
    ]);
  });

  it('are not forgotten for the sake of an older one', () => {
    const tickets = createOpenTickets({ most: 2, keptMs: 1e9 }, systemClock);
    tickets.keep('question', 'newer');
    tickets.forget('question', 'older');
    expect(tickets.get('question')).toBe('newer');
  });
});

describe('a hostile or confused gateway', () => {
  const json = { 'content-type': 'application/json' };
  const reference = referenceOf(KEY, REQUEST.question);
  const ANSWER = { reference, verdict: '00', answeredAt: '2026-03-02T10:00:00+08:00' };

  async function endOf(
    accepted: [number, string],
    answered: [number, string] = [200, JSON.stringify(ANSWER)],
  ) {
    const scripted = createServer((request, response) => {
      void drain(request).then(() => {
        const [status, text] = request.method === 'POST' ? accepted : answered;
        response.writeHead(status, json).end(status === 204 ? undefined : text);
      });
    }).listen(0, '127.0.0.1');
    await once(scripted, 'listening');
    const url = `http://127.0.0.1:${(scripted.address() as AddressInfo).port}`;
    const adapter = createVerdictAdapter(options(url), { clock: systemClock });
    const end = await call({ adapter }, { forMs: 500 }).then(
      ({ rows }) => rows[0]?.['state'],
      (error: { fault?: string; message: string }) => error.fault ?? error.message,
    );
    await adapter.close();
    scripted.close();
    return end;
  }
  const ticket = (text: string): [number, string] => [202, JSON.stringify({ ticket: text })];
  const GOOD = ticket('ticket-0001');

  it('is believed when it answers properly', async () => {
    expect(await endOf(GOOD)).toBe('DECIDED');
  });

  it('is waited for though it does not wait as it was asked to', async () => {
    expect(await endOf(GOOD, [204, ''])).toBe('PENDING');
  });

  it.each<[string, string, [number, string], [number, string]?]>([
    ['a ticket that is the ID number', 'malformed', ticket(CITIZEN)],
    ['a ticket that holds the ID number', 'malformed', ticket(`T-${CITIZEN}-1`)],
    ['a ticket that is a path', 'malformed', ticket('../../admin')],
    ['a ticket of a thousand characters', 'malformed', ticket('t'.repeat(1_000))],
    ['no ticket', 'malformed', [202, '{}']],
    ['an answer before the ticket', 'malformed', [200, JSON.stringify(ANSWER)]],
    ['a list', 'malformed', [202, '[]']],
    ['an error inside success', 'refused', [200, '{"code":"-1","msg":"x"}']],
    ['an error inside acceptance', 'refused', [202, '{"code":"-1","msg":"x"}']],
    ['an error instead of the answer', 'refused', GOOD, [200, '{"code":"-1","msg":"x"}']],
    [
      'an answer without its question',
      'malformed',
      GOOD,
      [200, JSON.stringify({ ...ANSWER, reference: undefined })],
    ],
    [
      'an answer without a moment',
      'malformed',
      GOOD,
      [200, JSON.stringify({ ...ANSWER, answeredAt: 'today' })],
    ],
    ['a verdict that is a number', 'malformed', GOOD, [200, JSON.stringify({ ...ANSWER, verdict: 0 })]],
    ['a ticket that it forgets at once', 'malformed', GOOD, [404, '{}']],
    ['no such service', 'refused', [404, '{}']],
    ['a quota that is used up', 'unavailable', [429, '{}']],
    ['a way to somewhere else', 'malformed', [302, '']],
    ['half a JSON', 'malformed', [202, '{"ticket":"abc']],
  ])('with %s ends as %s', async (_, fault, accepted, ...answered) => {
    expect(await endOf(accepted, ...answered)).toBe(fault);
  });
});

/** All that a log could make of an error: message, stack and every cause. */
function describeFully(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error);
  const own = JSON.stringify(
    Object.getOwnPropertyNames(error).map((name) => String(Reflect.get(error, name))),
  );
  return own + (error.cause === undefined ? '' : describeFully(error.cause));
}

async function drain(request: IncomingMessage): Promise<void> {
  for await (const _ of request);
}
