import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Principal } from '../../schema/principal.ts';
import type { SubjectRecords } from '../../simulators/market-regulation/records.ts';
import { deregisteredCompanies, recordsOf } from '../../simulators/market-regulation/records.ts';
import { generatePopulation } from '../../simulators/population/registrations.ts';
import type { Fault } from '../../simulators/simulator.ts';
import type { DepartmentKit, Reply } from '../../tests/kit/department.ts';
import { startDepartment } from '../../tests/kit/department.ts';

const SEED = 'market-regulation';
const POPULATION = generatePopulation({ size: 600, seed: SEED });
const [SAMPLE = ''] = POPULATION.map(({ code }) => code);
const TODAY = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);
const RECORDS = POPULATION.map((registration, place) => recordsOf(registration, place, SEED, TODAY));
const of = (test: (records: SubjectRecords) => boolean): string =>
  POPULATION[RECORDS.findIndex(test)]?.code ?? 'none';
const isListed = ({ abnormal }: SubjectRecords) => abnormal.some(({ cells }) => cells['移出日期'] === null);
const LISTED = of(isListed);
const REMOVED = of(
  (records) => records.abnormal.length > 0 && !isListed(records) && records.serious.length === 0,
);
const RENAMED = of(({ registrations }) => registrations.length > 1);
const SPOT_CHECKED = of(({ spotChecks }) => spotChecks.length > 1);
const [FLAGGED = '', GONE = ''] = deregisteredCompanies(POPULATION.length).map(({ code }) => code);
const NOBODY = '91120116MA9TYN024H';

const ADVERSE =
  'documentNumber authority legalBasis decidedOn publishedFrom publishedUntil catalogueItem underObjection';
const SELECTION = `id marketRegulation {
  status source { department system asOf catalogueVersion }
  registration { name formerNames registrationNumber type typeCode capital { amount currency text } establishedOn state
    region { code name } registeredRegion { code name } authority legalRepresentative }
  changes { item before after changedOn authority }
  abnormalOperations { ${ADVERSE} reason }
  seriousViolations { ${ADVERSE} facts }
  spotChecks { planNumber task type authority checkedOn result }
  forAssessment { department status findings facts }
}`;
const PARTS = ['registration', 'changes', 'abnormalOperations', 'seriousViolations', 'spotChecks'];

let kit: DepartmentKit;
const ask = (...codes: string[]): Promise<Reply> => kit.ask({ codes, selection: SELECTION });
/** One department with a breaker of its own, so that one fault does not answer for the next. */
async function withFault<T>(fault: Fault, run: (broken: DepartmentKit) => Promise<T>): Promise<T> {
  const broken = await startDepartment('market-regulation', {
    population: POPULATION,
    seed: SEED,
    settings: { JINXIN_MARKET_REGULATION_DEADLINE_MS: '400', JINXIN_MARKET_REGULATION_COOL_DOWN_MS: '50' },
  });
  try {
    await broken.simulator.setFault(fault);
    return await run(broken);
  } finally {
    await broken.close();
  }
}

beforeAll(async () => {
  kit = await startDepartment('market-regulation', { population: POPULATION, seed: SEED });
});
afterAll(() => kit.close());

