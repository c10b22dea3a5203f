/** The gateway's own questions to the platform's registers: asked for itself, not for the consumer, and never cached here. */
import { z } from 'zod';
import { CONSENT_GIVERS, CONSENT_REFUSALS } from '../../schema/consent.ts';
import type { ConsentRefusal } from '../../schema/consent.ts';
import type { Principal } from '../../schema/principal.ts';
import type { ConsentFact, ReleaseFact, SubjectState } from '../authorization/subject-facts.ts';
import type { InternalField } from '../supergraph/load.ts';
import type { Transport } from './transport.ts';
import { SubgraphUnreachableError } from './transport.ts';

export interface InternalQuestions {
  /** Live consents of each subject for a consumer and purpose. `request`: one whose earlier use of a consent does not count. */
  consents(asked: {
    consumer: string;
    purpose: string;
    subjects: readonly string[];
    request: string;
  }): Promise<ReadonlyMap<string, readonly ConsentFact[]>>;
  /** Open break-glass releases of each subject for an officer. */
  releases(
    consumer: string,
    subjects: readonly string[],
  ): Promise<ReadonlyMap<string, readonly ReleaseFact[]>>;
  /** Of subjects that a register knows to be deceased or deregistered; the others are absent. */
  states(subjects: readonly string[]): Promise<ReadonlyMap<string, SubjectState>>;
  /** Counts one use of each consent by this request, and says which of them no longer hold. Safe to repeat. */
  confirm(asked: {
    ids: readonly string[];
    consumer: string;
    request: string;
    digest: string;
  }): Promise<readonly { readonly id: string; readonly reason: ConsentRefusal }[]>;
}

interface Limits {
  readonly signal: AbortSignal;
  readonly deadline: number;
}

/** As whom the gateway asks. */
const GATEWAY: Principal = { kind: 'operator', id: 'gateway', purpose: 'OPERATIONS', subjects: [] };

const QUESTIONS: Readonly<Record<InternalField, { readonly item: string; readonly query: string }>> = {
  activeConsents: {
    item: 'consent.active',
    query: `query ($consumer: String!, $purpose: Purpose!, $subjects: [SubjectId!]!, $request: String) {
      activeConsents(consumer: $consumer, purpose: $purpose, subjects: $subjects, request: $request) {
        id subject items writtenItems givenBy expiresAt } }`,
  },
  confirmConsents: {
    item: 'consent.active',
    query: `mutation ($ids: [ID!]!, $consumer: String!, $request: String!, $digest: String!) {
      confirmConsents(ids: $ids, consumer: $consumer, request: $request, digest: $digest) { held refused { id reason } } }`,
  },
  activeBreakGlass: {
    item: 'break-glass.active',
    query: `query ($consumer: String!, $subjects: [SubjectId!]!) {
      activeBreakGlass(consumer: $consumer, subjects: $subjects) { id subject items expiresAt } }`,
  },
  subjectStates: {
    item: 'subjects.state',
    query: `query ($subjects: [SubjectId!]!) { subjectStates(subjects: $subjects) { subject state } }`,
  },
};

const expiring = {
  id: z.string(),
  subject: z.string(),
  items: z.array(z.string()),
  expiresAt: z.iso.datetime(),
};
const consentsSchema = z.object({
  activeConsents: z.array(
    z.object({ ...expiring, writtenItems: z.array(z.string()), givenBy: z.enum(CONSENT_GIVERS) }),
  ),
});
const releasesSchema = z.object({ activeBreakGlass: z.array(z.object(expiring)) });
const statesSchema = z.object({
  subjectStates: z.array(z.object({ subject: z.string(), state: z.enum(['DECEASED', 'DEREGISTERED']) })),
});
const confirmSchema = z.object({
  confirmConsents: z.object({
    held: z.array(z.string()),
    refused: z.array(z.object({ id: z.string(), reason: z.enum(CONSENT_REFUSALS) })),
  }),
});

/**
 * Each question rejects with SubgraphUnreachableError when it cannot be answered: what it would have said is unknown, and
 * never "none". A graph without the field has no such register: its answer is none.
 */
export function createInternalQuestions(
  transport: Transport,
  internal: ReadonlyMap<InternalField, string>,
  { signal, deadline }: Limits,
): InternalQuestions {
  async function ask<Answer>(
    field: InternalField,
    variables: Readonly<Record<string, unknown>>,
    schema: z.ZodType<Answer>,
  ): Promise<Answer | null> {
    const subgraph = internal.get(field);
    if (subgraph === undefined) return null;
    const { item, query } = QUESTIONS[field];
    const { data, errors } = await transport.send(subgraph, {
      query,
      variables,
      principal: GATEWAY,
      items: [item],
      signal,
      deadline,
    });
    const parsed = schema.safeParse(data);
    if (errors.length > 0 || !parsed.success) throw new InternalQuestionError(subgraph, field, errors[0]);
    return parsed.data;
  }

  return {
    async consents(asked) {
      const answer = await ask('activeConsents', asked, consentsSchema);
      const now = Date.now();
      const live = (answer?.activeConsents ?? []).filter(({ expiresAt }) => Date.parse(expiresAt) > now);
      return groupBySubject(live, ({ id, items, writtenItems, givenBy }) => ({
        id,
        items: new Set(items),
        written: new Set(writtenItems),
        givenBy,
      }));
    },
    async releases(consumer, subjects) {
      const answer = await ask('activeBreakGlass', { consumer, subjects }, releasesSchema);
      const now = Date.now();
      const open = (answer?.activeBreakGlass ?? []).filter(({ expiresAt }) => Date.parse(expiresAt) > now);
      return groupBySubject(open, ({ id, items }) => ({ id, items: new Set(items) }));
    },
    async states(subjects) {
      const answer = await ask('subjectStates', { subjects }, statesSchema);
      return new Map(answer?.subjectStates.map(({ subject, state }) => [subject, state]));
    },
    async confirm(asked) {
      const answer = await ask('confirmConsents', asked, confirmSchema);
      const held = new Set(answer?.confirmConsents.held);
      const refused = answer?.confirmConsents.refused ?? [];
      const told = new Set(refused.map(({ id }) => id));
      // What was asked and not answered does not hold.
      const silent = asked.ids.filter((id) => !held.has(id) && !told.has(id));
      return [...refused, ...silent.map((id) => ({ id, reason: 'UNKNOWN' as const }))];
    },
  };
}

/** A register that could not answer. `code` is its own, where it stands in the table of errors. */
export class InternalQuestionError extends SubgraphUnreachableError {
  readonly code: string | null;
  constructor(
    subgraph: string,
    field: string,
    error: { readonly extensions?: Readonly<Record<string, unknown>> | null | undefined } | undefined,
  ) {
    super(subgraph, `did not answer ${field}`);
    const code = error?.extensions?.['code'];
    this.code = typeof code === 'string' ? code : null;
    this.name = 'InternalQuestionError';
  }
}

function groupBySubject<Row extends { readonly subject: string }, Fact>(
  rows: readonly Row[],
  toFact: (row: Row) => Fact,
): ReadonlyMap<string, readonly Fact[]> {
  const groups = new Map<string, Fact[]>();
  for (const row of rows) groups.set(row.subject, [...(groups.get(row.subject) ?? []), toFact(row)]);
  return groups;
}
