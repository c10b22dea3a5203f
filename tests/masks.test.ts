/** Every kind of mask at the front door, wherever the value stands: in lists, where null is not allowed, and in numbers. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { loadLaw } from '../schema/law.ts';
import type { MaskKind } from '../schema/identifiers/mask.ts';
import { MASK_KINDS } from '../schema/identifiers/mask.ts';
import { sandboxBytes } from '../schema/keys.ts';
import type { PersonaName } from '../schema/sandbox-tokens.ts';
import { issueSandboxToken } from '../schema/sandbox-tokens.ts';
import { createSubjectIds } from '../schema/subject-id.ts';
import type { TestGateway } from './kit/gateway.ts';
import { startGateway } from './kit/gateway.ts';
import type { PlainSubgraphs } from './kit/plain-subgraphs.ts';
import { startPlainSubgraphs } from './kit/plain-subgraphs.ts';
import type { TestDatabases } from './kit/postgres.ts';
import { createTestDatabases } from './kit/postgres.ts';

/** What a department says, and what is left of it for a bank. The auditor reads it as it is. */
const VALUES: Readonly<Record<MaskKind, readonly [whole: string, masked: string]>> = {
  name: ['张三丰', '张*'],
  'citizen-id': ['120101190001010016', '1201**********0016'],
  phone: ['13800000000', '138****0000'],
  account: ['6200000000000001234', '****1234'],
  address: ['天津市和平区样例路1号', '天津市和平区***'],
  amount: ['1234567.80', '100万–500万元'],
};
const fieldOf = (kind: MaskKind) => kind.replace('-', '_');
const itemOf = (kind: MaskKind) => `a.${kind}`;

const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
let subgraphs: PlainSubgraphs;
let databases: TestDatabases;
let gateway: TestGateway;

beforeAll(async () => {
  const policy = (kind: MaskKind) => `@policy(policies: [["${itemOf(kind)}"]])`;
  const leaves = MASK_KINDS.map(
    (kind) => `${fieldOf(kind)}: String ${policy(kind)} ${fieldOf(kind)}s: [[String!]] ${policy(kind)}
      sure_${fieldOf(kind)}: String! ${policy(kind)}`,
  );
  const record = Object.fromEntries(
    MASK_KINDS.flatMap((kind) => {
      const [whole] = VALUES[kind];
      return [
        [fieldOf(kind), whole],
        [`${fieldOf(kind)}s`, [[whole, whole], null, []]],
        [`sure_${fieldOf(kind)}`, whole],
      ];
    }),
  );
  subgraphs = await startPlainSubgraphs({
    a: {
      sdl: `enum Band { LOW HIGH }
            type Figures { int: Int ${policy('amount')} float: Float ${policy('amount')} ints: [Int!] ${policy('amount')}
              flag: Boolean ${policy('amount')} band: Band ${policy('amount')} none: Int ${policy('amount')}
              sure: Float! ${policy('amount')} id: ID ${policy('account')} }
            type Person { ${leaves.join('\n')} none: String ${policy('name')} figures: Figures figureList: [Figures!] }
            type Query { person: Person persons: [Person!] }`,
      resolvers: {
        Query: {
          person: () => ({
            ...record,
            none: null,
            figures: {
              int: 1234567,
              float: 0.5,
              ints: [1, 2],
              flag: true,
              band: 'HIGH',
              none: null,
              id: VALUES.account[0],
            },
            figureList: [{ sure: 7 }],
          }),
          persons: () => [record, record],
        },
      },
    },
  });
  const items = MASK_KINDS.map((kind) => ({
    id: itemOf(kind),
    name: { zh: kind, en: kind },
    category: 'service',
    publicity: 'NOT_PUBLIC',
    sharing: 'CONDITIONAL',
    use: [{ principals: ['bank'], mask: kind }, { principals: ['auditor'] }],
    basis: ['test'],
    sensitivity: 'L3',
    retention: 60,
  }));
  databases = createTestDatabases();
  gateway = await startGateway({
    supergraph: subgraphs.supergraph,
    catalogue: { law: loadLaw(), catalogues: [{ version: '1', items }] },
    environment: { JINXIN_PLATFORM_URL: await databases.url('platform'), JINXIN_ISSUER: 'sandbox' },
  });
}, 30_000);
afterAll(async () => {
  await gateway.close();
  await subgraphs.close();
  await databases.close();
});

async function ask(query: string, as: PersonaName) {
  const response = await request(gateway.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await issueSandboxToken(as, subjectIds)}`,
    },
    body: JSON.stringify({ query }),
  });
  const text = await response.body.text();
  const { data, errors = [] } = JSON.parse(text) as {
    data: Record<string, never>;
    errors?: readonly { path: readonly string[]; extensions: Record<string, unknown> }[];
  };
  return { text, data, errors };
}

describe.each(MASK_KINDS)('the mask of kind %s', (kind) => {
  const [whole, masked] = VALUES[kind];
  const field = fieldOf(kind);
  const query = `{ person { ${field} x: ${field} ${field}s sure_${field} } persons { ...F } } fragment F on Person { ${field} }`;

  it('is put on in every place, and leaves the whole value nowhere', async () => {
    const { data, text, errors } = await ask(query, 'bank-a');
    expect(errors).toEqual([]);
    expect(data).toEqual({
      person: {
        [field]: masked,
        x: masked,
        [`${field}s`]: [[masked, masked], null, []],
        [`sure_${field}`]: masked,
      },
      persons: [{ [field]: masked }, { [field]: masked }],
    });
    expect(text).not.toContain(whole);
  });

  it('is not put on for whom the catalogue shows the whole', async () => {
    const { data } = await ask(query, 'auditor');
    expect(data['person']).toMatchObject({ [field]: whole, [`${field}s`]: [[whole, whole], null, []] });
  });
});

describe('what is to be masked', () => {
  it('and is not there is null: there is nothing to hide', async () => {
    expect(await ask('{ person { none } }', 'bank-a')).toMatchObject({
      data: { person: { none: null } },
      errors: [],
    });
  });

  it('and is no text is neither shown nor told to be there: null and FORBIDDEN, with or without a value', async () => {
    const { data, errors } = await ask(
      '{ person { figures { int float ints flag band none id aliased: int } } }',
      'bank-a',
    );
    expect(data).toEqual({
      person: {
        figures: {
          int: null,
          float: null,
          ints: null,
          flag: null,
          band: null,
          none: null,
          aliased: null,
          id: '****1234',
        },
      },
    });
    expect(errors.map(({ path, extensions }) => [path.at(-1), extensions])).toEqual(
      ['aliased', 'band', 'flag', 'float', 'int', 'ints', 'none'].map((name) => [
        name,
        {
          code: 'FORBIDDEN',
          item: 'a.amount',
          reason: 'MASKED',
          decision: expect.stringMatching(/^[\w-]{16}$/),
        },
      ]),
    );
    const whole = await ask('{ person { figures { int float ints flag band } } }', 'auditor');
    expect(whole.data).toEqual({
      person: { figures: { int: 1234567, float: 0.5, ints: [1, 2], flag: true, band: 'HIGH' } },
    });
  });

  it('and may not be null takes what holds it along', async () => {
    const { data, errors } = await ask('{ person { figureList { sure } name } }', 'bank-a');
    expect(data).toEqual({ person: { figureList: null, name: '张*' } });
    expect(errors.map(({ path, extensions }) => [path.join('.'), extensions['code']])).toEqual([
      ['person.figureList.0.sure', 'FORBIDDEN'],
    ]);
  });
});
