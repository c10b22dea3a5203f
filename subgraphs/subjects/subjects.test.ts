import { afterEach, describe, expect, it } from '@jest/globals';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { pino } from 'pino';
import { request } from 'undici';
import { systemClock } from '../../adapters/clock.ts';
import { loadCatalogue } from '../../schema/catalogue.ts';
import { sandboxBytes, sandboxKey } from '../../schema/keys.ts';
import type { Principal } from '../../schema/principal.ts';
import { PRINCIPAL_HEADER, signPrincipal } from '../../schema/principal.ts';
import { createSubjectIds } from '../../schema/subject-id.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import type { Department } from '../discover.ts';
import { serveSubgraphs } from '../serve.ts';
import subgraph from './subgraph.ts';
import { INDEX } from './subject-index.ts';

const department: Department = {
  subgraph,
  sdl: readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8'),
  catalogue: loadCatalogue(fileURLToPath(new URL('./catalogue.yaml', import.meta.url))),
  folder: import.meta.dirname,
};

type Row = Readonly<Record<string, string | number | null>>;

const ROWS = JSON.parse(
  readFileSync(new URL('./fixtures/registrations.json', import.meta.url), 'utf8'),
) as readonly Row[];
const ITEMS = ['subjects.identity', 'subjects.search', 'finance.assessment'];
const SAMPLE = '91120101MA9TYN016Y';
const RENAMED = '91120116MA9TYN024H';
const REMOVED = '93120115MA9TYN059F';
const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
const bank: Principal = { kind: 'bank', id: 'bank-a', purpose: 'LOAN_ORIGINATION', subjects: [] };

const SEARCH = `query ($name: String!, $first: Int) { searchCreditSubjects(name: $name, first: $first) {
  subject { id name } score explanation { part similarity text } } }`;
const ENTITIES = `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on CreditSubject {
  id kind code name formerNames legalRepresentativeIdentity
  registerForAssessment { department status asOf findings facts } } } }`;

interface Reply {
  // What a test selects is for the test to know.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data: any;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
}
interface Found {
  readonly subject: { readonly id: string; readonly name: string };
  readonly score: number;
  readonly explanation: readonly { readonly part: string; readonly text: string }[];
}

const afterwards: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const undo of afterwards.splice(0).reverse()) await undo();
});

/** An exchange database that holds one view of the register, and the department over it. */
async function startSubjects(
  options: { rows?: readonly Row[]; environment?: Readonly<Record<string, string>> } = {},
) {
  const databases = createTestDatabases();
  afterwards.push(() => databases.close());
  const exchangeUrl = await databases.url('exchange');
  const exchange = new pg.Client({ connectionString: exchangeUrl });
  await exchange.connect();
  afterwards.push(() => exchange.end());
  await exchange.query(`CREATE TABLE "v_企业登记" ("ROW_ID" text, "S_EXT_SEQUENCE" bigint, "S_EXT_TIMESTAMP" timestamptz, "S_EXT_FLAG" text, "企业名称" text,
    "统一社会信用代码" text, "登记状态" text, "法定代表人" text, "法定代表人证件号" text, "曾用名" text)`);
  await exchange.query(
    `CREATE VIEW "v_对账" AS SELECT 'v_企业登记' AS "视图", "统一社会信用代码", count(*) AS "行数" FROM "v_企业登记" GROUP BY 2`,
  );
  await exchange.query(`CREATE TABLE "v_批次" AS SELECT now() AS "数据时点"`);
  const publish = (rows: readonly Row[]) =>
    exchange.query('INSERT INTO "v_企业登记" SELECT * FROM json_populate_recordset(NULL::"v_企业登记", $1)', [
      JSON.stringify(rows),
    ]);
  await publish(options.rows ?? ROWS);

  let quarantined = 0;
  let calls = 0;
  let ahead = 0;
  const running = await serveSubgraphs({
    departments: [department],
    listen: { host: '127.0.0.1', port: 0 },
    environment: {
      JINXIN_PLATFORM_URL: await databases.url('platform'),
      JINXIN_SUBJECTS_EXCHANGE_URL: exchangeUrl,
      JINXIN_SUBJECTS_SYNC_EVERY_MS: '20',
      ...options.environment,
    },
    gatewayKey: createPublicKey(sandboxKey('gateway')),
    subjectIds,
    clock: { ...systemClock, now: () => Date.now() + ahead },
    observer: {
      called: (system) => (calls += system === INDEX ? 1 : 0),
      breaker: () => {},
      foreignRows: () => {},
      quarantined: (_, count) => (quarantined += count),
    },
    log: pino({ level: 'silent' }),
    softDeadlineMs: 5_000,
  });
  afterwards.push(() => running.close());

  async function ask(query: string, variables: object = {}): Promise<Reply> {
    const body = JSON.stringify({ query, variables });
    const grant = { subgraph: 'subjects', principal: bank, items: ITEMS };
    const signed = signPrincipal(sandboxKey('gateway'), grant, body, Date.now());
    const headers = { 'content-type': 'application/json', [PRINCIPAL_HEADER]: signed };
    const answer = await request(running.urls['subjects'] ?? '', { method: 'POST', headers, body });
    return (await answer.body.json()) as Reply;
  }
  const entities = (codes: readonly string[]) =>
    ask(ENTITIES, {
      representations: codes.map((code) => ({
        __typename: 'CreditSubject',
        id: subjectIds.ofOrganisation(code),
      })),
    });
  return {
    ask,
    entities,
    exchange,
    publish,
    quarantined: () => quarantined,
    calls: () => calls,
    travel: (ms: number) => (ahead += ms),
    search: async (name: string, first = 10) =>
      (await ask(SEARCH, { name, first })).data.searchCreditSubjects as readonly Found[],
    /** Resolves when an answer is as `holds` wants it: the index is filled in the background. */
    async until(
      holds: (reply: Reply) => boolean,
      query = `{ creditSubject(code: "${SAMPLE}") { name } }`,
    ): Promise<Reply> {
      for (;;) {
        const reply = await ask(query);
        if (holds(reply)) return reply;
      }
    },
    filled() {
      return this.until(({ errors }) => !errors);
    },
  };
}

