import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Clock } from '../../adapters/clock.ts';
import { createClock } from '../../adapters/clock.ts';
import { toSubgraphSdl } from '../../schema/compose.ts';
import type { Principal } from '../../schema/principal.ts';
import { legalRepresentativeOf } from '../../simulators/population/people.ts';
import { generatePopulation } from '../../simulators/population/registrations.ts';
import { createRegister } from '../../simulators/public-security/register.ts';
import type { Fault } from '../../simulators/simulator.ts';
import type { DepartmentKit, Reply } from '../../tests/kit/department.ts';
import { startDepartment } from '../../tests/kit/department.ts';
import { toResult } from './source.ts';

const SEED = 'public-security';
const POPULATION = generatePopulation({ size: 400, seed: SEED });
const [SAMPLE = '', ...OTHERS] = POPULATION.map(({ code }) => code);
const register = createRegister(SEED, POPULATION[0]);
const truthOf = (code: string) => {
  const { name, citizenId } = legalRepresentativeOf(code, SEED);
  return register.verdictOf(name, citizenId);
};
const [MATCHING, DIFFERING, MISSING] = (['00', '01', '02'] as const).map(
  (verdict) => OTHERS.find((code) => truthOf(code) === verdict) ?? 'none',
) as [string, string, string];

const SELECTION = `publicSecurity { status source { department system asOf } legalRepresentativeCheck
  forAssessment { department status findings facts } }`;

let kit: DepartmentKit;

interface Options {
  readonly latencyMs?: number;
  readonly clock?: Clock;
  readonly settings?: Readonly<Record<string, string>>;
}

/** One department with a breaker of its own, so that one case does not answer for the next. */
async function withDepartment<T>(options: Options, run: (own: DepartmentKit) => Promise<T>): Promise<T> {
  const own = await startDepartment('public-security', {
    population: POPULATION,
    seed: SEED,
    ...options,
    settings: {
      JINXIN_PUBLIC_SECURITY_DEADLINE_MS: '500',
      JINXIN_PUBLIC_SECURITY_COOL_DOWN_MS: '50',
      ...options.settings,
    },
  });
  try {
    return await run(own);
  } finally {
    await own.close();
  }
}

/** As the gateway asks: each subject with its representative's identity, sealed by the register of companies. */
function askOf(department: DepartmentKit, codes: readonly string[], selection = SELECTION): Promise<Reply> {
  const seal = (code: string) => department.subjectIds.sealIdentity(legalRepresentativeOf(code, SEED));
  const extra = (code: string) => ({ legalRepresentativeIdentity: seal(code) });
  return department.ask({ codes, selection, extra });
}

beforeAll(async () => {
  kit = await startDepartment('public-security', { population: POPULATION, seed: SEED });
});
afterAll(() => kit.close());

describe('public security', () => {
  it('confirms the representative of the sample company', async () => {
    const { entities, errors, maxAge } = await askOf(kit, [SAMPLE]);
    expect(errors).toEqual([]);
    expect(entities[0].publicSecurity).toEqual({
      status: 'OK',
      source: {
        department: '天津市公安局',
        system: '公安实名核验边界接入服务',
        asOf: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      },
      legalRepresentativeCheck: 'MATCH',
      forAssessment: {
        department: 'public-security',
        status: 'OK',
        findings: 0,
        facts: { verdict: 'MATCH' },
      },
    });
    expect(maxAge).toEqual([600]);
  });

  it('gives each company the verdict on its own representative', async () => {
    const { entities } = await askOf(kit, [MISSING, MATCHING, DIFFERING]);
    const blocks = entities.map(({ publicSecurity }) => publicSecurity);
    expect(blocks.map((block) => block.legalRepresentativeCheck)).toEqual(['NOT_FOUND', 'MATCH', 'MISMATCH']);
    expect(blocks.map((block) => block.forAssessment.findings)).toEqual([1, 0, 1]);
    expect(blocks.map((block) => block.status)).toEqual(['OK', 'OK', 'OK']);
  });

  it('asks one question per subject, whatever is selected and however often', async () => {
    const codes = OTHERS.slice(0, 50);
    const before = kit.simulator.calls();
    const { entities } = await askOf(kit, [...codes, ...codes]);
    expect(entities).toHaveLength(100);
    expect(entities.filter(({ publicSecurity }) => publicSecurity.status !== 'OK')).toEqual([]);
    expect(kit.simulator.calls() - before).toBe(50);
  });

  it('could not find out about a representative who is not known, and asks nobody', async () => {
    const before = kit.simulator.calls();
    const sealedElsewhere = 'P1-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
    // An id is no identity: the seal says what it is for.
    const asIdentity = kit.subjectIds.ofPerson('120101190001010016');
    for (const legalRepresentativeIdentity of [null, undefined, sealedElsewhere, asIdentity]) {
      const extra = () => ({ legalRepresentativeIdentity });
      const { entities, errors } = await kit.ask({ codes: [SAMPLE], selection: SELECTION, extra });
      expect(errors).toEqual([]);
      expect(entities[0].publicSecurity).toMatchObject({
        status: 'UNAVAILABLE',
        legalRepresentativeCheck: null,
        forAssessment: { status: 'UNAVAILABLE', findings: null, facts: null },
      });
    }
    expect(kit.simulator.calls()).toBe(before);
  });

  it('has no block for a person as a subject, and asks nobody', async () => {
    const before = kit.simulator.calls();
    const extra = (code: string) => ({
      id: kit.subjectIds.ofPerson('120101190001010016'),
      legalRepresentativeIdentity: kit.subjectIds.sealIdentity(legalRepresentativeOf(code, SEED)),
    });
    const { entities } = await kit.ask({ codes: [SAMPLE], selection: 'publicSecurity { status }', extra });
    expect(entities[0].publicSecurity).toBeNull();
    expect(kit.simulator.calls()).toBe(before);
  });

  it('does not wait for a dead system in order to start', async () => {
    const settings = { JINXIN_PUBLIC_SECURITY_URL: 'http://127.0.0.1:1' };
    await withDepartment({ settings }, async (dead) => {
      const { entities } = await askOf(dead, [SAMPLE]);
      expect(entities[0].publicSecurity.status).toBe('UNAVAILABLE');
    });
  });
});

