/** A gateway with policies over departments that do as they like: what leaves it, and what is kept of that. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { GraphQLError } from 'graphql';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import pg from 'pg';
import { pino } from 'pino';
import { request } from 'undici';
import { sandboxBytes } from '../schema/keys.ts';
import { loadLaw } from '../schema/law.ts';
import type { PersonaName } from '../schema/sandbox-tokens.ts';
import { issueSandboxToken } from '../schema/sandbox-tokens.ts';
import { createSubjectIds } from '../schema/subject-id.ts';
import type { TestGateway } from './kit/gateway.ts';
import { startGateway } from './kit/gateway.ts';
import type { PlainSubgraphs } from './kit/plain-subgraphs.ts';
import { startPlainSubgraphs } from './kit/plain-subgraphs.ts';
import type { TestDatabases } from './kit/postgres.ts';
import { createTestDatabases } from './kit/postgres.ts';

const PERSON = '120101190001010016';
const item = (id: string, use?: readonly object[]) => ({
  id,
  name: { zh: id, en: id },
  category: 'service',
  publicity: use ? 'NOT_PUBLIC' : 'PUBLIC',
  sharing: 'CONDITIONAL',
  use: use ?? [],
  basis: ['test'],
  sensitivity: 'L2',
  retention: 60,
});
const CATALOGUE = {
  law: loadLaw(),
  catalogues: [
    {
      version: '1',
      items: [
        item('a.open'),
        item('a.grade', [{ principals: ['bank'] }]),
        item('a.name', [{ principals: ['bank'], mask: 'name' }, { principals: ['auditor'] }]),
        item('b.hidden', [{ principals: ['auditor'] }]),
        item('a.manage', [{ principals: ['bank'] }]),
      ],
    },
  ],
};

const done: string[] = [];
const lines: string[] = [];
let subgraphs: PlainSubgraphs;
let garbled: Server;
let databases: TestDatabases;
let database: pg.Client;
let gateway: TestGateway;

const refuse = (extensions: Record<string, unknown>) => () => {
  throw new GraphQLError(`who is ${PERSON}`, { extensions });
};

beforeAll(async () => {
  subgraphs = await startPlainSubgraphs({
    a: {
      sdl: `interface Block { status: String! name: String }
            type Alpha implements Block {
              status: String! @policy(policies: [["a.open"]]) name: String @policy(policies: [["a.name"]])
              grade: String @policy(policies: [["a.grade"]]) none: String @policy(policies: [["a.grade"]]) }
            type Beta implements Block {
              status: String! @policy(policies: [["b.hidden"]]) name: String @policy(policies: [["b.hidden"]]) }
            type Query { alpha: Alpha beta: Beta blocks: [Block!]
              login: String @policy(policies: [["a.open"]]) odd: String @policy(policies: [["a.open"]])
              talkative: String @policy(policies: [["a.open"]]) }
            type Mutation { act(note: String): Alpha @policy(policies: [["a.manage"]])
              forbidden: Alpha @policy(policies: [["b.hidden"]]) }`,
      resolvers: {
        Block: { __resolveType: (block: { kind: string }) => block.kind },
        Query: {
          alpha: () => ({ status: 'OK', name: '张三丰', grade: 'A', none: null }),
          beta: () => ({ status: 'OK', name: '李四' }),
          blocks: () => [
            { kind: 'Alpha', status: 'OK', name: '张三丰' },
            { kind: 'Beta', status: 'OK', name: '李四' },
          ],
          login: refuse({ code: 'UNAUTHENTICATED' }),
          odd: refuse({ code: 'ODD', person: PERSON }),
          talkative: refuse({ code: 'INVALID_INPUT', attribute: 'x', person: PERSON }),
        },
        Mutation: {
          act: (_: unknown, { note }: { note?: string }) => {
            done.push(note ?? 'act');
            return { status: 'OK', grade: 'A' };
          },
          forbidden: () => {
            done.push('forbidden');
            return { status: 'OK' };
          },
        },
      },
    },
    garbled: {
      sdl: `type Query { garble: String @policy(policies: [["a.open"]]) }`,
      resolvers: { Query: { garble: () => 'never asked' } },
    },
  });
  garbled = createServer((_, response) => response.end(`${PERSON} is not JSON`));
  await new Promise<void>((resolve) => garbled.listen(0, '127.0.0.1', resolve));
  const { port } = garbled.address() as { port: number };
  databases = createTestDatabases();
  const url = await databases.url('platform');
  database = new pg.Client({ connectionString: url });
  await database.connect();
  gateway = await startGateway({
    supergraph: subgraphs.supergraph.replace(
      /(name: "garbled", url: ")[^"]*/,
      `$1http://127.0.0.1:${port}/graphql`,
    ),
    catalogue: CATALOGUE,
    environment: { JINXIN_PLATFORM_URL: url, JINXIN_ISSUER: 'sandbox' },
    log: pino({ level: 'trace' }, { write: (line) => lines.push(line) }),
  });
}, 30_000);
afterAll(async () => {
  await gateway.close();
  await subgraphs.close();
  garbled.close();
  await database.end();
  await databases.close();
});
beforeEach(() => {
  done.length = 0;
  subgraphs.calls.length = 0;
});

