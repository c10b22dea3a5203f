/** Every fault of every department: the check is answered, that block says so, and unknown never looks clean. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FAULTS } from '../simulators/simulator.ts';
import type { Platform, PlatformAnswer } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';

/** Department → its block in the graph, and lists of it. */
const BLOCKS = {
  courts: { field: 'courts', lists: ['dishonestListings', 'consumptionRestrictions'] },
  'human-resources': { field: 'humanResources', lists: ['wageArrears'] },
  'market-regulation': { field: 'marketRegulation', lists: ['abnormalOperations', 'seriousViolations'] },
  'public-security': { field: 'publicSecurity', lists: [] },
  tax: { field: 'tax', lists: ['arrears', 'majorViolations'] },
} as const;
type Department = keyof typeof BLOCKS;
const DEPARTMENTS = Object.keys(BLOCKS) as Department[];

const KNOWN = ['OK', 'NONE_FOUND', 'STALE'];
const UNKNOWN = ['UNAVAILABLE', 'TIMEOUT', 'PENDING'];

const QUERY = `query ($code: CreditCode!) {
  creditSubject(code: $code) {
    code
    ${Object.values(BLOCKS)
      .map(
        ({ field, lists }) =>
          `${field} { status ${lists.map((list) => `${list} { __typename }`).join(' ')} }`,
      )
      .join('\n    ')}
  }
  creditCheck(input: { subject: $code }) { completeness assessment { conclusion } sources { department status findings } }
}`;

let platform: Platform;
let next = 1;
beforeAll(async () => {
  const quick = DEPARTMENTS.map((name) => `JINXIN_${name.toUpperCase().replace('-', '_')}`);
  platform = await startPlatform({
    scale: 400,
    environment: {
      JINXIN_SOFT_DEADLINE_MS: '700',
      ...Object.fromEntries(
        quick.flatMap((name) => [
          [`${name}_DEADLINE_MS`, '500'],
          [`${name}_COOL_DOWN_MS`, '20'],
        ]),
      ),
    },
  });
}, 60_000);
afterAll(() => platform.close());

/** Asks about a company that nobody has asked about: nothing is cached. */
const askNew = () =>
  platform.ask({ as: 'bank-a', query: QUERY, variables: { code: platform.population[next++]?.code } });

async function heal(department: Department): Promise<void> {
  await platform.simulators.setFault(department, null);
  for (let attempt = 0; attempt < 50; attempt++) {
    const { data } = await askNew();
    if (KNOWN.includes(data.creditSubject[BLOCKS[department].field].status)) return;
  }
  throw new Error(`${department} did not come back`);
}

function assertHonest({ status, data }: PlatformAnswer, sick: readonly Department[]): void {
  expect(status).toBe(200);
  for (const department of DEPARTMENTS) {
    const { field, lists } = BLOCKS[department];
    const block = data.creditSubject[field];
    if (!sick.includes(department))
      expect({ department, status: block.status }).toEqual({
        department,
        status: expect.stringMatching(KNOWN.join('|')),
      });
    if (UNKNOWN.includes(block.status))
      for (const list of lists) expect({ list, value: block[list] }).toEqual({ list, value: null });
    else
      for (const list of lists)
        expect({ list, isList: Array.isArray(block[list]) }).toEqual({ list, isList: true });
  }
  const { sources, completeness, assessment } = data.creditCheck;
  expect(sources).toHaveLength(DEPARTMENTS.length);
  for (const source of sources) if (UNKNOWN.includes(source.status)) expect(source.findings).toBeNull();
  const known = sources.filter(({ status: said }: { status: string }) => KNOWN.includes(said)).length;
  expect(completeness).toBeCloseTo(known / DEPARTMENTS.length, 5);
  if (known < DEPARTMENTS.length) expect(assessment.conclusion).not.toBe('RECOMMEND');
}

describe.each(DEPARTMENTS)('%s', (department) => {
  it('has its faults answered honestly, and the other departments answer as ever', async () => {
    const { faults } = platform.simulators.get(department);
    expect(faults.length).toBeGreaterThan(0);
    for (const fault of faults) {
      await platform.simulators.setFault(department, fault);
      const answer = await askNew();
      assertHonest(answer, [department]);
      const { status } = answer.data.creditSubject[BLOCKS[department].field];
      if (['refuse', 'garble', 'html', 'reset', 'truncate'].includes(fault))
        expect({ fault, status }).toEqual({ fault, status: 'UNAVAILABLE' });
      if (['hang', 'slow'].includes(fault))
        expect({ fault, status }).toEqual({ fault, status: expect.stringMatching('TIMEOUT|UNAVAILABLE') });
      await heal(department);
    }
  }, 120_000);
});

describe('all departments together', () => {
  it.each(['refuse', 'hang'] as const)(
    'down by %s still make a well-formed answer, complete to 0',
    async (fault) => {
      await Promise.all(DEPARTMENTS.map((department) => platform.simulators.setFault(department, fault)));
      const answer = await askNew();
      for (const department of DEPARTMENTS) await platform.simulators.setFault(department, null);
      assertHonest(answer, DEPARTMENTS);
      expect(answer.data.creditCheck).toMatchObject({
        completeness: 0,
        assessment: { conclusion: 'UNKNOWN' },
      });
      for (const department of DEPARTMENTS) await heal(department);
    },
    60_000,
  );

  it('can have every fault that is known between them', () => {
    const possible = new Set(DEPARTMENTS.flatMap((department) => platform.simulators.get(department).faults));
    expect([...possible].sort()).toEqual([...FAULTS].sort());
  });
});
