import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Principal } from '../../schema/principal.ts';
import { humanResourcesRecordsOf } from '../../simulators/human-resources/records.ts';
import { generatePopulation } from '../../simulators/population/registrations.ts';
import type { Fault } from '../../simulators/simulator.ts';
import type { DepartmentKit, Reply } from '../../tests/kit/department.ts';
import { startDepartment } from '../../tests/kit/department.ts';

const SEED = 'human-resources';
const POPULATION = generatePopulation({ size: 400, seed: SEED });
const [SAMPLE = '', ...OTHERS] = POPULATION.map(({ code }) => code);
const rowsOf = (code: string) => {
  const registration = POPULATION.find((one) => one.code === code);
  return registration ? humanResourcesRecordsOf(registration, SEED, Date.now()) : [];
};
type Rows = ReturnType<typeof rowsOf>;
const of = (test: (rows: Rows) => boolean): string => OTHERS.find((code) => test(rowsOf(code))) ?? 'none';
const daysSince = (plain = '') =>
  (Date.now() - Date.parse(plain.replace(/^(....)(..)(..)$/, '$1-$2-$3'))) / 86_400_000;
const listing = (rows: Rows) => rows.find(({ YWLB }) => YWLB === '2');
const isListed = (rows: Rows) => listing(rows)?.['YCRQ'] === '' && daysSince(listing(rows)?.['LRRQ']) < 1_000;
const LISTED = of(isListed);
const REPAIRED = of((rows) => Boolean(listing(rows)?.['YCRQ']));
const OWING = of((rows) => rows.length === 3 && rows[0]?.['AAE114'] === '1');
const UNKNOWN = of((rows) => rows.length === 0);

const BLOCK = `insuredCountBand continuousMonths hasSocialInsuranceArrears
  insurances { kind state paidThrough payment }
  wageArrears { documentNumber authority legalBasis decidedOn publishedFrom publishedUntil catalogueItem underObjection
    workers amount responsiblePerson }`;
const SELECTION = `humanResources { status source { department system asOf catalogueVersion } ${BLOCK}
  forAssessment { department status findings facts } }`;
const OFFICER: Principal = {
  kind: 'department',
  id: 'officer',
  department: 'human-resources',
  purpose: 'OFFICIAL_DUTY',
  subjects: [],
};

let kit: DepartmentKit;
const ask = (...codes: string[]): Promise<Reply> => kit.ask({ codes, selection: SELECTION });

/** One department with throttle and breaker of its own, so that one case does not answer for the next. */
async function withDepartment<T>(run: (own: DepartmentKit) => Promise<T>, deadlineMs = 400): Promise<T> {
  const own = await startDepartment('human-resources', {
    population: POPULATION,
    seed: SEED,
    softDeadlineMs: 20_000,
    settings: {
      JINXIN_HUMAN_RESOURCES_DEADLINE_MS: String(deadlineMs),
      JINXIN_HUMAN_RESOURCES_COOL_DOWN_MS: '50',
    },
  });
  try {
    return await run(own);
  } finally {
    await own.close();
  }
}

async function withFault<T>(fault: Fault, run: (broken: DepartmentKit) => Promise<T>): Promise<T> {
  return withDepartment(async (broken) => {
    await broken.simulator.setFault(fault);
    return run(broken);
  });
}

beforeAll(async () => {
  kit = await startDepartment('human-resources', {
    population: POPULATION,
    seed: SEED,
    softDeadlineMs: 20_000,
    // Every case here asks in turn; what the throttle does has cases of its own.
    settings: { JINXIN_HUMAN_RESOURCES_DEADLINE_MS: '10000' },
  });
});
afterAll(() => kit.close());

