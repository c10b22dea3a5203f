/** Break-glass by way of the gateway: who opens it, what is recorded of it, and who reads that. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { request } from 'undici';
import { sandboxKey } from '../schema/keys.ts';
import type { Principal } from '../schema/principal.ts';
import { PRINCIPAL_HEADER, signPrincipal } from '../schema/principal.ts';
import type { PersonaName } from '../schema/sandbox-tokens.ts';
import { SAMPLE_COMPANY_CODE } from '../schema/sandbox-tokens.ts';
import type { Platform } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';

const SUBJECT = `O-${SAMPLE_COMPANY_CODE}`;
const ITEM = 'human-resources.insured-count';
const REASON = '厂房坍塌，须确认当班参保人数。';
const OPEN = `mutation ($input: BreakGlassInput!) { breakGlass(input: $input) { id subject items state reviewDueAt } }`;
const CLOSE = 'mutation ($id: ID!) { closeBreakGlass(id: $id) { id state } }';
const REVIEW = `mutation ($id: ID!) { reviewBreakGlass(id: $id, verdict: JUSTIFIED, note: "已核对值班记录与出警单。") { verdict reviewedBy } }`;
const MINE = '{ myBreakGlass { releases { id } } }';
const LISTED = '{ openBreakGlass { releases { id subject officer items reason overdue } next } }';
const EMERGENCY = { 'jinxin-purpose': 'EMERGENCY' };

let platform: Platform;
let database: pg.Client;
const lines: string[] = [];
beforeAll(async () => {
  platform = await startPlatform({ scale: 60, onLog: (line) => lines.push(line) });
  database = new pg.Client({ connectionString: await platform.databaseUrl('platform') });
  await database.connect();
}, 60_000);
afterAll(async () => {
  await database.end();
  await platform.close();
});

const open = (as: PersonaName = 'tax-officer', headers: Readonly<Record<string, string>> = EMERGENCY) =>
  platform.ask({
    as,
    headers,
    query: OPEN,
    variables: { input: { subject: SUBJECT, items: [ITEM], reason: REASON, minutes: 15 } },
  });
async function records(): Promise<readonly Record<string, unknown>[]> {
  const { rows } = await database.query<{ record: string }>(
    'SELECT record FROM evidence.audit_log ORDER BY seq',
  );
  return rows.map(({ record }) => JSON.parse(record) as Record<string, unknown>);
}
/** As the gateway asks for itself. */
async function active(): Promise<readonly { id: string }[]> {
  const gateway: Principal = { kind: 'operator', id: 'gateway', purpose: 'OPERATIONS', subjects: [] };
  const body = JSON.stringify({
    query: `query ($subjects: [SubjectId!]!) { activeBreakGlass(consumer: "tax-officer", subjects: $subjects) { id items } }`,
    variables: { subjects: [SUBJECT] },
  });
  const grant = { principal: gateway, items: ['break-glass.active'], subgraph: 'break-glass' };
  const { body: answer } = await request(platform.subgraphUrls['break-glass'] ?? '', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      [PRINCIPAL_HEADER]: signPrincipal(sandboxKey('gateway'), grant, body, Date.now()),
    },
    body,
  });
  return ((await answer.json()) as { data: { activeBreakGlass: { id: string }[] } }).data.activeBreakGlass;
}

