import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Principal } from '../../schema/principal.ts';
import { generatePopulation } from '../../simulators/population/registrations.ts';
import { courtRecordsOf } from '../../simulators/courts/records.ts';
import type { Fault } from '../../simulators/simulator.ts';
import type { DepartmentKit, Reply } from '../../tests/kit/department.ts';
import { startDepartment } from '../../tests/kit/department.ts';

const SEED = 'courts';
const POPULATION = generatePopulation({ size: 400, seed: SEED });
const [SAMPLE = ''] = POPULATION.map(({ code }) => code);
const rowsOf = (code: string) => {
  const registration = POPULATION.find((one) => one.code === code);
  return registration ? courtRecordsOf(registration, SEED, Date.now()) : [];
};
const OTHERS = POPULATION.slice(1).map(({ code }) => code);
const of = (test: (rows: ReturnType<typeof rowsOf>) => boolean): string =>
  OTHERS.find((code) => test(rowsOf(code))) ?? 'none';
const isListed = (rows: ReturnType<typeof rowsOf>) =>
  rows.some(({ xxlb, removeDate }) => xxlb === '02' && removeDate === '');
const LISTED = of((rows) => isListed(rows) && rows.length < 10);
const LONG = of((rows) => rows.length > 10);
const REPAIRED = of((rows) => rows.length === 3 && !isListed(rows));
const CLEAN = of((rows) => rows.length === 0);

const SELECTION = `id courts {
  status source { department system asOf catalogueVersion }
  dishonestListings { documentNumber authority legalBasis decidedOn publishedFrom publishedUntil catalogueItem underObjection
    caseNumber court kinds duty performance filedOn }
  consumptionRestrictions { documentNumber caseNumber court filedOn restrictedPerson underObjection }
  enforcementCases { caseNumber court filedOn state amount outstanding terminatedOn }
  judgments { caseNumber court cause role decidedOn documentType link }
  forAssessment { department status findings facts }
}`;
const LISTS = ['dishonestListings', 'consumptionRestrictions', 'enforcementCases', 'judgments'];

let kit: DepartmentKit;
const ask = (...codes: string[]): Promise<Reply> => kit.ask({ codes, selection: SELECTION });
/** One department with a breaker of its own, so that one fault does not answer for the next. */
async function withFault<T>(fault: Fault, run: (broken: DepartmentKit) => Promise<T>): Promise<T> {
  const broken = await startDepartment('courts', {
    population: POPULATION,
    seed: SEED,
    settings: { JINXIN_COURTS_DEADLINE_MS: '400', JINXIN_COURTS_COOL_DOWN_MS: '50' },
  });
  try {
    await broken.simulator.setFault(fault);
    return await run(broken);
  } finally {
    await broken.close();
  }
}

beforeAll(async () => {
  kit = await startDepartment('courts', { population: POPULATION, seed: SEED });
});
afterAll(() => kit.close());

describe('courts', () => {
  it('finds the sample company in court once, as the one who was owed', async () => {
    const { entities, errors } = await ask(SAMPLE);
    expect(errors).toEqual([]);
    expect(entities[0].courts).toMatchObject({
      status: 'OK',
      source: { department: '天津市高级人民法院', asOf: expect.stringMatching(/T06:00:00\+08:00$/) },
      dishonestListings: [],
      consumptionRestrictions: [],
      enforcementCases: [],
      judgments: [{ role: '原告', documentType: '民事判决书' }],
      forAssessment: {
        status: 'OK',
        findings: 0,
        facts: {
          dishonestCount: 0,
          consumptionRestricted: false,
          enforcementOpenCount: 0,
          enforcementAmount: 0,
        },
      },
    });
  });

  it('shows a listed company with all that the courts hold', async () => {
    const { entities, errors } = await ask(LISTED);
    expect(errors).toEqual([]);
    const { courts } = entities[0];
    expect(courts).toMatchObject({
      status: 'OK',
      dishonestListings: [
        {
          documentNumber: expect.stringMatching(/^（\d{4}）津0[123]民初\d+号$/),
          catalogueItem: 'courts.dishonest',
        },
      ],
      consumptionRestrictions: [{ documentNumber: expect.stringMatching(/^（\d{4}）津01\d\d执\d+号$/) }],
      enforcementCases: [{ state: 'IN_PROGRESS' }],
    });
    expect(courts.forAssessment.findings).toBe(2);
  });

  it('says of a company without records that it has none, and of a repaired one the very same', async () => {
    const { entities } = await ask(CLEAN, REPAIRED);
    const [clean, repaired] = entities.map(({ courts }) => ({ ...courts, source: undefined }));
    expect(rowsOf(REPAIRED)).toHaveLength(3);
    expect(clean).toMatchObject({
      status: 'NONE_FOUND',
      dishonestListings: [],
      judgments: [],
      forAssessment: { findings: 0 },
    });
    expect(repaired).toEqual(clean);
  });

  it('asks one question per subject, and one more for each further page', async () => {
    const codes = OTHERS.filter((code) => rowsOf(code).length <= 10).slice(0, 100);
    const before = kit.simulator.calls();
    const { entities } = await ask(...codes, ...codes);
    expect(entities.every(({ courts }) => ['OK', 'NONE_FOUND'].includes(String(courts.status)))).toBe(true);
    expect(kit.simulator.calls() - before).toBe(100);
  });

  it('reads all pages of a subject with more than ten rows', async () => {
    const rows = rowsOf(LONG);
    const before = kit.simulator.calls();
    const { entities } = await ask(LONG);
    expect(entities[0].courts.enforcementCases).toHaveLength(rows.filter(({ xxlb }) => xxlb === '03').length);
    expect(kit.simulator.calls() - before).toBe(Math.ceil(rows.length / 10));
  });

  it('has no block for a person, and asks nobody about one', async () => {
    const before = kit.simulator.calls();
    const id = kit.subjectIds.ofPerson('120101190001010016');
    const { entities } = await kit.ask({
      codes: [SAMPLE],
      selection: 'courts { status }',
      extra: () => ({ id }),
    });
    expect(entities[0].courts).toBeNull();
    expect(kit.simulator.calls()).toBe(before);
  });

  it('may be kept for ten minutes', async () => {
    expect((await ask(SAMPLE)).maxAge).toEqual([600]);
  });

  it('keeps the name of a restricted person from the public', async () => {
    const principal: Principal = { kind: 'public', id: 'anonymous', purpose: 'PUBLIC_QUERY', subjects: [] };
    const selection = (field: string) => `courts { status consumptionRestrictions { ${field} } }`;
    const open = await kit.ask({ codes: [LISTED], principal, selection: selection('documentNumber') });
    expect(open.entities[0].courts.consumptionRestrictions).toHaveLength(1);
    const closed = await kit.ask({ codes: [LISTED], principal, selection: selection('restrictedPerson') });
    expect(closed.entities).toEqual([]);
    expect(closed.errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      item: 'courts.restricted-person',
    });
  });

  it('does not wait for a dead system in order to start', async () => {
    const dead = await startDepartment('courts', {
      population: [],
      settings: { JINXIN_COURTS_URL: 'http://127.0.0.1:1/services' },
    });
    const { entities } = await dead.ask({ codes: [SAMPLE], selection: SELECTION });
    await dead.close();
    expect(entities[0].courts.status).toBe('UNAVAILABLE');
  });
});

