/** The consent department as it runs, on a database of the test's own and a clock that the test moves. */
import { createPublicKey } from 'node:crypto';
import { pino } from 'pino';
import { request } from 'undici';
import type { Clock } from '../../adapters/clock.ts';
import { systemClock } from '../../adapters/clock.ts';
import { sandboxBytes, sandboxKey } from '../../schema/keys.ts';
import type { Principal } from '../../schema/principal.ts';
import { PRINCIPAL_HEADER, signPrincipal } from '../../schema/principal.ts';
import { SAMPLE_CITIZEN_ID, SAMPLE_COMPANY_CODE, SAMPLE_MINOR_ID } from '../../schema/sandbox-tokens.ts';
import { toSm2Key } from '../../schema/signatures/sm2.ts';
import { createSubjectIds } from '../../schema/subject-id.ts';
import { discoverDepartments } from '../../subgraphs/discover.ts';
import { serveSubgraphs } from '../../subgraphs/serve.ts';

export const DAY = 86_400_000;
/** A key that production would have of its own. */
export const CONSENT_KEY = toSm2Key('5f'.repeat(32));
export const CONSENT_ITEMS = ['consent.artefact', 'consent.prepare', 'consent.manage', 'consent.active'];

export const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
export const SAMPLE = subjectIds.ofOrganisation(SAMPLE_COMPANY_CODE);
export const OTHER = subjectIds.ofOrganisation('91120116MA9TYN024H');
export const CITIZEN = subjectIds.ofPerson(SAMPLE_CITIZEN_ID);
export const MINOR = subjectIds.ofPerson(SAMPLE_MINOR_ID);

const subject = (id: string, of: string): Principal => ({
  kind: 'subject',
  id,
  purpose: 'SELF_ACCESS',
  subjects: [of],
});
export const owner = subject('company-owner', SAMPLE);
export const citizen = subject('citizen', CITIZEN);
export const minor = subject('minor', MINOR);
export const agent: Principal = {
  ...subject('company-agent', SAMPLE),
  actsFor: [{ subject: SAMPLE, as: 'AGENT' }],
};
export const guardian: Principal = {
  ...subject('guardian', MINOR),
  actsFor: [{ subject: MINOR, as: 'GUARDIAN' }],
};
export const bank: Principal = { kind: 'bank', id: 'bank-a', purpose: 'LOAN_ORIGINATION', subjects: [] };
export const gateway: Principal = { kind: 'operator', id: 'gateway', purpose: 'OPERATIONS', subjects: [] };

export interface ConsentReply {
  // What a test selects is for the test to know.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data: any;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
}

export interface ConsentKit {
  /** Statements that reached the register. */
  calls(): number;
  /** Moves the department's clock on. */
  travel(ms: number): void;
  now(): number;
  ask(principal: Principal, query: string, variables: object): Promise<ConsentReply>;
  close(): Promise<void>;
}

export async function startConsent(
  environment: Readonly<Record<string, string>>,
  /** Called instead of sleeping; the department sleeps before it acknowledges, and between purges. */
  sleep: Clock['sleep'] = systemClock.sleep,
): Promise<ConsentKit> {
  let calls = 0;
  let ahead = 0;
  const clock: Clock = { ...systemClock, now: () => Date.now() + ahead, sleep };
  const running = await serveSubgraphs({
    departments: await discoverDepartments(['consent']),
    listen: { host: '127.0.0.1', port: 0 },
    environment: {
      JINXIN_CONSENT_SIGNING_KEY: CONSENT_KEY.export({ type: 'pkcs8', format: 'pem' }) as string,
      ...environment,
    },
    gatewayKey: createPublicKey(sandboxKey('gateway')),
    subjectIds,
    clock,
    observer: { called: () => (calls += 1), breaker: () => {}, foreignRows: () => {}, quarantined: () => {} },
    log: pino({ level: process.env['JINXIN_TEST_LOG'] ?? 'silent' }),
    softDeadlineMs: 5_000,
  });
  return {
    close: running.close,
    calls: () => calls,
    travel: (ms) => (ahead += ms),
    now: clock.now,
    async ask(principal, query, variables) {
      const body = JSON.stringify({ query, variables });
      const grant = { principal, items: CONSENT_ITEMS };
      const signed = signPrincipal(sandboxKey('gateway'), grant, body, Date.now());
      const headers = { 'content-type': 'application/json', [PRINCIPAL_HEADER]: signed };
      const answer = await request(running.urls['consent'] ?? '', { method: 'POST', headers, body });
      return (await answer.body.json()) as ConsentReply;
    },
  };
}

/** Terms of a direct consent of the sample company to bank-a, within the template of an origination. */
export const grantInput = (now: number) => ({
  subject: SAMPLE,
  consumer: 'bank-a',
  purpose: 'LOAN_ORIGINATION',
  items: ['finance.assessment', 'tax.grade'],
  expiresAt: new Date(now + 20 * DAY).toISOString(),
  periodFrom: new Date(now - 300 * DAY).toISOString().slice(0, 10),
  periodUntil: new Date(now).toISOString().slice(0, 10),
  dataLifeDays: 7,
  frequency: { times: 1, per: 'CONSENT' },
});
