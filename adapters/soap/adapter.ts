/**
 * SOAP as departments' exchange buses speak it: log in for a token, ask with it, read page after page.
 *
 * What the protocol lets us know is checked here: that the answer is ours (its number), that its characters are what they
 * should be (our own Chinese name comes back), and that every row that the system counts has arrived.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Adapter, LegacyReply, LegacyRow } from '../adapter.ts';
import { LegacyError } from '../adapter.ts';
import type { Clock } from '../clock.ts';
import { toHttpFault } from '../http.ts';
import { assertWhole } from '../whole-answer.ts';
import type { WireBytes } from './charset.ts';
import type { AnswerPage } from './messages.ts';
import { readAnswer, readLogin, toLoginEnvelope, toQuestionEnvelope } from './messages.ts';
import type { Session } from './session.ts';
import { createSessions } from './session.ts';
import { createWire } from './wire.ts';
import { XmlError } from './xml.ts';

/** `fields`: element name → text, as the item defines them. */
export interface SoapRequest {
  readonly item: string;
  readonly fields: Readonly<Record<string, string>>;
}

export interface SoapOptions {
  readonly system: string;
  /** Root of the services `/auth` and `/exchange`. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** What the system's bytes are; its declaration is not believed. */
  readonly bytes: WireBytes;
  /** Our name on the bus. In Chinese, so that its return shows whether the characters survived. */
  readonly sender: string;
  readonly pageSize: number;
  /** More rows than this for one question are not read: the answer is malformed rather than cut. */
  readonly maxRows: number;
  /** Most bytes of one page. */
  readonly maxBytes: number;
  readonly connections: number;
}

/** A token is given up this long before its end, so that it does not end on the way. */
const TOKEN_MARGIN_MS = 5_000;

export function createSoapAdapter(options: SoapOptions, { clock }: { clock: Clock }): Adapter<SoapRequest> {
  const { system } = options;
  const wire = createWire(options);
  const sessions = createSessions(logIn, clock);

  async function logIn(signal: AbortSignal): Promise<Session> {
    // The bus takes name and password as headers and an empty body.
    const credentials = { username: options.user, password: options.password };
    const text = await wire.post('/auth', credentials, toLoginEnvelope(), signal);
    const login = read(() => readLogin(text));
    if ('denied' in login)
      throw new LegacyError('refused', system, `denied our credentials with ${login.denied}`);
    const { token, serviceId, validMs } = login;
    return { token, serviceId, validUntil: clock.now() + validMs - TOKEN_MARGIN_MS };
  }

  /** One page. A session that has ended is renewed once: the second refusal is the system's answer. */
  async function readPage(
    request: SoapRequest,
    pageNumber: number,
    signal: AbortSignal,
  ): Promise<AnswerPage> {
    for (let attempt = 1; ; attempt++) {
      const session = await sessions.get(signal);
      const question = {
        ...request,
        pageNumber,
        pageSize: options.pageSize,
        sender: options.sender,
        serial: randomUUID(),
      };
      const headers = { token: session.token, serviceid: session.serviceId };
      const text = await wire.post('/exchange', headers, toQuestionEnvelope(question), signal);
      const answer = read(() => readAnswer(text));
      if (answer.kind === 'page') return checked(answer.page, question);
      if (answer.kind === 'error')
        throw new LegacyError('refused', system, `answered 200 with the error ${answer.code}`);
      sessions.forget(session);
      if (attempt === 2) throw new LegacyError('refused', system, 'ended a session that it had just given');
    }
  }

  function checked(
    page: AnswerPage,
    { sender, serial, pageNumber }: Parameters<typeof toQuestionEnvelope>[0],
  ): AnswerPage {
    if (page.receiver !== sender)
      throw new LegacyError('malformed', system, 'answered in another character set');
    // A mixed-up answer holds somebody else's records, and may hold none at all: it must not make anybody clean.
    if (page.serial !== serial || page.pageNumber !== pageNumber)
      throw new LegacyError('malformed', system, 'answered another question than was asked');
    return page;
  }

  async function readAll(request: SoapRequest, signal: AbortSignal): Promise<LegacyReply> {
    const { total, asOf, rows: first } = await readPage(request, 1, signal);
    if (total > options.maxRows)
      throw new LegacyError('malformed', system, 'holds more rows than we read of it');
    const rows: LegacyRow[] = [...first];
    // One page after the other: a question takes one place at the system, however long its answer.
    for (let pageNumber = 2; (pageNumber - 1) * options.pageSize < total; pageNumber++) {
      const page = await readPage(request, pageNumber, signal);
      if (page.total !== total || page.asOf !== asOf)
        throw new LegacyError('malformed', system, 'changed while its pages were read');
      rows.push(...page.rows);
    }
    return { rows: assertWhole(system, rows, total), asOf };
  }

  function read<T>(parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      if (error instanceof XmlError) throw new LegacyError('malformed', system, error.message, error);
      if (error instanceof z.ZodError)
        // Not the cause: it quotes what the system wrote.
        throw new LegacyError('malformed', system, 'answered in a form that its protocol does not have');
      throw error;
    }
  }

  return {
    system,
    protocol: 'soap',
    async call(request, { signal }) {
      try {
        return await readAll(request, signal);
      } catch (error) {
        throw toHttpFault(error, system, signal);
      }
    },
    close: () => wire.close(),
  };
}