describe('market regulation', () => {
  it('knows the sample company as it is registered, without a finding', async () => {
    const { entities, errors } = await ask(SAMPLE);
    expect(errors).toEqual([]);
    expect(entities[0].marketRegulation).toMatchObject({
      status: 'OK',
      source: { department: '天津市市场监督管理委员会', asOf: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T/) },
      registration: {
        name: '天津津信样例（集团）有限公司',
        formerNames: [],
        capital: { amount: 10_000_000, currency: 'CNY', text: '1,000(万元人民币)' },
        establishedOn: '2016-03-01',
        state: 'ACTIVE',
        region: { code: '120101', name: '和平区' },
        registeredRegion: { code: '120101', name: '和平区' },
      },
      changes: [{ item: 'SCOPE' }],
      abnormalOperations: [],
      seriousViolations: [],
      spotChecks: [{ result: 'NOTHING_FOUND' }],
      forAssessment: {
        findings: 0,
        facts: {
          state: 'ACTIVE',
          establishedOn: '2016-03-01',
          abnormalCount: 0,
          seriousCount: 0,
          capital: 10_000_000,
        },
      },
    });
  });

  it('is as of six this morning at the latest, never older than a day', async () => {
    const { entities } = await ask(SAMPLE);
    const age = Date.now() - Date.parse(String(entities[0].marketRegulation.source.asOf));
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThan(86_400_000);
  });

  it('takes the last of the rows that every change adds, and knows the former name', async () => {
    const records = RECORDS.find(({ registrations }) => registrations[0]?.code === RENAMED);
    expect(records?.registrations).toHaveLength(2);
    const { entities } = await ask(RENAMED);
    const [former, current] = records?.registrations.map(({ cells }) => cells['企业名称']) ?? [];
    expect(entities[0].marketRegulation.registration).toMatchObject({ name: current, formerNames: [former] });
    expect(entities[0].marketRegulation.changes).toContainEqual(
      expect.objectContaining({ item: 'NAME', before: former, after: current }),
    );
  });

  it('shows a listing in force with its document, and counts it for the assessment', async () => {
    const { entities } = await ask(LISTED);
    expect(entities[0].marketRegulation).toMatchObject({
      status: 'OK',
      abnormalOperations: [
        {
          documentNumber: expect.stringMatching(/^津市监异列〔\d{4}〕\d+号$/),
          legalBasis: '企业信息公示暂行条例',
          catalogueItem: 'market-regulation.abnormal',
          publishedUntil: null,
        },
      ],
      forAssessment: { findings: 1 },
    });
  });

  it('shows nothing of a listing that was removed', async () => {
    const { entities } = await ask(REMOVED);
    expect(entities[0].marketRegulation).toMatchObject({
      status: 'OK',
      abnormalOperations: [],
      forAssessment: { findings: 0 },
    });
  });

  it('shows the serious listings of the last three years, and not one of before', async () => {
    const serious = RECORDS.flatMap((records) => records.serious);
    const { entities } = await ask(...serious.map(({ code }) => code));
    const limit = `${Number(TODAY.slice(0, 4)) - 3}${TODAY.slice(4)}`;
    const shown = entities.map(({ marketRegulation }) => marketRegulation.seriousViolations.length);
    expect(shown).toEqual(serious.map(({ cells }) => (String(cells['列入日期']) > limit ? 1 : 0)));
    expect(shown).toContain(1);
  });

  it('puts the latest spot check first', async () => {
    const { entities } = await ask(SPOT_CHECKED);
    const dates = entities[0].marketRegulation.spotChecks.map(
      ({ checkedOn }: { checkedOn: string }) => checkedOn,
    );
    expect(dates).toHaveLength(2);
    expect(dates).toEqual([...dates].sort().reverse());
  });

  it('has no registration of a company that is gone from the register, and still knows why', async () => {
    const { entities } = await ask(FLAGGED, GONE);
    for (const { marketRegulation } of entities)
      expect(marketRegulation).toMatchObject({
        status: 'OK',
        registration: null,
        changes: expect.arrayContaining([expect.objectContaining({ item: 'DEREGISTRATION' })]),
        forAssessment: { facts: { state: null, years: null, capital: null } },
      });
  });

  it('says of a code that it never gave that it has nothing', async () => {
    const { entities } = await ask(NOBODY);
    expect(entities[0].marketRegulation).toMatchObject({
      status: 'NONE_FOUND',
      registration: null,
      abnormalOperations: [],
      changes: [],
    });
  });

  it('gives today’s region for an abolished one', async () => {
    const codes = POPULATION.map(({ code }) => code).slice(0, 300);
    const { entities } = await ask(...codes);
    const regions = entities.flatMap(
      ({ marketRegulation: { registration } }) => registration.region?.code ?? [],
    );
    const written = RECORDS.slice(0, 300).flatMap(
      ({ registrations }) => registrations.at(-1)?.cells['行政区划'] ?? [],
    );
    const ABOLISHED = /^120(107|108|109|120|195|2\d\d)$/;
    expect(written.filter((code) => ABOLISHED.test(code)).length).toBeGreaterThan(0);
    expect(regions.filter((code: string) => ABOLISHED.test(code))).toEqual([]);
    expect(regions).toHaveLength(written.length);
  });

  it('asks one statement about a hundred companies', async () => {
    const before = kit.simulator.calls();
    const { entities } = await ask(...POPULATION.slice(0, 100).map(({ code }) => code));
    expect(entities.every(({ marketRegulation }) => marketRegulation.status === 'OK')).toBe(true);
    expect(kit.simulator.calls() - before).toBe(1);
  });

  it('has no block for a person, and asks nobody about one', async () => {
    const before = kit.simulator.calls();
    const id = kit.subjectIds.ofPerson('120101190001010016');
    const { entities } = await kit.ask({
      codes: [SAMPLE],
      selection: 'marketRegulation { status }',
      extra: () => ({ id }),
    });
    expect(entities[0].marketRegulation).toBeNull();
    expect(kit.simulator.calls()).toBe(before);
  });

  it('may be kept for ten minutes', async () => {
    expect((await ask(SAMPLE)).maxAge).toEqual([600]);
  });

  it('keeps the name of a legal representative from an operator', async () => {
    const principal: Principal = { kind: 'operator', id: 'operator', purpose: 'OPERATIONS', subjects: [] };
    const { entities, errors } = await kit.ask({
      codes: [SAMPLE],
      principal,
      selection: 'marketRegulation { registration { legalRepresentative } }',
    });
    expect(entities).toEqual([]);
    expect(errors[0]?.extensions).toMatchObject({
      code: 'FORBIDDEN',
      item: 'market-regulation.legal-representative',
    });
  });

  it('does not wait for a dead system in order to start', async () => {
    const dead = await startDepartment('market-regulation', {
      population: [],
      settings: { JINXIN_MARKET_REGULATION_URL: 'postgres://a:b@127.0.0.1:1/none' },
    });
    const { entities } = await dead.ask({ codes: [SAMPLE], selection: SELECTION });
    await dead.close();
    expect(entities[0].marketRegulation.status).toBe('UNAVAILABLE');
  });
});