const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
interface Answer {
  readonly status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data?: any;
  readonly errors: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
}
async function ask(query: string, as?: PersonaName): Promise<Answer> {
  const response = await request(gateway.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(as ? { authorization: `Bearer ${await issueSandboxToken(as, subjectIds)}` } : {}),
    },
    body: JSON.stringify({ query }),
  });
  return { status: response.statusCode, errors: [], ...((await response.body.json()) as object) };
}
const told = ({ errors }: Answer) =>
  errors.map(({ path, extensions }) => [path?.join('.'), extensions['code'], extensions['item']]);
const newest = async () => {
  const { rows } = await database.query<{ record: string }>(
    'SELECT record FROM evidence.audit_log ORDER BY seq DESC LIMIT 1',
  );
  return JSON.parse(rows[0]?.record ?? '{}') as Record<string, unknown>;
};
const countRecords = async () =>
  Number((await database.query<{ n: string }>('SELECT count(*) AS n FROM evidence.audit_log')).rows[0]?.n);
async function withoutAudit<T>(work: () => Promise<T>): Promise<T> {
  await database.query('ALTER TABLE evidence.audit_log RENAME TO audit_log_gone');
  try {
    return await work();
  } finally {
    await database.query('ALTER TABLE evidence.audit_log_gone RENAME TO audit_log');
  }
}

describe('a field by way of its interface', () => {
  it('is judged as the field of the object that it stands in', async () => {
    const answer = await ask('{ alpha { ... on Block { status } ... { ... on Block { s: status } } } }');
    expect([answer.data, told(answer)]).toEqual([{ alpha: { status: 'OK', s: 'OK' } }, []]);
  });

  it('that one of the implementations denies is told wherever it is cut, never silently null', async () => {
    const named = await ask('{ alpha { grade ...F } } fragment F on Block { name }', 'bank-a');
    expect([named.data, told(named)]).toEqual([
      { alpha: { grade: 'A', name: null } },
      [['alpha.name', 'FORBIDDEN', 'b.hidden']],
    ]);
    const list = await ask('{ blocks { __typename name } }', 'bank-a');
    expect(JSON.stringify(list.data)).not.toMatch(/张|李/);
    expect(told(list).length).toBeGreaterThan(0);
    const inList = await ask('{ blocks { ... on Alpha { name } ... on Beta { name } } }', 'bank-a');
    expect([inList.data, told(inList)]).toEqual([
      { blocks: [{ name: '张*' }, { name: null }] },
      [['blocks.1.name', 'FORBIDDEN', 'b.hidden']],
    ]);
  });
});

