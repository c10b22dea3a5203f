/** The main job on real registrations: `npm run test:real -- FILE`. What departments say of them is made up as ever. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { normaliseCompanyName } from '../schema/identifiers/company-name.ts';
import { parseCreditCode } from '../schema/identifiers/unified-social-credit-code.ts';
import { randomFor } from '../simulators/population/random.ts';
import type { Registration } from '../simulators/population/registrations.ts';
import type { Platform } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';

const FILE = process.env['JINXIN_REAL_POPULATION'];
const SEED = process.env['JINXIN_TEST_SEED'] ?? 'registrations';
const SAMPLE = 24;

let platform: Platform;
let valid: readonly Registration[];
beforeAll(async () => {
  if (FILE === undefined) throw new Error('run it with `npm run test:real -- FILE`');
  process.stdout.write(`seed: ${SEED} (JINXIN_TEST_SEED)\n`);
  platform = await startPlatform({ population: FILE });
  valid = platform.population.filter(({ code }) => parseCreditCode(code).ok);
}, 120_000);
afterAll(() => platform.close());

/** Companies of the file whose name, however it is written, is theirs alone. */
function sample(topic: string, from: readonly Registration[] = valid): readonly Registration[] {
  const random = randomFor(SEED, 'sample', topic);
  const names = new Map<string, number>();
  for (const { name } of valid)
    names.set(normaliseCompanyName(name), (names.get(normaliseCompanyName(name)) ?? 0) + 1);
  const unique = from.filter(({ name }) => names.get(normaliseCompanyName(name)) === 1);
  return Array.from({ length: SAMPLE }, () => random.pick(unique));
}

/** The same name as somebody else would type it: other brackets, spaces inside, full width. */
function otherwise(name: string): string {
  const swapped = name.replace(/[（(]/g, '〔').replace(/[）)]/g, '〕');
  const middle = Math.floor(swapped.length / 2);
  return ` ${swapped.slice(0, middle)} \u3000${swapped.slice(middle)} `;
}

describe('real registrations', () => {
  it('are all indexed but the malformed, which are set aside with their reason', async () => {
    const client = new pg.Client({ connectionString: await platform.databaseUrl('platform') });
    await client.connect();
    const { rows } = await client.query<{ count: string }>('SELECT count(*) FROM subjects.subject');
    await client.end();
    expect(Number(rows[0]?.count)).toBe(new Set(valid.map(({ code }) => code)).size);
    expect(valid.length).toBeGreaterThan(platform.population.length * 0.99);
  });

  it('are the same subject by code, by exact name, and by the name in other brackets and spaces', async () => {
    const bracketed = valid.filter(({ name }) => /[（(]/.test(name));
    for (const { code, name } of [
      ...sample('names').slice(0, 12),
      ...sample('brackets', bracketed).slice(0, 12),
    ]) {
      const byCode = await platform.check(code);
      expect(byCode.subject.code).toBe(code);
      expect((await platform.check(name)).subject).toEqual(byCode.subject);
      expect((await platform.check(otherwise(name))).subject).toEqual(byCode.subject);
    }
  }, 120_000);

  it('cost one statement each at market regulation and tax for a hundred of them, and none the second time', async () => {
    const codes = valid.slice(5_000, 5_100).map(({ code }) => code);
    const question = {
      as: 'bank-a' as const,
      query: `query ($codes: [CreditCode!]!) { creditSubjects(codes: $codes) { code name marketRegulation { status } tax { status } } }`,
      variables: { codes },
    };
    const before = platform.simulators.calls();
    const { data, errors } = await platform.ask(question);
    expect(errors).toEqual([]);
    expect(data.creditSubjects.map(({ code }: { code: string }) => code)).toEqual(codes);
    expect(platform.callsSince(before)).toMatchObject({ 'market-regulation': 1, tax: 1 });
    const again = platform.simulators.calls();
    await platform.ask(question);
    expect(platform.callsSince(again)).toMatchObject({ 'market-regulation': 0, tax: 0 });
  });

  it('have every field of their register answered for a spread of them, oddities included', async () => {
    const odd = valid.filter(({ capital }) => !/^[\d.,]+[（(]万元人民币[）)]$/.test(capital));
    const codes = [...new Set([...sample('any'), ...sample('odd', odd)].map(({ code }) => code))];
    const { data, errors } = await platform.ask({
      as: 'bank-a',
      query: `query ($codes: [CreditCode!]!) { creditSubjects(codes: $codes) { name marketRegulation { status source { asOf } } } }`,
      variables: { codes },
    });
    expect(errors).toEqual([]);
    for (const { marketRegulation } of data.creditSubjects)
      expect(marketRegulation.status).toMatch(/^(OK|NONE_FOUND)$/);
  });
});
