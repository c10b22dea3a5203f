/**
 * The same supergraph behind somebody else's router, which enforces nothing, before the real subgraphs: does it get anything
 * out of them? Every protected field is asked for without a principal and with forged ones; the subgraphs refuse. As the control
 * the same questions are asked with principals that the gateway's own key signed: then the data come.
 */
import { pino } from 'pino';
import { request } from 'undici';
import type { PersonaName } from '../../schema/sandbox-tokens.ts';
import { SAMPLE_COMPANY_CODE } from '../../schema/sandbox-tokens.ts';
import type { Sandbox } from '../../scripts/sandbox.ts';
import { startSandbox } from '../../scripts/sandbox.ts';
import { parseCreditCode } from '../../schema/identifiers/unified-social-credit-code.ts';
import type { Principal } from '../../schema/principal.ts';
import { readCatalogue, readSupergraph } from './shared/files.ts';
import { openDatabases } from './shared/gateway-under-trial.ts';
import type { Access, Graph } from './shared/graph.ts';
import { findAccesses, readGraph } from './shared/graph.ts';
import { createOracle } from './shared/oracle.ts';
import type { Router } from './shared/routers.ts';
import { startHiveRouter, startStockRouter } from './shared/routers.ts';
import { SHAPES } from './shared/shapes.ts';
import { DISGUISES, startSigningProxy } from './shared/signing-proxy.ts';
import type { Figures, PartOptions } from './shared/part.ts';

/** Share of the fields that clients can see which the control must get, or the harness asks in vain. */
const LEAST_CONTROL = 0.5;
/** Questions at once. */
const WIDTH = 12;

export default async function foreignRouter(options: PartOptions): Promise<Figures> {
  const { seed, size, print } = options;
  const oracle = createOracle(readCatalogue());
  const graph = readGraph(readSupergraph());
  const databases = openDatabases();
  const sandbox = await startSandbox({
    port: 0,
    scale: 60,
    seed,
    faultRate: 0,
    latencyMs: 0,
    log: pino({ level: 'silent' }),
    postgres: databases.url,
  });
  const [subgraphUrl = ''] = Object.values(sandbox.subgraphUrls);
  const proxy = await startSigningProxy(new URL(subgraphUrl).origin, [...oracle.items.keys()]);
  const supergraph = readSupergraph().replaceAll(/http:\/\/127\.0\.0\.1:4001/g, proxy.url);
  if (!supergraph.includes(proxy.url))
    throw new Error('the supergraph names other addresses than was thought');
  let router: Router | null = null;
  try {
    router = size === 'bench' ? await startHiveRouter(supergraph, print) : await startStockRouter(supergraph);
    const codes = sandbox.population.map(({ code }) => code).filter((code) => parseCreditCode(code).ok);
    await untilKnown(router, proxy, codes);
    await fillRegisters(sandbox);
    const accesses = findAccesses(graph).filter(({ operation }) => operation === 'query');
    const open = new Set(accesses.filter(({ isOpen }) => isOpen).flatMap(coordinatesOf));
    const asking: Asking = { router, graph, codes: codes.slice(0, 20) };

    const control = new Set<string>();
    const leaks: string[] = [];
    let questions = 0;
    const signed = signedPrincipals(codes);
    for (const principal of signed)
      for (const some of chunked(accesses, WIDTH)) {
        proxy.wear('signed', principal);
        for (const coordinate of await askAll(asking, some)) control.add(coordinate);
        // At once after: a token that somebody saw on the way still lives.
        proxy.wear('replayed', principal);
        for (const coordinate of await askAll(asking, some)) leaks.push(`${coordinate} (replayed)`);
        questions += some.length;
      }
    print(`control: signed by the gateway's key, ${control.size} of ${open.size} fields were got`);
    if (control.size < LEAST_CONTROL * open.size)
      throw new Error('the control got too little: without it the refusals show nothing');
    print(`  principal replayed: ${new Set(leaks).size} fields got`);

    for (const disguise of DISGUISES.filter((one) => one !== 'signed' && one !== 'replayed')) {
      proxy.wear(disguise, signed[0] as Principal);
      const got = new Set<string>();
      for (const some of chunked(accesses, WIDTH))
        for (const coordinate of await askAll(asking, some)) got.add(coordinate);
      questions += accesses.length;
      for (const coordinate of got) leaks.push(`${coordinate} (${disguise})`);
      print(`  principal ${disguise}: ${got.size} fields got`);
    }
    for (const leak of [...new Set(leaks)].slice(0, 20)) print(`  LEAK ${leak}`);
    return {
      foreignRouterLeaks: new Set(leaks).size,
      foreignRouterQuestions: questions,
      foreignRouterControl: control.size / open.size,
    };
  } finally {
    await router?.close();
    await proxy.close();
    await sandbox.close();
    await databases.close();
  }
}

interface Asking {
  readonly router: Router;
  readonly graph: Graph;
  readonly codes: readonly string[];
}

const coordinatesOf = ({ coordinates }: Access) => coordinates.map(({ id }) => id);