describe('human resources', () => {
  it('finds the sample company paying for all its people', async () => {
    const { entities, errors } = await ask(SAMPLE);
    expect(errors).toEqual([]);
    expect(entities[0].humanResources).toMatchObject({
      status: 'OK',
      source: { department: '天津市人力资源和社会保障局', asOf: expect.stringMatching(/T06:00:00\+08:00$/) },
      insuredCountBand: 'FROM_50_TO_99',
      continuousMonths: 60,
      hasSocialInsuranceArrears: false,
      wageArrears: [],
      forAssessment: {
        status: 'OK',
        findings: 0,
        facts: {
          insuredCount: 86,
          continuousMonths: 60,
          socialInsuranceArrears: false,
          wageArrearsListed: false,
        },
      },
    });
  });

  it('shows a listed employer with the document that the listing rests on', async () => {
    const { entities } = await ask(LISTED);
    expect(entities[0].humanResources.wageArrears).toMatchObject([
      {
        documentNumber: expect.stringMatching(/^津人社监列字〔\d{4}〕第\d{4}号$/),
        catalogueItem: 'human-resources.wage-arrears',
        workers: expect.any(Number),
      },
    ]);
    expect(entities[0].humanResources.forAssessment.findings).toBeGreaterThanOrEqual(1);
  });

  it('says who owes contributions', async () => {
    const { entities } = await ask(OWING);
    expect(entities[0].humanResources).toMatchObject({
      hasSocialInsuranceArrears: true,
      wageArrears: [],
      forAssessment: { findings: 1, facts: { socialInsuranceArrears: true } },
    });
  });

  it('shows nothing of a listing that was repaired', async () => {
    const { entities } = await ask(REPAIRED);
    expect(entities[0].humanResources).toMatchObject({ status: 'OK', wageArrears: [] });
    expect(entities[0].humanResources.forAssessment.facts.wageArrearsListed).toBe(false);
  });

  it('says of an employer without records that it has none', async () => {
    const { entities } = await ask(UNKNOWN);
    expect(entities[0].humanResources).toMatchObject({
      status: 'NONE_FOUND',
      insuredCountBand: null,
      hasSocialInsuranceArrears: null,
      insurances: [],
      wageArrears: [],
      forAssessment: { findings: 0, facts: { insuredCount: null, wageArrearsListed: false } },
    });
  });

  it('asks once for an employer, however often and whatever is asked of it', async () => {
    const codes = OTHERS.slice(0, 4);
    const before = kit.simulator.calls();
    const { entities } = await ask(...codes, ...codes);
    expect(entities).toHaveLength(8);
    expect(kit.simulator.calls() - before).toBe(4);
  });

  it('has no block for a person, and asks nobody about one', async () => {
    const before = kit.simulator.calls();
    const id = kit.subjectIds.ofPerson('120101190001010016');
    const selection = 'humanResources { status }';
    const { entities } = await kit.ask({ codes: [SAMPLE], selection, extra: () => ({ id }) });
    expect(entities[0].humanResources).toBeNull();
    expect(kit.simulator.calls()).toBe(before);
  });

  it('may be kept for ten minutes', async () => {
    expect((await ask(SAMPLE)).maxAge).toEqual([600]);
  });

  it('shows a bank the band of the people insured, and the figure to an officer', async () => {
    const selection = 'humanResources { insuredCount }';
    const bank = await kit.ask({ codes: [SAMPLE], selection });
    expect(bank.entities).toEqual([]);
    expect(bank.errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      item: 'human-resources.insured-count',
    });
    const officer = await kit.ask({ codes: [SAMPLE], selection, principal: OFFICER });
    expect(officer.entities[0].humanResources.insuredCount).toBe(86);
  });

  it('shows everybody who is listed, but not the person', async () => {
    const principal: Principal = { kind: 'public', id: 'anonymous', purpose: 'PUBLIC_QUERY', subjects: [] };
    const list = (field: string) => ({
      codes: [LISTED],
      principal,
      selection: `humanResources { status wageArrears { ${field} } }`,
    });
    expect((await kit.ask(list('documentNumber'))).entities[0].humanResources.wageArrears).toHaveLength(1);
    expect((await kit.ask(list('responsiblePerson'))).errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
    });
  });

  it('does not wait for a dead system in order to start', async () => {
    const dead = await startDepartment('human-resources', {
      population: [],
      settings: { JINXIN_HUMAN_RESOURCES_URL: 'http://127.0.0.1:1/api' },
    });
    const { entities } = await dead.ask({ codes: [SAMPLE], selection: SELECTION });
    await dead.close();
    expect(entities[0].humanResources.status).toBe('UNAVAILABLE');
  });
});