describe('broken courts are never clean', () => {
  it.each<[Fault, string]>([
    ['refuse', 'UNAVAILABLE'],
    ['slow', 'TIMEOUT'],
    ['hang', 'TIMEOUT'],
    ['reset', 'UNAVAILABLE'],
    ['truncate', 'UNAVAILABLE'],
    ['garble', 'UNAVAILABLE'],
    ['html', 'UNAVAILABLE'],
    ['oversize', 'UNAVAILABLE'],
    ['wrong-encoding', 'UNAVAILABLE'],
    ['missing-rows', 'UNAVAILABLE'],
    ['error-in-200', 'UNAVAILABLE'],
    ['expired-token', 'UNAVAILABLE'],
    ['schema-drift', 'UNAVAILABLE'],
  ])('with %s a listed company is %s, every list null', async (fault, status) => {
    await withFault(fault, async (broken) => {
      const { entities, errors } = await broken.ask({ codes: [LISTED], selection: SELECTION });
      expect(errors).toEqual([]);
      const { courts } = entities[0];
      expect(courts).toMatchObject({ status, forAssessment: { status, findings: null, facts: null } });
      expect(LISTS.map((list) => courts[list])).toEqual([null, null, null, null]);
      await broken.simulator.setFault(null);
    });
  });

  it('answers the same when rows are sent twice', async () => {
    const whole = await ask(LISTED, LONG, CLEAN);
    const twice = await withFault('duplicate-rows', (broken) =>
      broken.ask({ codes: [LISTED, LONG, CLEAN], selection: SELECTION }),
    );
    expect(twice.entities).toEqual(whole.entities);
  });

  it('drops and counts the row of another subject', async () => {
    const codes = [LISTED, LONG, CLEAN, SAMPLE];
    const whole = await ask(...codes);
    expect(kit.foreignRows()).toBe(0);
    await withFault('foreign-row', async (broken) => {
      const { entities } = await broken.ask({ codes, selection: SELECTION });
      const at = codes.indexOf(CLEAN);
      expect(entities.toSpliced(at, 1)).toEqual(whole.entities.toSpliced(at, 1));
      // Of whom nothing but the stranger's row came: that is not the courts' word that there is nothing.
      expect(whole.entities[at].courts.status).toBe('NONE_FOUND');
      expect(entities[at].courts).toMatchObject({
        status: 'UNAVAILABLE',
        ...Object.fromEntries(LISTS.map((list) => [list, null])),
        forAssessment: { findings: null, facts: null },
      });
      expect(broken.foreignRows()).toBe(codes.length);
    });
  });

  it('answers again once the courts are well', async () => {
    await withFault('reset', async (broken) => {
      for (let time = 0; time < 3; time++)
        await broken.ask({ codes: [LISTED], selection: 'courts { status }' });
      await broken.simulator.setFault(null);
      const { entities } = await broken.ask({ codes: [LISTED], selection: 'courts { status }' });
      expect(entities[0].courts.status).toBe('OK');
    });
  });
});