describe('a denied field', () => {
  it.each([
    '{ alpha { status grade } }',
    '{ alpha { status x: grade } }',
    '{ alpha { status } alpha { grade } }',
    '{ alpha { grade } alpha { status } }',
    '{ alpha { ...F } alpha { ...G } } fragment F on Alpha { grade } fragment G on Alpha { status }',
    '{ ... { alpha { status ... on Alpha { __typename grade } } } }',
    '{ alpha { status: status grade @skip(if: false) } }',
    '{ alpha { status status grade grade: grade } }',
  ])('is null with one error, and its neighbours are answered: %s', async (query) => {
    const { data, errors } = await ask(query);
    const { status, grade, x = null } = data.alpha;
    expect([status, grade ?? null, x]).toEqual(['OK', null, null]);
    expect(errors.map(({ extensions }) => extensions['item'])).toEqual(['a.grade']);
    expect(subgraphs.calls.every(({ query: sent }) => !sent.includes('grade'))).toBe(true);
  });

  it('that is left out by its condition is not told', async () => {
    const answer = await ask('{ alpha { status grade @include(if: false) } }');
    expect([answer.data, told(answer)]).toEqual([{ alpha: { status: 'OK' } }, []]);
  });
});

describe('a mutation', () => {
  it('that is denied is never carried out, whatever it is called', async () => {
    for (const query of [
      'mutation { forbidden { status } }',
      'mutation { act: forbidden { status } }',
      'mutation { ...F } fragment F on Mutation { forbidden { __typename } }',
      'mutation { ... @include(if: true) { x: forbidden { s: __typename } } }',
    ]) {
      const { data, errors } = await ask(query, 'bank-a');
      expect([Object.values(data as object), errors.length]).toEqual([[null], 1]);
    }
    await ask('mutation { act { status } }');
    expect(done).toEqual([]);
    await ask('mutation { a: act { status } forbidden { status } }', 'bank-a');
    expect(done).toEqual(['act']);
  });

  it('is carried out once each time it is asked for', async () => {
    const query = 'mutation { act { status grade } }';
    await ask(query, 'bank-a');
    await ask(query, 'bank-a');
    expect(done).toEqual(['act', 'act']);
  });

  it('is not carried out while no record of it can be made', async () => {
    const answer = await withoutAudit(() => ask('mutation { act { status } }', 'bank-a'));
    expect([answer.status, answer.data, done]).toEqual([503, undefined, []]);
  });
});

describe('the record', () => {
  it('names an item of which the answer says only that nobody has it', async () => {
    const before = await countRecords();
    expect((await ask('{ alpha { none } }', 'bank-a')).data).toEqual({ alpha: { none: null } });
    expect([await countRecords(), await newest()]).toMatchObject([before + 1, { items: ['a.grade'] }]);
  });

  it('of a change is made before it and after it', async () => {
    const before = await countRecords();
    await ask('mutation { act { grade } }', 'bank-a');
    expect([await countRecords(), await newest()]).toMatchObject([
      before + 2,
      { items: expect.arrayContaining(['a.manage', 'a.grade']) },
    ]);
  });

  it('is not needed for what is public', async () => {
    const answer = await withoutAudit(() => ask('{ alpha { status __typename } beta { __typename } }'));
    expect([answer.status, answer.data.alpha]).toEqual([200, { status: 'OK', __typename: 'Alpha' }]);
  });
});

describe('what a department says when it fails', () => {
  it('leaves neither through an answer nor through the log', async () => {
    lines.length = 0;
    const answers = [await ask('{ login }'), await ask('{ odd }'), await ask('{ garble }')];
    expect(answers.flatMap(told).map(([, code]) => code)).toEqual([
      'DEPARTMENT_UNAVAILABLE',
      'INTERNAL',
      'DEPARTMENT_UNAVAILABLE',
    ]);
    expect(JSON.stringify(answers)).not.toContain(PERSON);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('')).not.toContain(PERSON);
  });

  it('keeps of its extensions what the table of errors knows', async () => {
    const { errors } = await ask('{ talkative }');
    expect(errors[0]?.extensions).toEqual({ code: 'INVALID_INPUT', attribute: 'x' });
  });
});