describe('the index of subjects', () => {
  it('finds a subject by its code, however the code is written', async () => {
    const subjects = await startSubjects();
    await subjects.filled();
    const { data } = await subjects.ask(
      '{ creditSubject(code: " 91120101ma9tyn016y ") { id kind code name formerNames } }',
    );
    expect(data.creditSubject).toEqual({
      id: subjectIds.ofOrganisation(SAMPLE),
      kind: 'ORGANISATION',
      code: SAMPLE,
      name: '天津津信样例（集团）有限公司',
      formerNames: ['天津市津信旧名商贸有限责任公司'],
    });
  });

  it('answers many codes in the order asked with one statement, and null where the register knows nobody', async () => {
    const subjects = await startSubjects();
    await subjects.filled();
    const before = subjects.calls();
    const { data } = await subjects.ask(
      'query ($codes: [CreditCode!]!) { creditSubjects(codes: $codes) { code } }',
      {
        codes: [RENAMED, REMOVED, SAMPLE, RENAMED],
      },
    );
    expect(data.creditSubjects).toEqual([{ code: RENAMED }, null, { code: SAMPLE }, { code: RENAMED }]);
    expect(subjects.calls() - before).toBe(1);
    const codes = Array.from({ length: 101 }, () => SAMPLE);
    const tooMany = await subjects.ask(
      'query ($codes: [CreditCode!]!) { creditSubjects(codes: $codes) { code } }',
      { codes },
    );
    expect(tooMany.errors?.[0]?.extensions['code']).toBe('INVALID_INPUT');
  });

  it('takes the last row of a subject that the register repeats for a change, and keeps the name before it', async () => {
    const subjects = await startSubjects();
    await subjects.filled();
    const { data } = await subjects.entities([RENAMED]);
    expect(data._entities[0]).toMatchObject({
      name: '天津启明国际贸易有限公司',
      formerNames: ['天津滨海新区启明贸易有限公司'],
      registerForAssessment: { facts: { kind: 'ORGANISATION', state: 'REVOKED' } },
    });
  });

  it('sets aside rows that cannot be indexed, once, with the check that failed', async () => {
    const subjects = await startSubjects();
    await subjects.until(() => subjects.quarantined() >= 3);
    // The register goes back to an earlier state, so the same rows are read again.
    await subjects.exchange.query('DELETE FROM "v_企业登记" WHERE "S_EXT_SEQUENCE" > 7');
    await subjects.until(
      ({ data }) => data.creditSubject !== null,
      `{ creditSubject(code: "${REMOVED}") { name } }`,
    );
    expect(subjects.quarantined()).toBe(3);
  });

  it('opens to the platform, and to nobody else, who the legal representative is', async () => {
    const subjects = await startSubjects();
    await subjects.filled();
    const { data } = await subjects.entities([SAMPLE, RENAMED]);
    const [sample, renamed] = data._entities as { legalRepresentativeIdentity: string | null }[];
    expect(sample?.legalRepresentativeIdentity).not.toContain('120101190001010016');
    expect(subjectIds.openIdentity(sample?.legalRepresentativeIdentity ?? '')).toEqual({
      name: '张样例',
      citizenId: '120101190001010016',
    });
    expect(renamed?.legalRepresentativeIdentity).toBeNull();
  });

  it('says for the assessment whether the register knows a subject', async () => {
    const subjects = await startSubjects();
    await subjects.filled();
    const before = subjects.calls();
    const { data } = await subjects.entities([SAMPLE, REMOVED]);
    expect(subjects.calls() - before).toBe(1);
    const [known, unknown] = (data._entities as { registerForAssessment: object }[]).map(
      (one) => one.registerForAssessment,
    );
    expect(known).toMatchObject({
      department: 'subjects',
      status: 'OK',
      findings: 0,
      facts: { kind: 'ORGANISATION', state: 'ACTIVE' },
    });
    expect(unknown).toMatchObject({ status: 'NONE_FOUND', facts: null });
  });

  it('calls itself old after three days without the register, and then takes no absence for granted', async () => {
    const subjects = await startSubjects();
    await subjects.filled();
    await subjects.exchange.query('ALTER TABLE "v_企业登记" RENAME TO away');
    subjects.travel(4 * 86_400_000);
    const query = `{ _entities(representations: [{ __typename: "CreditSubject", id: "O-${REMOVED}" }]) {
      ... on CreditSubject { registerForAssessment { status } } } }`;
    await subjects.until(
      ({ data }) => data._entities[0].registerForAssessment.status === 'UNAVAILABLE',
      query,
    );
    const { data } = await subjects.entities([SAMPLE]);
    expect(data._entities[0].registerForAssessment.status).toBe('STALE');
    const absent = await subjects.ask(`{ creditSubject(code: "${REMOVED}") { id } }`);
    expect(absent.errors?.[0]?.extensions['code']).toBe('DEPARTMENT_UNAVAILABLE');
    const present = await subjects.ask(`{ creditSubject(code: "${SAMPLE}") { id } }`);
    expect(present.data.creditSubject).toEqual({ id: `O-${SAMPLE}` });
  });

  it('goes on where it stopped: new rows appear, rows marked D vanish', async () => {
    const subjects = await startSubjects();
    await subjects.filled();
    await subjects.publish([
      { ...(ROWS[6] as Row), ROW_ID: 'AAA010', S_EXT_SEQUENCE: 10 },
      { ...(ROWS[0] as Row), ROW_ID: 'AAA011', S_EXT_SEQUENCE: 11, S_EXT_FLAG: 'D' },
    ]);
    await subjects.until(
      ({ data }) => data.creditSubject !== null,
      `{ creditSubject(code: "${REMOVED}") { name } }`,
    );
    const { data } = await subjects.ask(`{ creditSubject(code: "${SAMPLE}") { name } }`);
    expect(data.creditSubject).toBeNull();
  });

  it('reads the register from the beginning when it was built anew, and forgets who is not in it any more', async () => {
    const subjects = await startSubjects();
    await subjects.filled();
    await subjects.exchange.query('TRUNCATE "v_企业登记"');
    await subjects.publish([{ ...(ROWS[6] as Row), ROW_ID: 'BBB001', S_EXT_SEQUENCE: 1 }]);
    const { data } = await subjects.until((reply) => reply.data.creditSubject === null && !reply.errors);
    expect(data.creditSubject).toBeNull();
    const found = await subjects.search('津门测试农民专业合作社');
    expect(found.map(({ subject }) => subject.id)).toEqual([subjectIds.ofOrganisation(REMOVED)]);
    expect(await subjects.search('天津津信样例集团有限公司')).toEqual([]);
  });
});

