import { composeServices } from '@apollo/composition';
import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'graphql';
import { pino } from 'pino';
import { request } from 'undici';
import { systemClock } from '../../adapters/clock.ts';
import { composeSupergraph, toSubgraphSdl } from '../../schema/compose.ts';
import { loadCatalogue } from '../../schema/catalogue.ts';
import { sandboxBytes, sandboxKey } from '../../schema/keys.ts';
import type { Principal } from '../../schema/principal.ts';
import { PRINCIPAL_HEADER, signPrincipal } from '../../schema/principal.ts';
import { createSubjectIds } from '../../schema/subject-id.ts';
import type { Department } from '../discover.ts';
import { discoverDepartments } from '../discover.ts';
import type { RunningSubgraphs } from '../serve.ts';
import { serveSubgraphs } from '../serve.ts';
import { loadProducts } from './rules.ts';
import subgraph from './subgraph.ts';

const department: Department = {
  subgraph,
  sdl: readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8'),
  catalogue: loadCatalogue(fileURLToPath(new URL('./catalogue.yaml', import.meta.url))),
  folder: import.meta.dirname,
};

const CODE = '91120101MA9TYN016Y';
const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
const bank: Principal = { kind: 'bank', id: 'bank-a', purpose: 'LOAN_ORIGINATION', subjects: [] };
const owner: Principal = {
  kind: 'subject',
  id: 'company-owner',
  purpose: 'SELF_ACCESS',
  subjects: [subjectIds.ofOrganisation(CODE)],
};

const RESULT = `sources { department status asOf ms findings } completeness
  assessment { conclusion score modelVersion snapshotHash reasons { rule effect zh en basis } }`;
const CHECK = 'query ($input: CreditCheckInput!) { creditCheck(input: $input) { product subject { id } } }';
const ENTITIES = `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on CreditCheck { ${RESULT} } } }`;

interface Reply {
  // What a test selects is for the test to know.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data: any;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
}

const block = (facts: object, change: object = {}) => ({
  forAssessment: {
    department: 'x',
    status: 'OK',
    asOf: '2026-11-20T00:00:00Z',
    elapsedMs: 12.4,
    findings: 0,
    facts,
    ...change,
  },
});
/** What the gateway brings back for a clean subject. */
const CLEAN = {
  registerForAssessment: {
    department: 'subjects',
    status: 'OK',
    asOf: null,
    elapsedMs: 1,
    findings: 0,
    facts: { state: 'ACTIVE' },
  },
  marketRegulation: block({ state: 'ACTIVE', years: 12, abnormalCount: 0, seriousCount: 0 }),
  tax: block({ grade: 'A', arrearsTotal: 0, majorViolations: 0 }),
  courts: block({
    dishonestCount: 0,
    consumptionRestricted: false,
    enforcementOpenCount: 0,
    enforcementAmount: 0,
  }),
  humanResources: block({
    insuredCount: 9,
    continuousMonths: 30,
    socialInsuranceArrears: false,
    wageArrearsListed: false,
  }),
  publicSecurity: block({ verdict: 'MATCH' }),
};
const DEAD = { marketRegulation: null, tax: null, courts: null, humanResources: null, publicSecurity: null };

