/** Who sees what, with whose consent, and what is kept of it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { maskName } from '../schema/identifiers/mask.ts';
import { SAMPLE_COMPANY_CODE } from '../schema/sandbox-tokens.ts';
import { legalRepresentativeOf } from '../simulators/population/people.ts';
import type { Platform } from './kit/platform.ts';
import { verifyAuditAt } from './kit/audit.ts';
import { startPlatform } from './kit/platform.ts';

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

const CODE = SAMPLE_COMPANY_CODE;
const GRADE = `{ creditSubject(code: "${CODE}") { name tax { status isGradeA grade } } }`;
const CHECK = `{ creditCheck(input: { subject: "${CODE}" }) { subject { name } completeness sources { department status } } }`;

const GRANT = `mutation ($input: GrantConsentInput!) { grantConsent(input: $input) { id state } }`;
const consentFor = (items: readonly string[]) => ({
  input: {
    subject: `O-${CODE}`,
    consumer: 'bank-b',
    purpose: 'LOAN_ORIGINATION',
    items,
    expiresAt: new Date(Date.now() + 7 * 86_400_000).toISOString(),
    periodFrom: new Date(Date.now() - 300 * 86_400_000).toISOString().slice(0, 10),
    periodUntil: new Date().toISOString().slice(0, 10),
    dataLifeDays: 7,
    frequency: { times: 1, per: 'CONSENT' },
  },
});

async function records(): Promise<{ seq: string; record: string; hash: Buffer }[]> {
  return (
    await database.query<{ seq: string; record: string; hash: Buffer }>(
      'SELECT seq, record, hash FROM evidence.audit_log ORDER BY seq',
    )
  ).rows;
}
const newest = async () => JSON.parse((await records()).at(-1)?.record ?? '{}') as Record<string, unknown>;

describe('a bank without consent', () => {
  it('is told so, path by path; the rest is answered, and no department is asked for what it may not see', async () => {
    const before = platform.simulators.calls();
    const { data, errors } = await platform.ask({ as: 'bank-b', query: CHECK });
    expect(data.creditCheck).toEqual({
      subject: { name: '天津津信样例（集团）有限公司' },
      completeness: null,
      sources: null,
    });
    expect(errors.map(({ path, extensions }) => [path?.join('.'), extensions['code']]).sort()).toEqual([
      ['creditCheck.completeness', 'CONSENT_REQUIRED'],
      ['creditCheck.sources', 'CONSENT_REQUIRED'],
    ]);
    expect(Object.values(platform.callsSince(before)).every((calls) => calls === 0)).toBe(true);
    expect(await newest()).toMatchObject({ principal: { id: 'bank-b' }, items: [], subjects: [`O-${CODE}`] });
  });
});

describe('a consent', () => {
  it('opens what it names to the bank that it names, from the next request on, and closes with its revocation', async () => {
    expect((await platform.ask({ as: 'bank-b', query: GRADE })).data.creditSubject.tax.grade).toBeNull();
    const granted = await platform.ask({
      as: 'company-owner',
      query: GRANT,
      variables: consentFor(['tax.grade']),
    });
    expect(granted.errors).toEqual([]);
    const { id } = granted.data.grantConsent as { id: string };

    const opened = await platform.ask({ as: 'bank-b', query: GRADE });
    expect(opened.errors).toEqual([]);
    expect(opened.data.creditSubject.tax).toMatchObject({
      status: 'OK',
      grade: expect.stringMatching(/^[ABMCD]$/),
    });
    expect(await newest()).toMatchObject({
      principal: { id: 'bank-b' },
      consents: [id],
      items: ['tax.grade'],
      denials: [],
    });
    // Another item of the same department is not opened by it.
    const other = await platform.ask({ as: 'bank-b', query: CHECK });
    expect(other.data.creditCheck.completeness).toBeNull();

    await platform.ask({
      as: 'company-owner',
      query: 'mutation ($id: ID!) { revokeConsent(id: $id) { state } }',
      variables: { id },
    });
    const closed = await platform.ask({ as: 'bank-b', query: GRADE });
    expect(closed.data.creditSubject.tax).toMatchObject({ isGradeA: expect.any(Boolean), grade: null });
    expect(closed.errors[0]).toMatchObject({
      path: ['creditSubject', 'tax', 'grade'],
      extensions: { code: 'CONSENT_REQUIRED', item: 'tax.grade' },
    });
  });

  it('cannot be given by a bank, or by the owner of another company', async () => {
    const byBank = await platform.ask({ as: 'bank-b', query: GRANT, variables: consentFor(['tax.grade']) });
    expect(byBank.errors[0]?.extensions['code']).toBe('FORBIDDEN');
    const byCitizen = await platform.ask({
      as: 'citizen',
      query: GRANT,
      variables: consentFor(['tax.grade']),
    });
    expect([byCitizen.data?.grantConsent ?? null, byCitizen.errors[0]?.extensions['code']]).toEqual([
      null,
      'FORBIDDEN',
    ]);
  });
});

describe('the subject itself', () => {
  it('sees its own, and nobody else’s', async () => {
    const own = await platform.ask({ as: 'company-owner', query: GRADE });
    expect(own.data.creditSubject.tax.grade).toMatch(/^[ABMCD]$/);
    const other = platform.population[3]?.code ?? '';
    const foreign = await platform.ask({ as: 'company-owner', query: GRADE.replace(CODE, other) });
    expect([foreign.data.creditSubject.tax.grade, foreign.errors[0]?.extensions['code']]).toEqual([
      null,
      'FORBIDDEN',
    ]);
  });
});

describe('what one may see', () => {
  it('does not leak to another through the cache', async () => {
    const code = platform.population[9]?.code ?? '';
    const query = GRADE.replace(CODE, code);
    const cold = await platform.ask({ as: 'bank-b', query });
    await platform.ask({ as: 'bank-a', query });
    const warm = await platform.ask({ as: 'bank-b', query });
    expect({ data: warm.data, errors: warm.errors }).toEqual({ data: cold.data, errors: cold.errors });
  });

  it('is not got by another name, fragment or condition', async () => {
    const shapes = [
      'x: grade',
      '...F',
      '... on TaxRecord { grade }',
      'grade @include(if: true)',
      'status: grade',
      'isGradeA: grade',
    ];
    for (const shape of shapes) {
      const query = `{ creditSubject(code: "${CODE}") { tax { ${shape} } } } ${shape === '...F' ? 'fragment F on TaxRecord { grade }' : ''}`;
      const { data, errors } = await platform.ask({ query });
      expect({
        shape,
        tax: data.creditSubject,
        codes: errors.map(({ extensions }) => extensions['code']),
      }).toEqual({ shape, tax: null, codes: ['FORBIDDEN'] });
    }
  });
});

describe('a mask', () => {
  it('is put on after the cache, for those who are to see it: an officer reads the name, the public its beginning', async () => {
    const code = platform.population[15]?.code ?? '';
    const { name } = legalRepresentativeOf(code, 'test');
    const query = `{ creditSubject(code: "${code}") { marketRegulation { registration { legalRepresentative } } } }`;
    const shown = async (as?: 'market-officer' | 'bank-a') => {
      const { data } = await platform.ask(as === undefined ? { query } : { as, query });
      return data.creditSubject.marketRegulation.registration.legalRepresentative as string;
    };
    expect(await shown('market-officer')).toBe(name);
    const before = platform.simulators.calls();
    expect([await shown('bank-a'), await shown()]).toEqual([maskName(name), maskName(name)]);
    expect(platform.callsSince(before)['market-regulation']).toBe(0);
    expect(maskName(name)).toMatch(/^.\*+$/u);
  });
});

describe('the audit log', () => {
  it('chains every record to the one before it', async () => {
    const { platformUrl, heads } = platform.audit;
    const verdict = await verifyAuditAt(platformUrl, heads);
    expect(verdict).toMatchObject({ breaches: 0, unpublished: 0 });
    expect(verdict.records).toBeGreaterThan(5);
  });

  it('that cannot be written lets no data out; public data need none', async () => {
    await database.query('ALTER TABLE evidence.audit_log RENAME TO audit_log_gone');
    const refused = await platform.ask({ as: 'bank-a', query: GRADE });
    const open = await platform.ask({ query: `{ creditSubject(code: "${CODE}") { name } }` });
    await database.query('ALTER TABLE evidence.audit_log_gone RENAME TO audit_log');
    expect({
      status: refused.status,
      data: refused.data,
      code: refused.errors[0]?.extensions['code'],
    }).toEqual({ status: 503, data: undefined, code: 'AUDIT_UNAVAILABLE' });
    expect(open.data.creditSubject.name).toBe('天津津信样例（集团）有限公司');
    expect((await platform.ask({ as: 'bank-a', query: GRADE })).errors).toEqual([]);
  });
});
