/** One department as it runs: its simulator, its subgraph over HTTP, and questions signed as the gateway signs them. */
import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'graphql';
import { pino } from 'pino';
import { request } from 'undici';
import type { Clock } from '../../adapters/clock.ts';
import { createClock } from '../../adapters/clock.ts';
import { sandboxBytes, sandboxKey } from '../../schema/keys.ts';
import { policiesOf } from '../../schema/policies.ts';
import type { Principal } from '../../schema/principal.ts';
import { PRINCIPAL_HEADER, signPrincipal } from '../../schema/principal.ts';
import type { SubjectIds } from '../../schema/subject-id.ts';
import { createSubjectIds } from '../../schema/subject-id.ts';
import type { Registration } from '../../simulators/population/registrations.ts';
import { generatePopulation } from '../../simulators/population/registrations.ts';
import type { RunningSimulator, Simulator } from '../../simulators/simulator.ts';
import { discoverDepartments } from '../../subgraphs/discover.ts';
import { serveSubgraphs } from '../../subgraphs/serve.ts';
import { createTestDatabases } from './postgres.ts';

export interface DepartmentKit {
  readonly simulator: RunningSimulator;
  readonly population: readonly Registration[];
  readonly subjectIds: SubjectIds;
  /** Asks `_entities` for organisations by code; `selection` is what is selected on CreditSubject. */
  ask(question: Question): Promise<Reply>;
  foreignRows(): number;
  quarantined(): number;
  close(): Promise<void>;
}

export interface Question {
  readonly codes: readonly string[];
  readonly selection: string;
  readonly principal?: Principal;
  /** Items that the gateway granted; every item of the department by default. */
  readonly items?: readonly string[];
  /** More fields of a representation (what the department @requires). */
  readonly extra?: (code: string) => Readonly<Record<string, unknown>>;
}

export interface Reply {
  readonly status: number;
  // What a test selects is for the test to know.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly entities: readonly any[];
  readonly errors: readonly {
    readonly message: string;
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
  readonly maxAge: readonly number[];
}

/** A bank that the gateway has granted everything: what a department checks beyond that is its own catalogue. */
export const TEST_BANK: Principal = { kind: 'bank', id: 'bank-a', purpose: 'LOAN_ORIGINATION', subjects: [] };

const SIMULATORS = join(import.meta.dirname, '../../simulators');

export async function startDepartment(
  name: string,
  options: {
    population?: readonly Registration[];
    seed?: string;
    latencyMs?: number;
    /** JINXIN_… variables on top of the simulator's. */
    settings?: Readonly<Record<string, string>>;
    clock?: Clock;
    softDeadlineMs?: number;
  } = {},
): Promise<DepartmentKit> {
  const clock = options.clock ?? createClock(1);
  const seed = options.seed ?? 'test';
  const population = options.population ?? generatePopulation({ size: 200, seed });
  const log = pino({ level: process.env['JINXIN_TEST_LOG'] ?? 'silent' });
  const databases = createTestDatabases();
  const module = (await import(pathToFileURL(join(SIMULATORS, name, 'simulator.ts')).href)) as {
    default: Simulator;
  };
  const simulator = await module.default.start({
    population,
    seed,
    clock,
    log,
    latencyMs: options.latencyMs ?? 0,
    postgres: (database) => databases.url(database),
  });
  const department = await discoverDepartments([name]);
  const gatewayKey = sandboxKey('gateway');
  const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
  const counts = { foreign: 0, quarantined: 0 };
  const giveUp = async (error: unknown): Promise<never> => {
    await simulator.close();
    await databases.close();
    throw error;
  };
  const running = await serveSubgraphs({
    departments: department,
    listen: { host: '127.0.0.1', port: 0 },
    environment: {
      JINXIN_PLATFORM_URL: await databases.url('platform'),
      ...simulator.environment,
      ...options.settings,
    },
    gatewayKey: createPublicKey(gatewayKey),
    subjectIds,
    clock,
    observer: {
      called: () => {},
      breaker: () => {},
      foreignRows: (_, count) => (counts.foreign += count),
      quarantined: (_, count) => (counts.quarantined += count),
    },
    log,
    softDeadlineMs: options.softDeadlineMs ?? 2_000,
  }).catch(giveUp);
  const items = itemsOfSdl(department[0]?.sdl ?? '');

  return {
    simulator,
    population,
    subjectIds,
    foreignRows: () => counts.foreign,
    quarantined: () => counts.quarantined,
    async ask(question) {
      const body = JSON.stringify({
        query: `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on CreditSubject { ${question.selection} } } }`,
        variables: {
          representations: question.codes.map((code) => ({
            __typename: 'CreditSubject',
            id: subjectIds.ofOrganisation(code),
            ...question.extra?.(code),
          })),
        },
      });
      const grant = {
        subgraph: name,
        principal: question.principal ?? TEST_BANK,
        items: question.items ?? items,
      };
      const response = await request(running.urls[name] ?? '', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          [PRINCIPAL_HEADER]: signPrincipal(gatewayKey, grant, body, Date.now()),
        },
        body,
      });
      const answer = (await response.body.json()) as {
        data?: { _entities?: Reply['entities'] };
        errors?: Reply['errors'];
        extensions?: { jinxin?: { maxAge?: number[] } };
      };
      return {
        status: response.statusCode,
        entities: answer.data?._entities ?? [],
        errors: answer.errors ?? [],
        maxAge: answer.extensions?.jinxin?.maxAge ?? [],
      };
    },
    async close() {
      await running.close();
      await simulator.close();
      await databases.close();
    },
  };
}

function itemsOfSdl(sdl: string): readonly string[] {
  const items = new Set<string>();
  for (const definition of parse(sdl).definitions)
    if ('fields' in definition)
      for (const field of definition.fields ?? [])
        if (field.kind === 'FieldDefinition') for (const item of policiesOf(field)) items.add(item);
  return [...items];
}
