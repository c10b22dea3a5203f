/** One department of the platform's own records as it runs over PostgreSQL, asked with principals as the gateway signs them. */
import { createPublicKey } from 'node:crypto';
import { Kind, parse } from 'graphql';
import { pino } from 'pino';
import { request } from 'undici';
import { systemClock } from '../../adapters/clock.ts';
import { sandboxBytes, sandboxKey } from '../../schema/keys.ts';
import { policiesOf } from '../../schema/policies.ts';
import type { Principal } from '../../schema/principal.ts';
import { PRINCIPAL_HEADER, signPrincipal } from '../../schema/principal.ts';
import { createSubjectIds } from '../../schema/subject-id.ts';
import { discoverDepartments } from '../../subgraphs/discover.ts';
import { serveSubgraphs } from '../../subgraphs/serve.ts';

export interface PlatformDepartment {
  /** Calls of the store so far. */
  calls(): number;
  now(): number;
  /** Sets the department's clock, ms since the epoch; it goes on from there. */
  travelTo(at: number): void;
  ask(principal: Principal, query: string, variables?: object, items?: readonly string[]): Promise<Reply>;
  /** The log, as lines of JSON. */
  readonly lines: string[];
  close(): Promise<void>;
}

export interface Reply {
  // What a test selects is for the test to know.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data: any;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
  readonly extensions?: { readonly jinxin?: { readonly maxAge?: readonly number[] } };
}

export const testSubjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));

export async function startPlatformDepartment(
  name: string,
  environment: Readonly<Record<string, string>>,
): Promise<PlatformDepartment> {
  const departments = await discoverDepartments([name]);
  const items = itemsOfSdl(departments[0]?.sdl ?? '');
  const lines: string[] = [];
  let calls = 0;
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const clock = {
    ...systemClock,
    now,
    deadline: (at: number, parent?: AbortSignal) => systemClock.deadline(at - ahead, parent),
  };
  const running = await serveSubgraphs({
    departments,
    listen: { host: '127.0.0.1', port: 0 },
    environment,
    gatewayKey: createPublicKey(sandboxKey('gateway')),
    subjectIds: testSubjectIds,
    clock,
    observer: { called: () => (calls += 1), breaker: () => {}, foreignRows: () => {}, quarantined: () => {} },
    log: pino({ level: 'info' }, { write: (line) => lines.push(line) }),
    softDeadlineMs: 5_000,
  });
  return {
    calls: () => calls,
    now,
    travelTo: (at) => (ahead = at - Date.now()),
    lines,
    async ask(principal, query, variables = {}, granted = items) {
      const body = JSON.stringify({ query, variables });
      const signed = signPrincipal(
        sandboxKey('gateway'),
        { principal, items: granted, subgraph: name },
        body,
        Date.now(),
      );
      const headers = { 'content-type': 'application/json', [PRINCIPAL_HEADER]: signed };
      const answer = await request(running.urls[name] ?? '', { method: 'POST', headers, body });
      return (await answer.body.json()) as Reply;
    },
    close: running.close,
  };
}

function itemsOfSdl(sdl: string): readonly string[] {
  const items = new Set<string>();
  for (const definition of parse(sdl).definitions)
    if (definition.kind === Kind.OBJECT_TYPE_DEFINITION)
      for (const field of definition.fields ?? []) for (const item of policiesOf(field)) items.add(item);
  return [...items];
}
