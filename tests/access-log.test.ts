/** Who looked at whom: what the gateway records, and what of it the subject and the auditor read. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { PersonaName } from '../schema/sandbox-tokens.ts';
import { SAMPLE_COMPANY_CODE } from '../schema/sandbox-tokens.ts';
import type { Platform } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';

const CODE = SAMPLE_COMPANY_CODE;
const SUBJECT = `O-${CODE}`;
const GRADE = `{ creditSubject(code: "${CODE}") { name tax { grade } } }`;
const LOG = `query ($first: Int, $after: String) { creditSubject(code: "${CODE}") { accessLog(first: $first, after: $after) {
  entries { id at who { kind id zh } why { purpose code zh } items { id zh } result consentIds isJoint } next } } }`;
const AUDIT = `query ($filter: AuditFilter!) { auditRecords(filter: $filter) {
  records { id consumer purpose result items subjects shownFrom } } }`;

interface Entry {
  readonly id: string;
  readonly who: { readonly kind: string; readonly id: string | null; readonly zh: string };
  readonly why: { readonly purpose: string | null; readonly code: string };
  readonly items: readonly { readonly id: string; readonly zh: string }[];
  readonly result: string;
}

let platform: Platform;
let database: pg.Client;
beforeAll(async () => {
  platform = await startPlatform({ scale: 60 });
  database = new pg.Client({ connectionString: await platform.databaseUrl('platform') });
  await database.connect();
}, 60_000);
afterAll(async () => {
  await database.end();
  await platform.close();
});

async function readOwn(variables: object = {}) {
  const { data, errors } = await platform.ask({
    as: 'company-owner',
    query: LOG,
    variables: { ...variables },
  });
  expect(errors).toEqual([]);
  return data.creditSubject.accessLog as { entries: readonly Entry[]; next: string | null };
}
async function readAudit(filter: object = { subject: SUBJECT }) {
  const { data, errors } = await platform.ask({ as: 'auditor', query: AUDIT, variables: { filter } });
  expect(errors).toEqual([]);
  return data.auditRecords.records as readonly {
    id: string;
    consumer: string;
    purpose: string;
    items: string[];
  }[];
}

describe('the subject', () => {
  it('reads which bank saw which item for which purpose, from the next moment on', async () => {
    expect((await platform.ask({ as: 'bank-a', query: GRADE })).data.creditSubject.tax.grade).toMatch(
      /^[ABMCD]$/,
    );
    const [entry] = (await readOwn()).entries;
    expect(entry).toMatchObject({
      who: { kind: 'BANK', id: 'bank-a', zh: '金融机构' },
      why: { purpose: 'LOAN_ORIGINATION', zh: '贷款审批' },
      items: [{ id: 'tax.grade', zh: '纳税缴费信用等级' }],
      result: 'DISCLOSED',
      isJoint: false,
    });
  });

  it('reads of a denial too, although no department was asked', async () => {
    await platform.ask({ as: 'association', query: GRADE });
    expect((await readOwn()).entries[0]).toMatchObject({
      who: { kind: 'ASSOCIATION', id: 'association' },
      items: [{ id: 'tax.grade' }],
      result: 'DENIED',
    });
  });

  it('finds its own reading in the log, which is never left out of it', async () => {
    const before = await readOwn();
    const after = await readOwn();
    expect(after.entries[0]).toMatchObject({
      who: { kind: 'SUBJECT', id: 'company-owner' },
      why: { purpose: 'SELF_ACCESS' },
      items: [{ id: 'access-log.own', zh: '本人信用信息被查询的记录' }],
      result: 'DISCLOSED',
    });
    expect(after.entries.slice(1, 3).map(({ id }) => id)).toEqual(
      before.entries.slice(0, 2).map(({ id }) => id),
    );
    expect((await readAudit())[0]).toMatchObject({ consumer: 'company-owner', items: ['access-log.own'] });
  });

  it('pages through it', async () => {
    await platform.ask({ as: 'bank-a', query: GRADE });
    const whole = await readOwn({ first: 100 });
    const one = await readOwn({ first: 2 });
    // Its own readings come in front, and do not move what follows a cursor.
    const two = await readOwn({ first: 2, after: one.next });
    const ids = [...one.entries, ...two.entries].map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
    expect(ids.slice(1)).toEqual(whole.entries.slice(0, 3).map(({ id }) => id));
  });

  it.each<PersonaName>(['bank-a', 'tax-officer', 'citizen', 'auditor', 'operator', 'anonymous'])(
    'is the only one who reads it: not %s',
    async (as) => {
      const { data, errors } = await platform.ask({ ...(as === 'anonymous' ? {} : { as }), query: LOG });
      expect(data.creditSubject?.accessLog ?? null).toBeNull();
      expect([...new Set(errors.map(({ extensions }) => extensions['code']))]).toEqual(['FORBIDDEN']);
    },
  );

  it('has an agent who reads it for the company, and whom it sees doing so', async () => {
    const { data } = await platform.ask({ as: 'company-agent', query: LOG });
    expect(data.creditSubject.accessLog.entries.length).toBeGreaterThan(0);
    expect((await readOwn()).entries[0]).toMatchObject({ who: { kind: 'SUBJECT', id: 'company-agent' } });
  });
});

describe('an investigation', () => {
  it('is read by the auditor at once, and by the subject as the duty of a state organ when the time has come', async () => {
    const before = (await readOwn()).entries;
    await platform.ask({ as: 'tax-officer', query: GRADE, headers: { 'jinxin-purpose': 'INVESTIGATION' } });
    const [record] = await readAudit({ subject: SUBJECT, purpose: 'INVESTIGATION' });
    expect(record).toMatchObject({ consumer: 'tax-officer', purpose: 'INVESTIGATION' });
    const during = (await readOwn()).entries;
    expect(during.slice(1).map(({ id }) => id)).toEqual(
      before.slice(0, during.length - 1).map(({ id }) => id),
    );
    // Half a year passes for this record.
    for (const table of ['audit_log', 'audit_subject'])
      await database.query(`UPDATE evidence.${table} SET at = at - interval '180 days' WHERE id = $1`, [
        record?.id,
      ]);
    const told = (await readOwn({ first: 100 })).entries.find(({ id }) => id === record?.id);
    expect(told).toMatchObject({
      who: { kind: 'DEPARTMENT', id: null, zh: '国家机关' },
      why: { purpose: null, code: 'OFFICIAL', zh: '依法履职' },
    });
  });
});

describe('the auditor', () => {
  it('is recorded when it reads, of the subject that it asked about, and the subject is told later', async () => {
    await readAudit();
    const [record] = await readAudit({ subject: SUBJECT, purpose: 'AUDIT' });
    expect(record).toMatchObject({ consumer: 'auditor', items: ['access-log.audit'], subjects: [SUBJECT] });
    expect((await readOwn({ first: 100 })).entries.map(({ id }) => id)).not.toContain(record?.id);
  });
});

describe('a log that cannot be read', () => {
  it('is unknown, never empty; and the answer says so beside what is known', async () => {
    await database.query('ALTER TABLE evidence.audit_subject RENAME TO gone');
    try {
      const { data, errors } = await platform.ask({
        as: 'company-owner',
        query: `{ creditSubject(code: "${CODE}") { name accessLog { entries { id } } } }`,
      });
      expect(data.creditSubject).toEqual({ name: expect.any(String), accessLog: null });
      expect(errors.map(({ extensions }) => extensions['code'])).toEqual(['DEPARTMENT_UNAVAILABLE']);
    } finally {
      await database.query('ALTER TABLE evidence.gone RENAME TO audit_subject');
    }
  });
});

describe('a bank’s check', () => {
  it('asks neither the log nor the register of emergency accesses', async () => {
    const calls = async () =>
      (await platform.metrics.page())
        .split('\n')
        .filter((line) => /^jinxin_legacy_calls_total\{system="(审计日志|紧急查询登记簿)"/.test(line));
    const before = await calls();
    expect((await platform.check(CODE)).completeness).toBe(1);
    expect(before.length).toBeGreaterThan(0);
    expect(await calls()).toEqual(before);
  });
});