describe('a credit check', () => {
  let running: RunningSubgraphs;

  beforeAll(async () => {
    running = await serveSubgraphs({
      departments: [department],
      listen: { host: '127.0.0.1', port: 0 },
      environment: {},
      gatewayKey: createPublicKey(sandboxKey('gateway')),
      subjectIds,
      clock: systemClock,
      observer: { called: () => {}, breaker: () => {}, foreignRows: () => {}, quarantined: () => {} },
      log: pino({ level: 'silent' }),
      softDeadlineMs: 2_000,
    });
  });
  afterAll(() => running.close());

  async function ask(
    query: string,
    variables: object,
    principal = bank,
    items = ['finance.assessment', 'finance.products'],
  ) {
    const body = JSON.stringify({ query, variables });
    const signed = signPrincipal(
      sandboxKey('gateway'),
      { subgraph: 'finance', principal, items },
      body,
      Date.now(),
    );
    const headers = { 'content-type': 'application/json', [PRINCIPAL_HEADER]: signed };
    const answer = await request(running.urls['finance'] ?? '', { method: 'POST', headers, body });
    return (await answer.body.json()) as Reply;
  }
  async function check(
    blocks: object,
    product = 'xyd-standard',
  ): Promise<Reply & { readonly check: Reply['data'] }> {
    const subject = { __typename: 'CreditSubject', id: subjectIds.ofOrganisation(CODE), ...blocks };
    const reply = await ask(ENTITIES, { representations: [{ __typename: 'CreditCheck', subject, product }] });
    return { ...reply, check: reply.data?._entities[0] };
  }

  it('starts from a code, with the product and the purpose that are usual', async () => {
    const { data } = await ask(CHECK, { input: { subject: CODE.toLowerCase() } });
    expect(data.creditCheck).toEqual({
      product: 'xyd-standard',
      subject: { id: subjectIds.ofOrganisation(CODE) },
    });
    const self = await ask(CHECK, { input: { subject: CODE, purpose: 'SELF_ACCESS' } }, owner);
    expect(self.errors).toBeUndefined();
  });

  it.each([
    ['INVALID_INPUT', { subject: CODE, purpose: 'LOAN_MONITORING' }],
    ['INVALID_INPUT', { subject: CODE, purpose: null }],
    ['INVALID_INPUT', { subject: CODE, product: 'no-such-product' }],
    ['INVALID_INPUT', { subject: CODE, product: 'xyd-monitoring' }],
    ['INVALID_CREDIT_CODE', { subject: '91120101MA9TYN016X' }],
  ])('answers %s to %j', async (code, input) => {
    const { errors } = await ask(CHECK, { input });
    expect(errors?.[0]?.extensions['code']).toBe(code);
  });

  it('of a clean subject has one row per department, is complete and recommends', async () => {
    const { check: answer } = await check(CLEAN);
    expect(answer.sources.map(({ department }: { department: string }) => department)).toEqual([
      'market-regulation',
      'tax',
      'courts',
      'human-resources',
      'public-security',
    ]);
    expect(answer.sources[0]).toEqual({
      department: 'market-regulation',
      status: 'OK',
      asOf: '2026-11-20T00:00:00Z',
      ms: 12,
      findings: 0,
    });
    expect(answer).toMatchObject({ completeness: 1, assessment: { conclusion: 'RECOMMEND', score: 90 } });
  });

  it('asks only the departments of its product', async () => {
    const { check: answer } = await check(CLEAN, 'xyd-micro');
    expect(answer.sources).toHaveLength(4);
  });

  it.each([
    ['a block that is null', { courts: null }, 'UNAVAILABLE', 'UNKNOWN'],
    ['a block without facts', { courts: { forAssessment: null } }, 'UNAVAILABLE', 'UNKNOWN'],
    ['OK without facts', { courts: block({}, { facts: null }) }, 'UNAVAILABLE', 'UNKNOWN'],
    ['a status that nobody knows', { courts: block({}, { status: 'FINE' }) }, 'UNAVAILABLE', 'UNKNOWN'],
    [
      'facts of another shape',
      { courts: block({}, { facts: { dishonestCount: [0] } }) },
      'UNAVAILABLE',
      'UNKNOWN',
    ],
    [
      'a time-out',
      { courts: block({}, { status: 'TIMEOUT', facts: null, findings: null }) },
      'TIMEOUT',
      'UNKNOWN',
    ],
    [
      'a time-out that brings facts',
      { courts: block(CLEAN.courts.forAssessment.facts, { status: 'TIMEOUT' }) },
      'TIMEOUT',
      'UNKNOWN',
    ],
  ])('takes %s for unknown', async (_, change, status, conclusion) => {
    const { check: answer } = await check({ ...CLEAN, ...change });
    expect(answer.sources[2]).toMatchObject({ department: 'courts', status, findings: null });
    expect(answer).toMatchObject({ completeness: 0.8, assessment: { conclusion, score: null } });
  });

  it('has somebody look when the identity check alone is still pending', async () => {
    const { check: answer } = await check({
      ...CLEAN,
      publicSecurity: block({}, { status: 'PENDING', facts: null, findings: null }),
    });
    expect(answer).toMatchObject({
      completeness: 0.8,
      assessment: { conclusion: 'REVIEW', score: expect.any(Number) },
    });
  });

  it('is still an answer with every department down: completeness 0, conclusion unknown', async () => {
    const { check: answer, errors } = await check({ registerForAssessment: null, ...DEAD });
    expect(errors).toBeUndefined();
    expect(answer).toMatchObject({ completeness: 0, assessment: { conclusion: 'UNKNOWN', score: null } });
    expect(answer.sources.every(({ status }: { status: string }) => status === 'UNAVAILABLE')).toBe(true);
  });

  it('goes on without the register, but not for a subject that the register does not know', async () => {
    const silent = await check({
      ...CLEAN,
      registerForAssessment: { ...CLEAN.registerForAssessment, status: 'UNAVAILABLE', facts: null },
    });
    expect(silent.check).toMatchObject({ completeness: 1 });
    const nobody = await check({
      ...CLEAN,
      registerForAssessment: { ...CLEAN.registerForAssessment, status: 'NONE_FOUND', facts: null },
    });
    expect(nobody.errors?.map(({ extensions }) => extensions['code'])).toEqual(
      Array(3).fill('SUBJECT_NOT_FOUND'),
    );
    expect(nobody.check).toEqual({ sources: null, completeness: null, assessment: null });
  });

  it.each<[string, Principal]>([
    ['the public', { kind: 'public', id: 'anonymous', purpose: 'PUBLIC_QUERY', subjects: [] }],
    [
      'an officer',
      { kind: 'department', id: 'tax-officer', department: 'tax', purpose: 'OFFICIAL_DUTY', subjects: [] },
    ],
    ['an operator', { kind: 'operator', id: 'operator', purpose: 'OPERATIONS', subjects: [] }],
    ['a bank with another purpose', { ...bank, purpose: 'PUBLIC_QUERY' }],
  ])('is not for %s, whatever the gateway granted', async (_, principal) => {
    const subject = { __typename: 'CreditSubject', id: subjectIds.ofOrganisation(CODE), ...CLEAN };
    const { data, errors } = await ask(
      ENTITIES,
      { representations: [{ __typename: 'CreditCheck', subject, product: 'xyd-standard' }] },
      principal,
    );
    expect(data).toBeNull();
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', item: 'finance.assessment' });
  });

  it('tells the public which products there are and what they need', async () => {
    const query = '{ loanProducts { id nameZh nameEn purposes departments items minimumCompleteness } }';
    const { data } = await ask(
      query,
      {},
      { kind: 'public', id: 'anonymous', purpose: 'PUBLIC_QUERY', subjects: [] },
    );
    expect(data.loanProducts.map(({ id }: { id: string }) => id)).toEqual([...loadProducts().keys()]);
    expect(data.loanProducts[0]).toMatchObject({ nameZh: '信易贷标准产品', items: ['finance.assessment'] });
  });
});

