import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { pino } from 'pino';
import { systemClock } from '../../adapters/clock.ts';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { createPostgresAdapter } from '../../adapters/sql/postgres.ts';
import { sandboxBytes } from '../../schema/keys.ts';
import { createSubjectIds } from '../../schema/subject-id.ts';
import { generatePopulation } from '../../simulators/population/registrations.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import simulator from '../../simulators/market-regulation/simulator.ts';
import type { RunningSimulator } from '../../simulators/simulator.ts';
import { MIGRATIONS } from './migrations.ts';
import { createOnce, createStore } from '../../adapters/postgres/store.ts';
import { createSubjectIndex } from './subject-index.ts';
import type { SyncOptions } from './sync.ts';
import { syncOnce } from './sync.ts';

const log = pino({ level: 'silent' });
const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
const never = new AbortController().signal;
/** More than two batches, and an end that is not the end of a batch. */
const population = generatePopulation({ size: 8_000, seed: 'sync' });

type Replica = SyncOptions & {
  readonly quarantined: () => number;
  readonly announced: readonly (readonly string[] | null)[];
};

function createReplica(exchangeUrl: string, platformUrl: string): Replica {
  let quarantined = 0;
  const announced: (readonly string[] | null)[] = [];
  const pool = createPool({ url: platformUrl, max: 1, applicationName: 'test', log });
  return {
    exchange: createPostgresAdapter({ system: 'exchange', url: exchangeUrl, poolSize: 1 }),
    pool,
    prepare: createOnce(() => migrate(pool, 'subjects', MIGRATIONS)),
    everyMs: 1,
    subjectIds,
    clock: systemClock,
    observer: { quarantined: (_, count) => (quarantined += count) },
    announce: (subjects) => announced.push(subjects),
    announced,
    log,
    quarantined: () => quarantined,
  };
}

describe('filling the index', () => {
  let databases: TestDatabases;
  let exchange: pg.Client;
  let replicas: readonly [Replica, Replica];

  beforeEach(async () => {
    databases = createTestDatabases();
    const exchangeUrl = await databases.url('exchange');
    const platformUrl = await databases.url('platform');
    exchange = new pg.Client({ connectionString: exchangeUrl });
    await exchange.connect();
    await exchange.query(`CREATE TABLE "v_企业登记" ("ROW_ID" text, "S_EXT_SEQUENCE" bigint PRIMARY KEY, "S_EXT_TIMESTAMP" timestamptz, "S_EXT_FLAG" text,
      "企业名称" text, "统一社会信用代码" text, "登记状态" text, "法定代表人" text, "法定代表人证件号" text, "曾用名" text)`);
    await exchange.query(
      `CREATE VIEW "v_对账" AS SELECT 'v_企业登记' AS "视图", "统一社会信用代码", count(*) AS "行数" FROM "v_企业登记" GROUP BY 2`,
    );
    await exchange.query(`CREATE TABLE "v_批次" AS SELECT now() AS "数据时点"`);
    await exchange.query(
      `INSERT INTO "v_企业登记" SELECT 'R' || at, at, now(), 'I', name, code, '1', NULL, NULL, NULL
       FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS registered (name, code, at)`,
      [
        population.map(({ name }) => name),
        population.map(({ code }, at) => (at % 1_000 === 7 ? '无' : code)),
      ],
    );
    replicas = [createReplica(exchangeUrl, platformUrl), createReplica(exchangeUrl, platformUrl)];
  });
  afterEach(async () => {
    for (const replica of replicas) await Promise.all([replica.pool.end(), replica.exchange.close()]);
    await exchange.end();
    await databases.close();
  });

  const state = async () => {
    const { rows } = await replicas[0].pool
      .query(`SELECT f.sequence::int, f.filled_at IS NOT NULL AS is_filled,
      (SELECT count(*)::int FROM subjects.subject) AS subjects, (SELECT count(*)::int FROM subjects.quarantine) AS quarantined
      FROM subjects.fill f`);
    return rows[0] as unknown;
  };
  const codes = new Set(population.filter((_, at) => at % 1_000 !== 7).map(({ code }) => code)).size;
  const WHOLE = { sequence: 8_000, is_filled: true, subjects: codes, quarantined: 8 };

  it('is done once by two replicas that start together', async () => {
    await Promise.all(replicas.map((replica) => syncOnce(replica, never)));
    expect(await state()).toEqual(WHOLE);
    expect(replicas.reduce((sum, replica) => sum + replica.quarantined(), 0)).toBe(8);
  });

  it('goes on where it was cut off, and does not call itself filled before the end', async () => {
    const [replica] = replicas;
    let calls = 0;
    const cut: SyncOptions = {
      ...replica,
      exchange: {
        ...replica.exchange,
        call: (statement, context) => {
          calls += 1;
          return calls > 3 ? Promise.reject(new Error('cut off')) : replica.exchange.call(statement, context);
        },
      },
    };
    await expect(syncOnce(cut, never)).rejects.toThrow('cut off');
    expect(await state()).toMatchObject({ sequence: 6_000, is_filled: false });
    await syncOnce(replica, never);
    expect(await state()).toEqual(WHOLE);
  });

  it('announces whom a change is about, those whom the company named before and names now too', async () => {
    const [replica] = replicas;
    const [, { name = '', code = '' } = {}] = population;
    const change = async (sequence: number, person: string, number: string) => {
      await exchange.query(
        `INSERT INTO "v_企业登记" VALUES ('R1', $1, now(), 'U', $2, $3, '1', $4, $5, NULL)`,
        [sequence, name, code, person, number],
      );
      await syncOnce(replica, never);
      return replica.announced.at(-1)?.toSorted();
    };
    await syncOnce(replica, never);
    expect(replica.announced).toEqual([null]);
    const company = subjectIds.ofOrganisation(code);
    const [one, other] = ['120101190001010016', '120101190002020021'];
    const ids = [one, other].map((number) => subjectIds.ofPerson(number ?? ''));
    expect(await change(8_001, '测试甲', one ?? '')).toEqual([company, ids[0]].toSorted());
    expect(await change(8_002, '测试乙', other ?? '')).toEqual([company, ...ids].toSorted());
    await syncOnce(replica, never);
    expect(replica.announced.at(-1)).toEqual([]);
  });

  it('writes a batch wholly or not at all', async () => {
    const [replica] = replicas;
    await replica.prepare();
    await replica.pool.query(
      `ALTER TABLE subjects.quarantine ADD CONSTRAINT no_second_batch CHECK (row_id NOT IN ('R3008', 'R4008'))`,
    );
    await expect(syncOnce(replica, never)).rejects.toThrow('no_second_batch');
    expect(await state()).toMatchObject({ sequence: 3_000, is_filled: false, quarantined: 3 });
  });
});

