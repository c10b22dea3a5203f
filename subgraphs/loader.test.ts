import { describe, expect, it } from '@jest/globals';
import { createClock } from '../adapters/clock.ts';
import type { DepartmentCatalogue } from '../schema/catalogue.ts';
import { parseCatalogue } from '../schema/catalogue.ts';
import { sandboxBytes } from '../schema/keys.ts';
import { createSubjectIds } from '../schema/subject-id.ts';
import type { RequestScope } from './define.ts';
import { createAnswerLoader, toFoundWithout } from './loader.ts';

const NOW = Date.parse('2026-11-24T10:00:00+08:00');
const ID = 'O-91120101MA9TYN016Y';
const catalogue = parseCatalogue(
  {
    department: 'tax',
    name: { zh: '税务', en: 'Tax' },
    version: '1',
    updateCycle: 'P1D',
    maxAge: 'PT10M',
    staleAfter: 'P3D',
    items: [
      {
        id: 'tax.item',
        name: { zh: '项', en: 'Item' },
        category: 'administrative',
        publicity: 'PUBLIC',
        sharing: 'UNCONDITIONAL',
        basis: ['test'],
        sensitivity: 'L1',
        retention: 'P1D',
      },
    ],
  },
  'loader.test.ts',
);

async function answerOf(asOf: string | null, found: boolean, of: DepartmentCatalogue = catalogue, now = NOW) {
  const kept: number[] = [];
  const clock = createClock(1, now);
  const scope: RequestScope = {
    principal: { kind: 'public', id: 'public', purpose: 'PUBLIC_QUERY', subjects: [] },
    clock,
    catalogue: of,
    subjectIds: createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]])),
    call: { signal: new AbortController().signal, deadline: NOW + 1_000 },
    mayCache: (_id, seconds) => void kept.push(seconds),
    noteRead: () => {},
  };
  const loader = createAnswerLoader(scope, {
    system: 'test',
    serves: ['ORGANISATION'],
    read: () => Promise.resolve([{ found, facts: {}, asOf }]),
  });
  return { status: (await loader.load(ID))?.status, kept };
}

describe('the age of an answer', () => {
  it.each([
    ['fresh', '2026-11-22T00:00:00+08:00', true, { status: 'OK', kept: [600] }],
    ['fresh and empty', '2026-11-22T00:00:00+08:00', false, { status: 'NONE_FOUND', kept: [60] }],
    ['past its update cycle', '2026-11-21T00:00:00+08:00', true, { status: 'STALE', kept: [0] }],
    ['past it and empty', '2026-11-21T00:00:00+08:00', false, { status: 'STALE', kept: [0] }],
    ['not said', null, true, { status: 'STALE', kept: [0] }],
    ['not said, and empty', null, false, { status: 'STALE', kept: [0] }],
    ['no moment at all', 'yesterday', false, { status: 'STALE', kept: [0] }],
  ])('that is %s', async (_, asOf, found, expected) => {
    expect(await answerOf(asOf, found)).toEqual(expected);
  });

  it('is kept to the end of the day in China at most, with which publications end', async () => {
    const late = Date.parse('2026-11-24T23:59:30+08:00');
    const { kept } = await answerOf('2026-11-24T00:00:00+08:00', true, catalogue, late);
    expect(kept.every((seconds) => seconds > 0 && seconds <= 30)).toBe(true);
    expect(kept).toHaveLength(1);
  });

  it('is not asked of a department that never says as of when', async () => {
    const { staleAfter: _, ...silent } = catalogue;
    expect(await answerOf(null, false, silent)).toEqual({ status: 'NONE_FOUND', kept: [60] });
  });

  it('lets it be kept no longer than until it would be called stale', async () => {
    const almost = new Date(NOW - (catalogue.staleAfter ?? 0) * 1_000 + 7_500).toISOString();
    const { status, kept } = await answerOf(almost, true);
    expect([status, kept]).toEqual(['OK', [7]]);
  });

  it('lets the department say for how long nothing is kept', async () => {
    const patient = { ...catalogue, maxAgeOfNothing: 300 };
    const eager = { ...catalogue, maxAgeOfNothing: 3_600 };
    const asOf = '2026-11-22T00:00:00+08:00';
    expect((await answerOf(asOf, false, patient)).kept).toEqual([300]);
    expect((await answerOf(asOf, false, eager)).kept).toEqual([600]);
  });
});

describe('an answer from which rows were left out', () => {
  const found = { found: false, facts: {}, asOf: null };
  it.each([
    ['nothing was left out', { own: 0, foreign: 0, undocumented: 0 }, found],
    ['a stranger’s row stood beside its own', { own: 1, foreign: 1, undocumented: 0 }, found],
    ['only a stranger’s row came', { own: 0, foreign: 1, undocumented: 0 }, { fault: 'malformed' }],
    ['a listing in force has no document', { own: 3, foreign: 0, undocumented: 1 }, { fault: 'malformed' }],
  ])('where %s', (_, left, expected) => {
    expect(toFoundWithout('test', found, left)).toMatchObject(expected);
  });
});