describe('a search by name', () => {
  it.each([
    ['as registered', '天津津信样例（集团）有限公司', 1, 'WHOLE_NAME'],
    ['with other brackets and spaces', ' 天津 津信样例(集团)　有限公司', 1, 'WHOLE_NAME'],
    ['without brackets', '天津津信样例集团有限公司', 0.97, 'CORE_NAME'],
    ['as 有限责任公司', '天津津信样例[集团]有限责任公司', 0.97, 'CORE_NAME'],
    ['a former name', '天津市津信旧名商贸有限责任公司', 0.95, 'FORMER_NAME'],
    ['a former name as 有限公司', '天津市津信旧名商贸有限公司', 0.9, 'FORMER_NAME'],
    ['two characters of the core', '样例', 0.5, 'CORE_NAME'],
    ['the core alone', '津信样例集团', 0.75, 'CORE_NAME'],
    ['one character wrong', '天津津信样利集团有限公司', 0.5, 'CORE_NAME'],
  ])('finds the subject by its name %s', async (_, name, least, part) => {
    const subjects = await startSubjects();
    await subjects.filled();
    const [best] = await subjects.search(name);
    expect(best?.subject).toEqual({
      id: subjectIds.ofOrganisation(SAMPLE),
      name: '天津津信样例（集团）有限公司',
    });
    expect(best?.score).toBeGreaterThanOrEqual(least);
    expect(best?.explanation.map((reason) => reason.part)).toContain(part);
  });

  it('scores 1 for the whole name only, puts the best first and gives no more than asked', async () => {
    const namesake = {
      ...(ROWS[0] as Row),
      ROW_ID: 'AAA010',
      S_EXT_SEQUENCE: 10,
      企业名称: '天津启明国际商贸有限公司',
      统一社会信用代码: '51120000MJ9TYN043R',
    };
    const subjects = await startSubjects({ rows: [...ROWS, namesake] });
    await subjects.filled();
    const found = await subjects.search('天津启明国际商贸有限公司');
    expect(found.map(({ subject }) => subject.name)).toEqual([
      '天津启明国际商贸有限公司',
      '天津启明国际贸易有限公司',
    ]);
    expect(found.map(({ score }) => score === 1)).toEqual([true, false]);
    expect(await subjects.search('天津启明国际商贸有限公司', 1)).toEqual(found.slice(0, 1));
  });

  it.each([
    ['first', { name: '津信', first: 0 }],
    ['first', { name: '津信', first: 51 }],
    ['name', { name: '　', first: 1 }],
    ['name', { name: '津'.repeat(201), first: 1 }],
  ])('refuses a %s beyond its limits', async (argument, variables) => {
    const subjects = await startSubjects();
    const { errors } = await subjects.ask(SEARCH, variables);
    expect(errors?.[0]?.extensions['code']).toBe('INVALID_INPUT');
    expect(errors?.[0]?.message).toContain(argument);
  });
});