describe('filling the index from the register as it is', () => {
  const companies = generatePopulation({ size: 300, seed: 'register' });
  let databases: TestDatabases;
  let register: RunningSimulator;
  let replica: Replica;

  beforeEach(async () => {
    databases = createTestDatabases();
    register = await simulator.start({
      population: companies,
      seed: 'register',
      clock: systemClock,
      log,
      latencyMs: 0,
      postgres: (database) => databases.url(database),
    });
    replica = createReplica(
      register.environment['JINXIN_SUBJECTS_EXCHANGE_URL'] ?? '',
      await databases.url('platform'),
    );
  });
  afterEach(async () => {
    await Promise.all([replica.pool.end(), replica.exchange.close()]);
    await register.close();
    await databases.close();
  });

  const index = () => createSubjectIndex(createStore(replica.pool, 'index', replica.prepare));
  const context = { signal: never, deadline: Infinity };

  it('finds every company of the register by its name, and opens who represents it', async () => {
    await syncOnce(replica, never);
    const [sample] = companies;
    const [answer] = await index().read([subjectIds.ofOrganisation(sample?.code ?? '')], context);
    expect(answer?.subject).toMatchObject({ name: sample?.name, state: 'ACTIVE' });
    expect(subjectIds.openIdentity(answer?.subject?.identity ?? '')?.citizenId).toMatch(/^\d{6}1900/);
    const answers = await index().read(
      companies.filter(({ code }) => code !== '无').map(({ code }) => subjectIds.ofOrganisation(code)),
      context,
    );
    const named = answers.flatMap(({ subject }) => (subject ? [subject.name] : []));
    expect(named.length).toBeGreaterThan(companies.length * 0.9);
    for (const name of named.slice(0, 30))
      expect((await index().search(name, 5, context))[0]).toMatchObject({ score: 1 });
  });

  it.each(['missing-rows', 'duplicate-rows', 'wrong-encoding', 'schema-drift'] as const)(
    'takes nothing from it under %s, and everything afterwards',
    async (fault) => {
      await register.setFault(fault);
      await expect(syncOnce(replica, never)).rejects.toMatchObject({ fault: 'malformed' });
      await expect(index().read(['O-91120101MA9TYN016Y'], context)).rejects.toMatchObject({
        fault: 'unavailable',
      });
      await register.setFault(null);
      await syncOnce(replica, never);
      expect((await index().read(['O-91120101MA9TYN016Y'], context))[0]?.subject).not.toBeNull();
    },
  );
});