describe('an emergency access', () => {
  it('is opened, recorded before and after, listed, closed and reviewed', async () => {
    const before = (await records()).length;
    const { data, errors } = await open();
    expect(errors).toEqual([]);
    const { id } = data.breakGlass as { id: string };
    expect(data.breakGlass).toMatchObject({ subject: SUBJECT, items: [ITEM], state: 'OPEN' });
    expect(await active()).toEqual([{ id, items: [ITEM] }]);

    const [intended, done] = (await records()).slice(before);
    expect(intended).toMatchObject({ result: 'INTENDED', purpose: 'EMERGENCY', subjects: [SUBJECT] });
    expect(done).toMatchObject({
      result: 'DISCLOSED',
      items: expect.arrayContaining(['break-glass.open', 'break-glass.record']),
      subjects: [SUBJECT],
      supersedes: intended?.['id'],
    });

    const listed = await platform.ask({ as: 'auditor', query: LISTED });
    expect(listed.data.openBreakGlass.releases).toEqual([
      { id, subject: SUBJECT, officer: 'tax-officer', items: [ITEM], reason: REASON, overdue: false },
    ]);
    const early = await platform.ask({ as: 'auditor', query: REVIEW, variables: { id } });
    expect(early.errors[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', attribute: 'id' });
    await platform.ask({ as: 'tax-officer', headers: EMERGENCY, query: CLOSE, variables: { id } });
    expect(await active()).toEqual([]);
    const reviewed = await platform.ask({ as: 'auditor', query: REVIEW, variables: { id } });
    expect(reviewed.data.reviewBreakGlass).toEqual({ verdict: 'JUSTIFIED', reviewedBy: 'auditor' });
    const after = await platform.ask({ as: 'auditor', query: LISTED });
    expect(after.data.openBreakGlass.releases).toEqual([]);
  });

  it('leaves its reason in the register, not in the log of the process or in a record', async () => {
    await open();
    expect(lines.join('')).toContain('an emergency access was opened');
    expect(lines.join('') + JSON.stringify(await records())).not.toContain(REASON);
  });

  it('is not told to the subject while telling may hinder, and is then told as what it was', async () => {
    await open('market-officer');
    const LOG = `{ creditSubject(code: "${SAMPLE_COMPANY_CODE}") { accessLog(first: 100) { entries { who { id } why { code } result } } } }`;
    const read = async () => {
      const { data } = await platform.ask({ as: 'company-owner', query: LOG });
      return data.creditSubject.accessLog.entries as readonly {
        who: { id: string };
        why: { code: string };
        result: string;
      }[];
    };
    expect((await read()).filter(({ why }) => why.code === 'EMERGENCY')).toEqual([]);
    // A week passes for everything so far.
    for (const table of ['audit_log', 'audit_subject'])
      await database.query(`UPDATE evidence.${table} SET at = at - interval '7 days'`);
    const told = (await read()).filter(({ who }) => who.id === 'market-regulation');
    expect(told).toEqual([
      { who: { id: 'market-regulation' }, why: { code: 'EMERGENCY' }, result: 'DISCLOSED' },
    ]);
  });
});

describe('what it releases', () => {
  it('is shown to its officer while it is open, recorded with the release that it rests on, and not a moment longer', async () => {
    const ask = async () => {
      const { data, errors } = await platform.ask({
        as: 'tax-officer',
        headers: EMERGENCY,
        query: `{ creditSubject(code: "${SAMPLE_COMPANY_CODE}") { humanResources { insuredCount } } }`,
      });
      return [
        typeof data.creditSubject.humanResources?.insuredCount,
        errors.map(({ extensions }) => extensions['code']),
      ];
    };
    const mine = (await platform.ask({ as: 'tax-officer', headers: EMERGENCY, query: MINE })).data
      .myBreakGlass;
    for (const { id } of mine.releases as { id: string }[])
      await platform.ask({ as: 'tax-officer', headers: EMERGENCY, query: CLOSE, variables: { id } });
    const [shown, codes] = await ask();
    expect([shown, codes]).not.toEqual(['number', []]);
    const { id } = (await open()).data.breakGlass as { id: string };
    expect(await ask()).toEqual(['number', []]);
    expect((await records()).at(-1)).toMatchObject({ result: 'DISCLOSED', items: [ITEM], breakGlass: [id] });
    await platform.ask({ as: 'tax-officer', headers: EMERGENCY, query: CLOSE, variables: { id } });
    expect(await ask()).toEqual([shown, codes]);
  });
});

describe('nobody else', () => {
  it.each<[PersonaName, Readonly<Record<string, string>>]>([
    ['tax-officer', {}],
    ['bank-a', {}],
    ['company-owner', {}],
    ['auditor', {}],
    ['operator', {}],
  ])('opens one: %s with %j', async (as, headers) => {
    const before = (await database.query('SELECT FROM break_glass.release')).rowCount;
    const { data, errors } = await open(as, headers);
    expect(data.breakGlass).toBeNull();
    expect(errors[0]?.extensions['code']).toBe('FORBIDDEN');
    expect((await database.query('SELECT FROM break_glass.release')).rowCount).toBe(before);
  });

  it('sees that there is such a look-up as the gateway’s', async () => {
    const { errors } = await platform.ask({
      as: 'operator',
      query: `{ activeBreakGlass(consumer: "tax-officer", subjects: ["${SUBJECT}"]) { id } }`,
    });
    expect(errors[0]?.extensions['code']).toBe('INVALID_OPERATION');
  });
});