describe('a verdict that takes its time', () => {
  it('is PENDING, not a timeout, and is picked up later without a second question', async () => {
    const settings = { JINXIN_PUBLIC_SECURITY_DEADLINE_MS: '1000' };
    await withDepartment({ latencyMs: 2_500, settings }, async (slow) => {
      const first = await askOf(slow, [DIFFERING]);
      expect(first.entities[0].publicSecurity).toMatchObject({
        status: 'PENDING',
        source: { asOf: null },
        legalRepresentativeCheck: null,
        forAssessment: { status: 'PENDING', findings: null, facts: null },
      });
      expect(first.maxAge.filter((seconds) => seconds > 0)).toEqual([]);
      let last = first.entities[0].publicSecurity;
      for (let time = 0; time < 20 && last.status === 'PENDING'; time++)
        last = (await askOf(slow, [DIFFERING])).entities[0].publicSecurity;
      expect(last).toMatchObject({ status: 'OK', legalRepresentativeCheck: 'MISMATCH' });
      expect(slow.simulator.calls()).toBe(1);
    });
  });

  it('is not asked for outside the hours of the gateway', async () => {
    const settings = { JINXIN_PUBLIC_SECURITY_WINDOW: '08:30-17:30' };
    const at = (time: string) => createClock(1, Date.parse(`2026-03-02T${time}+08:00`));
    const outcomes = [];
    for (const time of ['08:29:00', '08:30:00', '17:28:00', '17:30:00'])
      outcomes.push(
        await withDepartment({ clock: at(time), settings }, async (own) => {
          const { entities } = await askOf(own, [SAMPLE]);
          return [time, entities[0].publicSecurity.status, own.simulator.calls()];
        }),
      );
    expect(outcomes).toEqual([
      ['08:29:00', 'UNAVAILABLE', 0],
      ['08:30:00', 'OK', 1],
      ['17:28:00', 'OK', 1],
      ['17:30:00', 'UNAVAILABLE', 0],
    ]);
  });

  it('is not asked for beyond the quota of the day', async () => {
    const settings = { JINXIN_PUBLIC_SECURITY_DAILY_QUOTA: '2' };
    await withDepartment({ settings }, async (own) => {
      const { entities } = await askOf(own, OTHERS.slice(0, 5));
      const statuses = entities.map(({ publicSecurity }) => String(publicSecurity.status)).sort();
      expect(statuses).toEqual(['OK', 'OK', 'UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE']);
      expect(own.simulator.calls()).toBe(2);
    });
  });

  it.each(['8:30-17:30', '08:30', '24:00-25:00', 'always', ''])(
    'has no hours such as "%s"',
    async (hours) => {
      const start = withDepartment({ settings: { JINXIN_PUBLIC_SECURITY_WINDOW: hours } }, () =>
        Promise.resolve(),
      );
      await expect(start).rejects.toThrow(/JINXIN_PUBLIC_SECURITY_WINDOW/);
    },
  );
});

