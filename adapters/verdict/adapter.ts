/**
 * Question and answer through a one-way gateway (边界接入): a question is accepted with a ticket, a verdict comes seconds
 * later. The adapter waits for it as long as the caller can; what is not decided by then is a row that says PENDING, and
 * its ticket is remembered, so that the same question later picks up the same answer and is not asked, or counted, twice.
 *
 * A question holds personal data. It travels in the body of one POST and nowhere else: not in a URL, a log, an error, and
 * not in the ticket, whatever the system would put there.
 */
import { z } from 'zod';
import type { Adapter, LegacyReply } from '../adapter.ts';
import { LegacyError } from '../adapter.ts';
import type { Clock } from '../clock.ts';
import type { Question } from './tickets.ts';
import { createOpenTickets, referenceOf } from './tickets.ts';
import { createWire } from './wire.ts';

export interface VerdictRequest {
  /** Column → value, as the department names them. */
  readonly question: Question;
}

/** The one row of a reply. `reference` tells which question it answers (see referenceOf). */
export type VerdictRow =
  | { readonly state: 'DECIDED'; readonly reference: string; readonly verdict: string }
  | { readonly state: 'PENDING'; readonly reference: string; readonly ticket: string };

export interface VerdictOptions {
  readonly system: string;
  readonly url: string;
  readonly accessKey: string;
  /** Key of the references; of this process alone is enough, for tickets live no longer. */
  readonly referenceKey: Uint8Array;
  /** How long the system keeps an answer for its ticket, ms. */
  readonly ticketMs: number;
  readonly mostTickets: number;
  readonly maxBytes: number;
}

/** Of the time that is left, how much may go by in waiting; the rest is for the way back. */
const WAITING_SHARE = 0.85;
/** Longest wait that one question for the answer asks for; gateways cut longer ones. */
const LONGEST_WAIT_MS = 10_000;
/** Between two questions for an answer, should the system not wait as it was asked to. */
const PAUSE_MS = 100;

const ticketSchema = z.object({ ticket: z.string().regex(/^[\w-]{8,64}$/) });
const refusalSchema = z.object({ code: z.string() });
const answerSchema = z.object({
  reference: z.string().regex(/^[0-9a-f]{64}$/),
  verdict: z.string().regex(/^\w{1,8}$/),
  answeredAt: z.iso.datetime({ offset: true }),
});

export function createVerdictAdapter(
  options: VerdictOptions,
  { clock }: { clock: Clock },
): Adapter<VerdictRequest> {
  const { system } = options;
  const wire = createWire(options);
  const tickets = createOpenTickets({ most: options.mostTickets, keptMs: options.ticketMs }, clock);

  async function ask(question: Question, reference: string, signal: AbortSignal): Promise<string> {
    const { status, content } = await wire.send('POST', '/questions', { reference, ...question }, signal);
    if (status === 404) throw new LegacyError('refused', system, 'answered 404');
    if (status !== 202) throw toRefusal(content);
    const { ticket } = parse(ticketSchema, content);
    // It will stand in a URL, and in somebody's log of URLs.
    if (
      Object.values(question).some(
        (value) => value.length > 3 && ticket.toUpperCase().includes(value.toUpperCase()),
      )
    )
      throw new LegacyError('malformed', system, 'issued a ticket that says whom the question is about');
    tickets.keep(reference, ticket);
    return ticket;
  }

  /** The answer; the word that there is none yet; or null when the system does not know the ticket. */
  async function pickUp(
    ticket: string,
    reference: string,
    { signal, until }: { signal: AbortSignal; until: number },
  ): Promise<LegacyReply | null> {
    for (;;) {
      const wait = Math.round(Math.min(Math.max(0, until - clock.now()), LONGEST_WAIT_MS));
      const { status, content } = await wire.send('GET', `/answers/${ticket}?wait=${wait}`, null, signal);
      if (status === 404) {
        tickets.forget(reference, ticket);
        return null;
      }
      if (status === 200) return toReply(parse(answerSchema, content), ticket, reference);
      if (status !== 204) throw toRefusal(content);
      const left = until - clock.now();
      if (left <= 0) return toPending(ticket, reference);
      await clock.sleep(Math.min(left, PAUSE_MS), signal);
    }
  }

  function toReply(
    { verdict, reference, answeredAt }: z.infer<typeof answerSchema>,
    ticket: string,
    asked: string,
  ) {
    // The answer to another question is handed on for what it is, and this ticket is worth nothing either way.
    tickets.forget(asked, ticket);
    const row: VerdictRow = { state: 'DECIDED', reference, verdict };
    return { rows: [row], asOf: reference === asked ? answeredAt : null };
  }

  function toPending(ticket: string, reference: string): LegacyReply {
    const row: VerdictRow = { state: 'PENDING', reference, ticket };
    return { rows: [row], asOf: null };
  }

  function parse<T>(schema: z.ZodType<T>, content: unknown): T {
    const parsed = schema.safeParse(content);
    if (parsed.success) return parsed.data;
    throw toRefusal(content);
  }

  /** A code where a ticket or an answer should be is a refusal inside success; what it says beside is not taken over. */
  function toRefusal(content: unknown): LegacyError {
    return refusalSchema.safeParse(content).success
      ? new LegacyError('refused', system, 'refused the question inside a successful answer')
      : new LegacyError('malformed', system, 'answered in a form that its protocol does not have');
  }

  async function answer(
    { question }: VerdictRequest,
    signal: AbortSignal,
    deadline: number,
  ): Promise<LegacyReply> {
    const reference = referenceOf(options.referenceKey, question);
    const limits = { signal, until: clock.now() + (deadline - clock.now()) * WAITING_SHARE };
    const open = tickets.get(reference);
    const reply = open === undefined ? null : await pickUp(open, reference, limits);
    if (reply) return reply;
    const issued = await pickUp(await ask(question, reference, signal), reference, limits);
    if (issued) return issued;
    throw new LegacyError('malformed', system, 'does not know a ticket that it has just issued');
  }

  return {
    system,
    protocol: 'verdict',
    async call(request, { signal, deadline }) {
      try {
        return await answer(request, signal, deadline);
      } catch (error) {
        if (error instanceof LegacyError) throw error;
        // Only the pause between two questions for the answer is left: its caller has gone.
        if (signal.aborted)
          throw new LegacyError('timeout', system, 'had not decided when its caller left', error);
        throw error;
      }
    },
    close: () => wire.close(),
  };
}
