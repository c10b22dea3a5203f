/** A bank's credit check, end to end, and what it costs the departments. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Receipt } from '../gateway/evidence/receipt.ts';
import { isReceiptOf } from '../gateway/evidence/receipt.ts';
import { loadReceiptVerifier } from '../schema/signatures/keys.ts';
import { SAMPLE_COMPANY_CODE } from '../schema/sandbox-tokens.ts';
import type { Platform } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';

const DEPARTMENTS = ['courts', 'human-resources', 'market-regulation', 'public-security', 'tax'];
let platform: Platform;
beforeAll(async () => (platform = await startPlatform()), 60_000);
afterAll(() => platform.close());

describe('a credit check', () => {
  it('is answered by five departments, completely, with a reasoned assessment', async () => {
    const check = await platform.check(SAMPLE_COMPANY_CODE);
    expect(check.subject).toEqual({ code: SAMPLE_COMPANY_CODE, name: '天津津信样例（集团）有限公司' });
    expect(check.sources.map(({ status }) => status)).toEqual(
      check.sources.map(() => expect.stringMatching(/OK|NONE_FOUND/)),
    );
    expect(check.sources.length).toBe(DEPARTMENTS.length);
    expect(check.completeness).toBe(1);
    expect(check.assessment?.conclusion).toBe('RECOMMEND');
    expect(check.assessment?.reasons?.length).toBeGreaterThan(0);
  });

  it('costs each department one call, and none when asked again', async () => {
    const code = platform.population[7]?.code ?? '';
    const before = platform.simulators.calls();
    const first = await platform.check(code);
    const spent = platform.callsSince(before);
    const again = platform.simulators.calls();
    const second = await platform.check(code);
    expect(spent).toEqual({
      courts: 1,
      'human-resources': 1,
      'market-regulation': 1,
      'public-security': 1,
      tax: 1,
    });
    expect(platform.callsSince(again)).toEqual({
      courts: 0,
      'human-resources': 0,
      'market-regulation': 0,
      'public-security': 0,
      tax: 0,
    });
    expect(second.sources).toEqual(first.sources);
  });

  it('carries a receipt that verifies offline, for this answer only', async () => {
    const { data, extensions } = await platform.ask({
      as: 'bank-a',
      query:
        '{ creditCheck(input: { subject: "91120101MA9TYN016Y" }) { completeness assessment { conclusion } } }',
    });
    const suite = loadReceiptVerifier('SM2-SM3', undefined);
    const receipt = extensions['receipt'] as Receipt;
    expect(isReceiptOf(suite, receipt, { data })).toBe(true);
    expect(isReceiptOf(suite, receipt, { data: { ...data, creditCheck: null } })).toBe(false);
    expect(isReceiptOf(suite, { ...receipt, issuedAt: '2030-01-01T00:00:00.000Z' }, { data })).toBe(false);
  });

  it('can be verified by whoever keeps it, from the file alone, and not when it was changed', async () => {
    const answer = await platform.ask({
      as: 'bank-a',
      query: '{ creditCheck(input: { subject: "91120101MA9TYN016Y" }) { completeness } }',
    });
    const folder = await mkdtemp(join(tmpdir(), 'jinxin-test-'));
    const file = join(folder, 'answer.json');
    const verify = async (body: unknown, script = 'receipt-verify', more: readonly string[] = [file]) => {
      await writeFile(file, JSON.stringify(body));
      const command = ['--import', 'tsx', `scripts/${script}.ts`, ...more];
      return promisify(execFile)(process.execPath, command, { cwd: join(import.meta.dirname, '..') }).then(
        ({ stdout }) => stdout,
        ({ code, stderr }: { code: number; stderr: string }) => `${code} ${stderr}`,
      );
    };
    const { data, extensions } = answer;
    expect(await verify({ data, extensions })).toContain('Valid');
    expect(await verify({ data: { creditCheck: { completeness: 0.5 } }, extensions })).toMatch(
      /^1 .*not the one that was signed/s,
    );
    expect(await verify({ data })).toMatch(/^1 .*no receipt/s);
    // On paper: the text of the QR code alone, or with the answer that it speaks of.
    const [text = ''] = /JX1\.\S+/.exec(await verify({ data, extensions }, 'receipt-qr')) ?? [];
    const byCode = (body: unknown, ...more: string[]) =>
      verify(body, 'receipt-verify', ['--qr', text, ...more]);
    expect(await byCode({})).toContain((extensions['receipt'] as Receipt).digest);
    expect(await byCode({ data, extensions }, file)).toContain('Valid');
    expect(await byCode({ data: null, extensions }, file)).toMatch(/^1 .*not the one that was signed/s);
    expect(await byCode({ data }, file)).toMatch(/^1 .*no answer/s);
    await rm(folder, { recursive: true });
  }, 60_000);

  it('finds the same company by its name in other brackets and spaces', async () => {
    for (const name of [
      '天津津信样例（集团）有限公司',
      '天津津信样例(集团)有限公司',
      ' 天津津信样例 （集团） 有限公司 ',
      '天津津信样例〔集团〕有限公司',
    ])
      expect((await platform.check(name)).subject.code).toBe(SAMPLE_COMPANY_CODE);
  });

  it('says that nobody knows a subject, instead of calling it clean', async () => {
    const before = platform.simulators.calls();
    const { data, errors } = await platform.ask({
      as: 'bank-a',
      query:
        '{ creditCheck(input: { subject: "91350100M000100Y43" }) { subject { code } completeness assessment { conclusion } } }',
    });
    expect(data.creditCheck).toMatchObject({ completeness: null, assessment: null });
    expect(errors.map(({ extensions }) => extensions['code'])).toContain('SUBJECT_NOT_FOUND');
    expect(Object.keys(platform.callsSince(before)).sort()).toEqual(DEPARTMENTS);
  });
});

describe('a hundred companies at once', () => {
  it('cost one statement at market regulation and one at tax, and at most one call each elsewhere', async () => {
    const codes = platform.population.slice(100, 200).map(({ code }) => code);
    const query = `query ($codes: [CreditCode!]!) { creditSubjects(codes: $codes) { code
      marketRegulation { status } tax { status } courts { status dishonestListings { __typename } consumptionRestrictions { __typename } enforcementCases { __typename } judgments { __typename } } humanResources { status } publicSecurity { status } } }`;
    const before = platform.simulators.calls();
    const { data } = await platform.ask({ as: 'bank-a', query, variables: { codes } });
    const spent = platform.callsSince(before);
    expect(data.creditSubjects.map(({ code }: { code: string }) => code)).toEqual(codes);
    expect(spent).toMatchObject({ 'market-regulation': 1, tax: 1 });
    // The courts answer ten records to a page: whoever has more costs a page for each further ten.
    const furtherPages = data.creditSubjects
      .map(
        ({ courts }: { courts: Record<string, unknown> }) =>
          Object.values(courts).flatMap((list) => (Array.isArray(list) ? list : [])).length,
      )
      .reduce((pages: number, records: number) => pages + Math.max(0, Math.ceil(records / 10) - 1), 0);
    expect(spent['courts']).toBeLessThanOrEqual(100 + furtherPages);
    for (const department of ['human-resources', 'public-security'])
      expect(spent[department]).toBeLessThanOrEqual(100);
    const again = platform.simulators.calls();
    await platform.ask({
      as: 'bank-a',
      query: query.replace(/courts[^]*publicSecurity \{ status \}/, ''),
      variables: { codes },
    });
    expect(platform.callsSince(again)).toMatchObject({ 'market-regulation': 0, tax: 0 });
  });

  it('are refused when they are more', async () => {
    const codes = platform.population.slice(0, 101).map(({ code }) => code);
    const before = platform.simulators.calls();
    const { errors } = await platform.ask({
      as: 'bank-a',
      query: 'query ($codes: [CreditCode!]!) { creditSubjects(codes: $codes) { code tax { status } } }',
      variables: { codes },
    });
    expect(errors[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 'listLength' });
    expect(Object.values(platform.callsSince(before)).every((calls) => calls === 0)).toBe(true);
  });
});
