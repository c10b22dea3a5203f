/** The gateway's own question: which live consents has this consumer for this purpose from these subjects? */
import { z } from 'zod';
import type { Principal } from '../../schema/principal.ts';
import { CONSENT_FIELD } from '../supergraph/load.ts';
import type { Transport } from './transport.ts';
import { SubgraphUnreachableError } from './transport.ts';

export interface LiveConsents {
  readonly ids: readonly string[];
  readonly items: ReadonlyMap<string, ReadonlySet<string>>;
}

const QUERY = `query ($consumer: String!, $purpose: Purpose!, $subjects: [SubjectId!]!) { ${CONSENT_FIELD}(consumer: $consumer, purpose: $purpose, subjects: $subjects) { id subject items expiresAt } }`;

/** The item of the question itself, in the catalogue of whoever keeps the consents. */
const ITEM = 'consent.active';

/** As whom the gateway asks: for itself, not for the consumer. */
const GATEWAY: Principal = { kind: 'operator', id: 'gateway', purpose: 'OPERATIONS', subjects: [] };

const answerSchema = z.object({
  [CONSENT_FIELD]: z.array(
    z.object({ id: z.string(), subject: z.string(), items: z.array(z.string()), expiresAt: z.string() }),
  ),
});

/**
 * Rejects when the consents cannot be read: without them nothing that needs one is disclosed (fail closed). Not cached
 * across requests, so that a revocation holds from the next request on.
 */
export async function findConsents(
  transport: Transport,
  subgraph: string,
  question: { principal: Principal; subjects: readonly string[]; signal: AbortSignal; deadline: number },
): Promise<LiveConsents> {
  const { id, purpose } = question.principal;
  const { data, errors } = await transport.send(subgraph, {
    query: QUERY,
    variables: { consumer: id, purpose, subjects: question.subjects },
    principal: GATEWAY,
    items: [ITEM],
    signal: question.signal,
    deadline: question.deadline,
  });
  const parsed = answerSchema.safeParse(data);
  if (errors.length > 0 || !parsed.success)
    throw new SubgraphUnreachableError(subgraph, 'did not say which consents are live');
  const now = Date.now();
  const live = parsed.data[CONSENT_FIELD].filter(({ expiresAt }) => Date.parse(expiresAt) > now);
  const items = new Map<string, Set<string>>();
  for (const consent of live) {
    const granted = items.get(consent.subject) ?? new Set<string>();
    for (const item of consent.items) granted.add(item);
    items.set(consent.subject, granted);
  }
  return { ids: live.map((consent) => consent.id), items };
}