describe('the graph of a credit check', () => {
  it('composes with every department, and is planned through all of them back to finance', async () => {
    const departments = (await discoverDepartments()).map(({ subgraph, sdl }) => ({
      name: subgraph.name,
      url: 'http://127.0.0.1/',
      sdl,
    }));
    const supergraph = Supergraph.build(composeSupergraph(departments), { supportedFeatures: null });
    const planner = new QueryPlanner(supergraph);
    const query = `{ creditCheck(input: { subject: "${CODE}" }) { subject { name } ${RESULT} } }`;
    const plan = planner.buildQueryPlan(operationFromDocument(supergraph.apiSchema(), parse(query)));
    const services = [...JSON.stringify(plan).matchAll(/"serviceName":"([\w-]+)"/g)].map(([, name]) => name);
    expect(services.filter((name) => name === 'finance')).toHaveLength(2);
    const standard = loadProducts().get('xyd-standard');
    expect(new Set(services)).toEqual(new Set(['finance', 'subjects', ...(standard?.departments ?? [])]));
  });

  it('does not compose when the facts are taken without the item that guards them', async () => {
    const services = (await discoverDepartments()).map(({ subgraph, sdl }) => ({
      name: subgraph.name,
      url: 'http://127.0.0.1/',
      typeDefs: parse(
        toSubgraphSdl(
          subgraph.name === 'finance'
            ? sdl.replace(
                /(completeness: Float\s+@requires\([^)]+\))\s+@policy\(policies: \[\["finance.assessment"\]\]\)/,
                '$1',
              )
            : sdl,
        ),
      ),
    }));
    const { errors } = composeServices(services);
    expect(errors?.map((error) => error.extensions['code'])).toContain(
      'MISSING_TRANSITIVE_AUTH_REQUIREMENTS',
    );
  });
});