describe('a broken register is never clean', () => {
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
    ['expired-token', 'UNAVAILABLE'],
    ['schema-drift', 'UNAVAILABLE'],
  ])('with %s a listed company is %s, and nothing is said of it', async (fault, status) => {
    await withFault(fault, async (broken) => {
      const { entities, errors } = await broken.ask({ codes: [LISTED], selection: SELECTION });
      expect(errors).toEqual([]);
      const { marketRegulation } = entities[0];
      expect(marketRegulation).toMatchObject({
        status,
        forAssessment: { status, findings: null, facts: null },
      });
      expect(PARTS.map((part) => marketRegulation[part])).toEqual([null, null, null, null, null]);
      await broken.simulator.setFault(null);
    });
  });

  it('answers the same when rows are sent twice', async () => {
    const codes = [LISTED, RENAMED, REMOVED, SPOT_CHECKED, NOBODY];
    const whole = await ask(...codes);
    const twice = await withFault('duplicate-rows', (broken) => broken.ask({ codes, selection: SELECTION }));
    expect(twice.entities).toEqual(whole.entities);
  });

  it('drops and counts the row of another subject', async () => {
    const codes = [LISTED, RENAMED, SAMPLE];
    const whole = await ask(...codes);
    expect(kit.foreignRows()).toBe(0);
    await withFault('foreign-row', async (broken) => {
      const { entities } = await broken.ask({ codes, selection: SELECTION });
      expect(entities).toEqual(whole.entities);
      expect(broken.foreignRows()).toBe(codes.length);
    });
  });

  it.each<Fault>(['reset', 'hang', 'expired-token', 'schema-drift'])(
    'answers again after %s',
    async (fault) => {
      await withFault(fault, async (broken) => {
        for (let time = 0; time < 2; time++)
          await broken.ask({ codes: [LISTED], selection: 'marketRegulation { status }' });
        await broken.simulator.setFault(null);
        const { entities } = await broken.ask({ codes: [LISTED], selection: 'marketRegulation { status }' });
        expect(entities[0].marketRegulation.status).toBe('OK');
      });
    },
  );
});