describe('an index that cannot say', () => {
  const UNKNOWN = { status: 'UNAVAILABLE', facts: null, findings: null };

  it.each([
    ['has never been filled', { rows: [] }],
    [
      'reads a register whose columns have drifted',
      { rows: ROWS.map((row) => ({ ...row, S_EXT_FLAG: 'X' })) },
    ],
    [
      'cannot reach its store',
      { environment: { JINXIN_PLATFORM_URL: 'postgres://nobody@127.0.0.1:1/none' } },
    ],
    [
      'cannot reach the register',
      { environment: { JINXIN_SUBJECTS_EXCHANGE_URL: 'postgres://nobody@127.0.0.1:1/none' } },
    ],
  ])('because it %s, never answers that there is nobody', async (_, options) => {
    const subjects = await startSubjects(options);
    const one = await subjects.ask(`{ creditSubject(code: "${SAMPLE}") { id } }`);
    expect(one.errors?.[0]?.extensions['code']).toBe('DEPARTMENT_UNAVAILABLE');
    const search = await subjects.ask(SEARCH, { name: '津信', first: 5 });
    expect(search.errors?.[0]?.extensions['code']).toBe('DEPARTMENT_UNAVAILABLE');
    const { data, errors } = await subjects.entities([SAMPLE]);
    expect(data._entities[0]).toMatchObject({ code: SAMPLE, name: null, registerForAssessment: UNKNOWN });
    expect(errors?.every(({ extensions }) => extensions['code'] === 'DEPARTMENT_UNAVAILABLE')).toBe(true);
  });

  it('knows a person’s kind, and asks no register about a person', async () => {
    const subjects = await startSubjects();
    await subjects.filled();
    const before = subjects.calls();
    const id = subjectIds.ofPerson('120101190001010016');
    const { data } = await subjects.ask(ENTITIES, {
      representations: [
        { __typename: 'CreditSubject', id },
        { __typename: 'CreditSubject', id: 'P1-forged' },
      ],
    });
    expect(data._entities).toEqual([
      {
        id,
        kind: 'NATURAL_PERSON',
        code: null,
        name: null,
        formerNames: null,
        legalRepresentativeIdentity: null,
        registerForAssessment: null,
      },
      null,
    ]);
    expect(subjects.calls()).toBe(before);
  });
});
