import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { systemClock } from '../../adapters/clock.ts';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { createOnce, createStore } from '../../adapters/postgres/store.ts';
import { loadCatalogue } from '../../schema/catalogue.ts';
import { sandboxBytes } from '../../schema/keys.ts';
import { createSubjectIds } from '../../schema/subject-id.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import type { RequestScope } from '../define.ts';
import { applyBatch } from './batch.ts';
import { createSubjectLoaders } from './loaders.ts';
import { MIGRATIONS } from './migrations.ts';
import { isNameOf, nameOf } from './persons.ts';
import { toRegisterChange } from './source.ts';
import type { SubjectIndex } from './subject-index.ts';
import { createSubjectIndex } from './subject-index.ts';

const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
const [ZHANG, LI] = ['120101190001010016', '12010419000315002X'] as const;
const [SAMPLE, SECOND] = ['91120101MA9TYN016Y', '91120116MA9TYN024H'] as const;
const sealed = (...names: readonly string[]) =>
  names.map((name) => subjectIds.sealIdentity({ name, citizenId: ZHANG }));

describe('a name', () => {
  it.each([
    ['张样例', true],
    [' 张　样例\t', true],
    ['张样', false],
    ['', false],
    ['〇', false],
  ])('%p belongs to the number of 张样例: %p', (name, belongs) => {
    expect(isNameOf(name, sealed('张样例'), subjectIds)).toBe(belongs);
  });

  it('of another script is the same with whatever dot it is written', () => {
    for (const name of ['阿依·样例', '阿依•样例', '阿依．样例', '阿依・样例'])
      expect(isNameOf(name, sealed('阿依·样例'), subjectIds)).toBe(true);
  });

  it('belongs to nobody where there is nobody, not even that by which nobody is meant', () => {
    for (const name of ['张样例', '〇', '']) expect(isNameOf(name, [], subjectIds)).toBe(false);
  });

  it('may be any of those that the register spells; shown is always the same one', () => {
    const identities = sealed('张样例', '张样例子');
    expect(isNameOf('张样例子', identities, subjectIds)).toBe(true);
    expect(nameOf(identities, subjectIds)).toBe(nameOf([...identities].reverse(), subjectIds));
    expect(nameOf([], subjectIds)).toBeNull();
  });
});

describe('the index of persons', () => {
  let databases: TestDatabases;
  let pool: Pool;
  let index: SubjectIndex;
  const context = { signal: new AbortController().signal, deadline: Infinity };
  beforeEach(async () => {
    databases = createTestDatabases();
    const log = pino({ level: 'silent' });
    pool = createPool({ url: await databases.url('platform'), max: 2, applicationName: 'test', log });
    const prepare = createOnce(() => migrate(pool, 'subjects', MIGRATIONS));
    await prepare();
    index = createSubjectIndex(createStore(pool, 'index', prepare));
  });
  afterEach(async () => {
    await pool.end();
    await databases.close();
  });

  let sequence = 0;
  /** One row of the register, as it stands from now on. */
  async function publish(code: string, representative: readonly [string, string] | null, flag = 'U') {
    sequence += 1;
    const row = {
      anchor: `R${sequence}@1`,
      ROW_ID: `R${sequence}`,
      S_EXT_SEQUENCE: sequence,
      S_EXT_FLAG: flag,
      企业名称: '天津样例有限公司',
      统一社会信用代码: code,
      登记状态: '1',
      法定代表人: representative?.[0] ?? null,
      法定代表人证件号: representative?.[1] ?? null,
      曾用名: null,
    };
    const client = await pool.connect();
    await applyBatch(client, 'registrations', [toRegisterChange(row, subjectIds)], 2, new Date());
    client.release();
  }
  const fill = (asOf = new Date()) =>
    pool.query('UPDATE subjects.fill SET filled_at = now(), is_whole = true, as_of = $1', [asOf]);
  const knows = async (citizenId: string) => {
    const [answer] = await index.persons([subjectIds.ofPerson(citizenId)], context);
    return nameOf(answer?.identities ?? [], subjectIds);
  };

  it('holds whom the register names, however many companies name them, and nobody else', async () => {
    await publish(SAMPLE, ['张样例', ZHANG]);
    await publish(SECOND, ['张样例', ZHANG]);
    await fill();
    const answers = await index.persons(
      [LI, ZHANG, LI].map((one) => subjectIds.ofPerson(one)),
      context,
    );
    expect(answers.map(({ identities }) => identities)).toEqual([[], sealed('张样例'), []]);
  });

  it('forgets a person when the last registration that named them names another, names nobody, or is gone', async () => {
    await publish(SAMPLE, ['张样例', ZHANG]);
    await publish(SECOND, ['张样例', ZHANG]);
    await fill();
    await publish(SAMPLE, ['李样例', LI]);
    expect([await knows(ZHANG), await knows(LI)]).toEqual(['张样例', '李样例']);
    await publish(SECOND, null);
    expect([await knows(ZHANG), await knows(LI)]).toEqual([null, '李样例']);
    await publish(SAMPLE, null, 'D');
    expect([await knows(ZHANG), await knows(LI)]).toEqual([null, null]);
  });

  it('keeps no ID number and no name of a person that can be read', async () => {
    await publish(SAMPLE, ['张样例', ZHANG]);
    const { rows } = await pool.query('SELECT p::text AS row FROM subjects.person p');
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toMatch(/1201011900|样例/);
  });

  it('says nothing of anybody before it is filled, and while the register is read anew', async () => {
    await publish(SAMPLE, ['张样例', ZHANG]);
    await expect(knows(ZHANG)).rejects.toMatchObject({ fault: 'unavailable' });
    await fill();
    await pool.query('UPDATE subjects.fill SET is_whole = false');
    for (const one of [ZHANG, LI]) await expect(knows(one)).rejects.toMatchObject({ fault: 'unavailable' });
  });

  it('that is too old says so of everybody alike: else its age would tell who is in it', async () => {
    await publish(SAMPLE, ['张样例', ZHANG]);
    await fill(new Date(Date.now() - 4 * 86_400_000));
    const scope: RequestScope = {
      principal: { kind: 'bank', id: 'bank-a', purpose: 'LOAN_ORIGINATION', subjects: [] },
      clock: systemClock,
      catalogue: loadCatalogue(`${import.meta.dirname}/catalogue.yaml`),
      subjectIds,
      call: context,
      mayCache: () => {},
      noteRead: () => {},
    };
    const { person } = createSubjectLoaders(index, scope);
    const answers = await person.loadMany([ZHANG, LI].map((one) => subjectIds.ofPerson(one)));
    expect(answers).toEqual([
      expect.objectContaining({ fault: 'unavailable' }),
      expect.objectContaining({ fault: 'unavailable' }),
    ]);
  });

  it('of a platform that had none is made by reading the register again; until then nobody is absent', async () => {
    const other = await databases.url('older');
    const older = createPool({ url: other, max: 1, applicationName: 'test', log: pino({ level: 'silent' }) });
    await migrate(older, 'subjects', MIGRATIONS.slice(0, 1));
    await older.query('UPDATE subjects.fill SET sequence = 9, filled_at = now(), as_of = now()');
    await migrate(older, 'subjects', MIGRATIONS);
    const { rows } = await older.query('SELECT sequence::int, generation, is_whole FROM subjects.fill');
    await older.end();
    expect(rows).toEqual([{ sequence: 0, generation: 2, is_whole: false }]);
  });
});