describe('five calls a second', () => {
  it('are kept to, and nobody is turned away by the department', async () => {
    await withDepartment(async (own) => {
      const codes = OTHERS.slice(0, 12);
      const { entities } = await own.ask({ codes, selection: 'humanResources { status }' });
      expect(
        entities.filter(({ humanResources }) => !/^(OK|NONE_FOUND)$/.test(humanResources.status)),
      ).toEqual([]);
      expect(own.simulator.calls()).toBe(12);
    }, 15_000);
  });

  it('leave those beyond the deadline in time, unknown and not clean, without a call', async () => {
    await withDepartment(async (own) => {
      const { entities } = await own.ask({ codes: OTHERS.slice(0, 40), selection: SELECTION });
      const late = entities.filter(({ humanResources }) => humanResources.status === 'TIMEOUT');
      expect(late.length).toBeGreaterThanOrEqual(20);
      expect(late.filter(({ humanResources }) => humanResources.wageArrears !== null)).toEqual([]);
      expect(own.simulator.calls()).toBeLessThanOrEqual(40 - late.length + 1);
    }, 1_000);
  });
});

describe('a broken human resources bureau is never clean', () => {
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
  ])('with %s a listed employer is %s, every fact null', async (fault, status) => {
    await withFault(fault, async (broken) => {
      const { entities, errors, maxAge } = await broken.ask({ codes: [LISTED], selection: SELECTION });
      expect(errors).toEqual([]);
      expect(entities[0].humanResources).toMatchObject({
        status,
        insuredCountBand: null,
        continuousMonths: null,
        hasSocialInsuranceArrears: null,
        insurances: null,
        wageArrears: null,
        forAssessment: { status, findings: null, facts: null },
      });
      expect(maxAge.filter((seconds) => seconds > 0)).toEqual([]);
    });
  });

  it('answers the same when rows are sent twice', async () => {
    const codes = [LISTED, OWING, UNKNOWN];
    const whole = await ask(...codes);
    const twice = await withFault('duplicate-rows', (broken) => broken.ask({ codes, selection: SELECTION }));
    expect(twice.entities).toEqual(whole.entities);
  });

  it('drops and counts the row of another employer', async () => {
    const codes = [LISTED, UNKNOWN, SAMPLE];
    const whole = await ask(...codes);
    expect(kit.foreignRows()).toBe(0);
    await withFault('foreign-row', async (broken) => {
      const { entities } = await broken.ask({ codes, selection: SELECTION });
      const at = codes.indexOf(UNKNOWN);
      expect(entities.toSpliced(at, 1)).toEqual(whole.entities.toSpliced(at, 1));
      // Of whom nothing but the stranger's row came: that is not the bureau's word that there is nothing.
      expect(whole.entities[at].humanResources.status).toBe('NONE_FOUND');
      expect(entities[at].humanResources).toMatchObject({ status: 'UNAVAILABLE', wageArrears: null });
      expect(broken.foreignRows()).toBe(codes.length);
    });
  });

  it('answers again once the bureau is well', async () => {
    await withFault('garble', async (broken) => {
      const question = { codes: [LISTED], selection: 'humanResources { status }' };
      for (let time = 0; time < 3; time++) await broken.ask(question);
      await broken.simulator.setFault(null);
      expect((await broken.ask(question)).entities[0].humanResources.status).toBe('OK');
    });
  });
});