/** Protected fields of which a router got a value; the ways to them are asked for all at once. */
async function askAll(
  { router, graph, codes }: Asking,
  accesses: readonly Access[],
): Promise<ReadonlySet<string>> {
  const [code = ''] = codes;
  const values = {
    CreditCode: code,
    '[CreditCode]': codes,
    SubjectId: `O-${code}`,
    '[SubjectId]': codes.map((one) => `O-${one}`),
    CitizenId: '120101190001010016',
    String: '天津',
  };
  const got = await Promise.all(
    accesses.map(async (access) => {
      const shaped = SHAPES['plain']?.({ graph, values }, access);
      if (!shaped) throw new Error('the plain shape is missing');
      const answer = (await router.ask(shaped.query, shaped.variables)) as { data?: unknown };
      return shaped.places.filter(({ keys }) => hasValueAt(answer.data, keys));
    }),
  );
  return new Set(got.flat().map(({ coordinate }) => coordinate.id));
}

function chunked<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) =>
    list.slice(at * size, (at + 1) * size),
  );
}

function hasValueAt(data: unknown, keys: readonly string[]): boolean {
  const [key, ...rest] = keys;
  if (Array.isArray(data)) return data.some((one) => hasValueAt(one, keys));
  if (key === undefined) return data !== null && data !== undefined;
  if (typeof data !== 'object' || data === null) return false;
  return hasValueAt((data as Readonly<Record<string, unknown>>)[key], rest);
}

/** Principals that between them are granted about everything, were they really the ones they seem. */
function signedPrincipals(codes: readonly string[]): readonly Principal[] {
  const subjects = codes.slice(0, 20).map((code) => `O-${code}`);
  return [
    { kind: 'bank', id: 'bank-a', purpose: 'LOAN_ORIGINATION', subjects: [] },
    { kind: 'subject', id: 'owner', purpose: 'SELF_ACCESS', subjects },
    {
      kind: 'department',
      id: 'officer',
      purpose: 'OFFICIAL_DUTY',
      subjects: [],
      department: 'market-regulation',
    },
    { kind: 'department', id: 'tax-officer', purpose: 'EMERGENCY', subjects: [], department: 'tax' },
    { kind: 'auditor', id: 'auditor', purpose: 'AUDIT', subjects: [] },
  ];
}

/** What the platform's own registers hold: a consent, a release, and records of who looked. */
async function fillRegisters(sandbox: Sandbox): Promise<void> {
  const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  const subject = `O-${SAMPLE_COMPANY_CODE}`;
  const ask = async (as: PersonaName, purpose: string, query: string, variables: object) => {
    const response = await request(sandbox.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await sandbox.token(as)}`,
        'jinxin-purpose': purpose,
      },
      body: JSON.stringify({ query, variables }),
    });
    const { errors } = (await response.body.json()) as { errors?: readonly { message: string }[] };
    if (errors) throw new Error(`a register could not be filled: ${errors[0]?.message ?? ''}`);
  };
  await ask(
    'company-owner',
    'SELF_ACCESS',
    'mutation ($input: GrantConsentInput!) { grantConsent(input: $input) { id } }',
    {
      input: {
        subject,
        consumer: 'bank-b',
        purpose: 'LOAN_ORIGINATION',
        items: ['tax.grade'],
        expiresAt: day(7),
        periodFrom: day(-300).slice(0, 10),
        periodUntil: day(0).slice(0, 10),
        dataLifeDays: 7,
        frequency: { times: 1, per: 'CONSENT' },
      },
    },
  );
  await ask(
    'tax-officer',
    'EMERGENCY',
    'mutation ($input: BreakGlassInput!) { breakGlass(input: $input) { id } }',
    {
      input: {
        subject,
        items: ['human-resources.insured-count'],
        reason: '演练：无真实紧急情况，仅供核对放行登记',
        minutes: 10,
      },
    },
  );
  const code = SAMPLE_COMPANY_CODE;
  const read = 'query ($code: CreditCode!) { creditSubject(code: $code) { tax { grade } } }';
  await ask('bank-a', 'LOAN_ORIGINATION', read, { code });
}

/** The index of subjects is read in the background: waits until the router gets one of them with a good signature. */
async function untilKnown(
  router: Router,
  proxy: Awaited<ReturnType<typeof startSigningProxy>>,
  codes: readonly string[],
): Promise<void> {
  proxy.wear('signed', { kind: 'bank', id: 'bank-a', purpose: 'LOAN_ORIGINATION', subjects: [] });
  const query = 'query ($code: CreditCode!) { creditSubject(code: $code) { tax { status isGradeA } } }';
  for (const until = Date.now() + 30_000; ;) {
    const { data } = (await router.ask(query, { code: codes.at(-1) })) as { data?: unknown };
    if (hasValueAt(data, ['creditSubject', 'tax', 'isGradeA'])) return;
    if (Date.now() > until) throw new Error('the sandbox did not come to answer within thirty seconds');
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
