/**
 * The messages of a 前置交换 bus: a SOAP envelope around one string, and in the string an XML document that declares UTF-8.
 * Whether it is UTF-8 was decided before it gets here (see charset.ts); the declaration is written and read by nobody.
 */
import { z } from 'zod';
import type { LegacyRow } from '../adapter.ts';
import { escapeXml, parseXml, toCdata } from './xml.ts';

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';

export interface Question {
  /** The service item asked for. */
  readonly item: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly pageNumber: number;
  readonly pageSize: number;
  /** Our name on the bus, and the number of this message: both come back in the answer. */
  readonly sender: string;
  readonly serial: string;
}

export type AnswerMessage =
  | { readonly kind: 'page'; readonly page: AnswerPage }
  | { readonly kind: 'expired' }
  /** `code` only: what a system writes beside it may hold names. */
  | { readonly kind: 'error'; readonly code: string };

export interface AnswerPage {
  readonly receiver: string;
  readonly serial: string;
  readonly pageNumber: number;
  /** Rows that there are on all pages together, by the system's own word. */
  readonly total: number;
  readonly asOf: string | null;
  readonly rows: readonly LegacyRow[];
}

export function toLoginEnvelope(): string {
  return toEnvelope('<login/>');
}

export function toQuestionEnvelope({ item, fields, pageNumber, pageSize, sender, serial }: Question): string {
  const asked = Object.entries(fields).map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`);
  const message =
    `${DECLARATION}<ExchangeMessage><Header><sender>${escapeXml(sender)}</sender><item>${escapeXml(item)}</item>` +
    `<sn>${escapeXml(serial)}</sn></Header><Body><page><pageNo>${pageNumber}</pageNo><pageSize>${pageSize}</pageSize></page>` +
    `<fields>${asked.join('')}</fields></Body></ExchangeMessage>`;
  return toEnvelope(`<service><xml>${toCdata(message)}</xml></service>`);
}

function toEnvelope(body: string): string {
  return (
    `${DECLARATION}<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>${body}` +
    '</soap:Body></soap:Envelope>'
  );
}

/** Too short for an ID number or a telephone number: it stands in error messages. */
const errorSchema = z.object({ code: z.string().regex(/^[\w-]{1,10}$/) });
const loginSchema = z.union([
  z.object({
    token: z.string().min(1),
    serviceId: z.string().min(1),
    validSeconds: z.string().regex(/^\d{1,6}$/),
  }),
  z.object({ ERR: errorSchema }),
]);
const envelopeSchema = (operation: string) =>
  z.object({ Body: z.object({ [operation]: z.object({ return: z.string() }) }) });

/** Credentials for the service, or the code with which they were denied. Throws XmlError or ZodError. */
export function readLogin(
  text: string,
): { token: string; serviceId: string; validMs: number } | { denied: string } {
  const login = loginSchema.parse(parseXml(openEnvelope(text, 'loginResponse'), 'auth'));
  if ('ERR' in login) return { denied: login.ERR.code };
  return { token: login.token, serviceId: login.serviceId, validMs: Number(login.validSeconds) * 1000 };
}

const pageSchema = z.object({
  Header: z.object({ receiver: z.string(), sn: z.string() }),
  Body: z.object({
    page: z.object({ pageNo: z.string().regex(/^\d{1,6}$/), total: z.string().regex(/^\d{1,9}$/) }),
    dataTime: z.string().optional(),
    rows: z.union([z.literal(''), z.object({ row: z.array(z.record(z.string(), z.string())) })]),
  }),
});
const errorMessageSchema = z.object({ Body: z.object({ ERR: errorSchema }) });

/** One page, or what the system says instead with the same status 200. Throws XmlError or ZodError. */
export function readAnswer(text: string): AnswerMessage {
  const content = openEnvelope(text, 'serviceResponse');
  // A bare line instead of a document is how the bus says that a session has ended.
  const [, code, words] = /^(\d{3}):([\w ]{0,40})$/.exec(content) ?? [];
  if (code !== undefined)
    return code === '403' && words === 'login timeout' ? { kind: 'expired' } : { kind: 'error', code };
  const message = parseXml(content, 'ExchangeMessage');
  const failed = errorMessageSchema.safeParse(message);
  if (failed.success) return { kind: 'error', code: failed.data.Body.ERR.code };
  const { Header, Body } = pageSchema.parse(message);
  return {
    kind: 'page',
    page: {
      receiver: Header.receiver,
      serial: Header.sn,
      pageNumber: Number(Body.page.pageNo),
      total: Number(Body.page.total),
      asOf: toMoment(Body.dataTime),
      rows: Body.rows === '' ? [] : Body.rows.row,
    },
  };
}

function openEnvelope(text: string, operation: string): string {
  const { Body } = envelopeSchema(operation).parse(parseXml(text, 'Envelope'));
  return Body[operation]?.return ?? '';
}

/** "2026-11-23 06:00:00" is China Standard Time without saying so. */
function toMoment(text: string | undefined): string | null {
  if (text === undefined || text === '') return null;
  const parsed = z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/)
    .parse(text);
  return z.iso.datetime({ offset: true }).parse(`${parsed.replace(' ', 'T')}+08:00`);
}