describe('a broken public security bureau confirms nobody', () => {
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
    ['error-in-200', 'UNAVAILABLE'],
    ['expired-token', 'UNAVAILABLE'],
    ['schema-drift', 'UNAVAILABLE'],
  ])('with %s the check is %s, without a verdict', async (fault, status) => {
    await withDepartment({}, async (broken) => {
      await broken.simulator.setFault(fault);
      const { entities, errors } = await askOf(broken, [MATCHING]);
      expect(errors).toEqual([]);
      expect(entities[0].publicSecurity).toMatchObject({
        status,
        legalRepresentativeCheck: null,
        forAssessment: { status, findings: null, facts: null },
      });
      await broken.simulator.setFault(null);
      // The breaker has seen one failure: the next one is asked.
      expect((await askOf(broken, [MATCHING])).entities[0].publicSecurity.status).toBe('OK');
    });
  });

  it('drops and counts the answer to somebody else’s question, good as it looks', async () => {
    await withDepartment({}, async (broken) => {
      await broken.simulator.setFault('foreign-row');
      const { entities } = await askOf(broken, [DIFFERING, MISSING]);
      expect(broken.foreignRows()).toBe(2);
      for (const { publicSecurity } of entities)
        expect(publicSecurity).toMatchObject({ status: 'UNAVAILABLE', legalRepresentativeCheck: null });
    });
  });

  it.each(['duplicate-rows', 'missing-rows'] as const)(
    'cannot have %s: an answer has no rows',
    async (fault) => {
      await expect(kit.simulator.setFault(fault)).rejects.toThrow(fault);
    },
  );
});

describe('who may know the verdict', () => {
  const principals: readonly [string, boolean, Principal][] = [
    ['a bank that grants a loan', true, { kind: 'bank', id: 'b', purpose: 'LOAN_ORIGINATION', subjects: [] }],
    [
      'a bank that watches a loan',
      false,
      { kind: 'bank', id: 'b', purpose: 'LOAN_MONITORING', subjects: [] },
    ],
    ['the company', true, { kind: 'subject', id: 's', purpose: 'SELF_ACCESS', subjects: [] }],
    ['the public', false, { kind: 'public', id: 'anonymous', purpose: 'PUBLIC_QUERY', subjects: [] }],
    ['a partner region', false, { kind: 'partner', id: 'p', purpose: 'REGIONAL_EXCHANGE', subjects: [] }],
    ['an operator', false, { kind: 'operator', id: 'o', purpose: 'OPERATIONS', subjects: [] }],
    ['an auditor', false, { kind: 'auditor', id: 'a', purpose: 'AUDIT', subjects: [] }],
    ...(['public-security', 'market-regulation', 'tax', 'courts'] as const).map(
      (department): [string, boolean, Principal] => [
        `an officer of ${department}`,
        ['public-security', 'market-regulation'].includes(department),
        { kind: 'department', id: 'o', department, purpose: 'OFFICIAL_DUTY', subjects: [] },
      ],
    ),
  ];

  it.each(principals)('%s: %s, by the department’s own catalogue', async (_, mayKnow, principal) => {
    const before = kit.simulator.calls();
    const extra = (code: string) => ({
      legalRepresentativeIdentity: kit.subjectIds.sealIdentity(legalRepresentativeOf(code, SEED)),
    });
    for (const field of ['legalRepresentativeCheck', 'status']) {
      const selection = `publicSecurity { ${field} }`;
      const { entities, errors } = await kit.ask({ codes: [SAMPLE], selection, principal, extra });
      expect(entities.length > 0).toBe(mayKnow);
      expect(errors.map(({ extensions }) => extensions?.['code'])).toEqual(mayKnow ? [] : ['FORBIDDEN']);
    }
    expect(kit.simulator.calls() - before).toBe(mayKnow ? 2 : 0);
  });

  it('and nobody may know anything else: there is nothing else', () => {
    const sdl = toSubgraphSdl(readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8'));
    const [block = ''] = /type PublicSecurityRecord [^{]*\{[^}]*\}/.exec(sdl) ?? [];
    expect([...block.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name)).toEqual([
      'status',
      'source',
      'legalRepresentativeCheck',
      'forAssessment',
    ]);
  });
});

describe('verdict codes', () => {
  const answers = JSON.parse(
    readFileSync(new URL('./fixtures/answers.json', import.meta.url), 'utf8'),
  ) as readonly { verdict: string; answeredAt: string }[];
  const reference = 'a'.repeat(64);
  const resultOf = (verdict: string, asOf: string | null = null) =>
    toResult({ rows: [{ state: 'DECIDED', reference, verdict }], asOf }, reference, () => {});

  it.each(answers.map((answer, at) => [answer, ['MATCH', 'MISMATCH', 'NOT_FOUND'][at]] as const))(
    '%j is %s',
    ({ verdict, answeredAt }, expected) => {
      expect(resultOf(verdict, answeredAt)).toEqual({
        found: true,
        facts: { legalRepresentativeCheck: expected },
        asOf: answeredAt,
      });
    },
  );

  it.each(['03', '0', '', 'MATCH', 'constructor'])('that are not known say nothing: "%s"', (verdict) => {
    expect(() => resultOf(verdict)).toThrow(expect.objectContaining({ fault: 'malformed' }));
  });
});
