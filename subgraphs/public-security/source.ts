/**
 * Real-name checks (实名核验) through the boundary gateway of 公安: one question about one person, a verdict code some
 * seconds later. Legacy codes ↔ our types. A question holds a name and an ID number; neither goes anywhere but there.
 */
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { z } from 'zod';
import type { CallContext, LegacyReply } from '../../adapters/adapter.ts';
import { isLegacyError, LegacyError } from '../../adapters/adapter.ts';
import { createResilientAdapter } from '../../adapters/resilient.ts';
import { createVerdictAdapter } from '../../adapters/verdict/adapter.ts';
import { referenceOf } from '../../adapters/verdict/tickets.ts';
import type { ServiceWindow } from '../../adapters/window.ts';
import type { PersonIdentity } from '../../schema/subject-id.ts';
import type { ConnectContext, Source } from '../define.ts';
import type { Found } from '../loader.ts';
import { groupRows } from '../loader.ts';
import type { PublicSecurityFacts, Verdict } from './facts.ts';

export const SYSTEM = '公安实名核验边界接入服务';

export interface PublicSecuritySettings {
  readonly url: string;
  readonly accessKey: string;
  readonly window: ServiceWindow;
  readonly dailyQuota: number;
  readonly deadlineMs: number;
  readonly coolDownMs: number;
}

export type CheckResult = Found<PublicSecurityFacts> | LegacyError | 'PENDING';

export interface PublicSecuritySource extends Source {
  /** One result per identity, in the same order; null is a person whom nobody knows, so that nobody can be asked. */
  check(
    identities: readonly (PersonIdentity | null)[],
    context: CallContext,
  ): Promise<readonly CheckResult[]>;
}

const VERDICTS: Readonly<Record<string, Verdict>> = { '00': 'MATCH', '01': 'MISMATCH', '02': 'NOT_FOUND' };

const rowSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('PENDING') }),
  z.object({
    state: z.literal('DECIDED'),
    verdict: z.string().refine((code) => Object.hasOwn(VERDICTS, code)),
  }),
]);

export function createPublicSecuritySource({
  settings,
  clock,
  observer,
}: ConnectContext<PublicSecuritySettings>): PublicSecuritySource {
  // Of this process alone: references are worth nothing elsewhere, and tickets are not kept beyond it.
  const referenceKey = randomBytes(32);
  const verdicts = createVerdictAdapter(
    {
      system: SYSTEM,
      url: settings.url,
      accessKey: settings.accessKey,
      referenceKey,
      // The gateway keeps an answer for a day.
      ticketMs: 24 * 3_600_000,
      mostTickets: 10_000,
      maxBytes: 64 * 1024,
    },
    { clock },
  );
  const adapter = createResilientAdapter(
    verdicts,
    {
      deadlineMs: settings.deadlineMs,
      // Most of a call is waiting for people's machines on the other side: places are cheap, questions are not.
      concurrency: 32,
      queue: 200,
      breaker: { failures: 5, coolDownMs: settings.coolDownMs },
      window: settings.window,
      dailyQuota: settings.dailyQuota,
      // No retry: each question counts against the quota.
    },
    { clock, observer },
  );

  async function checkOne(identity: PersonIdentity | null, context: CallContext): Promise<CheckResult> {
    if (identity === null)
      return new LegacyError('unavailable', SYSTEM, 'cannot be asked about an unknown person');
    try {
      const question = { XM: identity.name, GMSFHM: identity.citizenId };
      const reply = await adapter.call({ question }, context);
      return toResult(reply, referenceOf(referenceKey, question), (count) =>
        observer.foreignRows(SYSTEM, count),
      );
    } catch (error) {
      if (isLegacyError(error)) return error;
      throw error;
    }
  }

  return {
    check(identities, context) {
      // One listener for each subject of a portfolio, all gone with the request: no leak to be warned of.
      setMaxListeners(0, context.signal);
      return Promise.all(identities.map((identity) => checkOne(identity, context)));
    },
    close: () => adapter.close(),
  };
}

/**
 * The result for the question with this reference. The answer to another question is dropped and reported, which leaves
 * this one without any. Throws LegacyError malformed for an answer that is missing or cannot be read.
 */
export function toResult(
  { rows, asOf }: LegacyReply,
  reference: string,
  onForeign: (count: number) => void,
): Found<PublicSecurityFacts> | 'PENDING' {
  const groups = groupRows(rows, [reference], (row) => String(row['reference']), onForeign);
  const [own, ...others] = groups.get(reference) ?? [];
  const parsed = rowSchema.safeParse(own);
  if (!parsed.success || others.length > 0)
    throw new LegacyError('malformed', SYSTEM, 'gave no verdict that can be read');
  if (parsed.data.state === 'PENDING') return 'PENDING';
  const legalRepresentativeCheck = VERDICTS[parsed.data.verdict] as Verdict;
  // That the register has no such number is a verdict as well: the department has answered.
  return { found: true, facts: { legalRepresentativeCheck }, asOf };
}
