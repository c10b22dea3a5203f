/**
 * The exchange bus of the courts: a real HTTP server that logs in by headers, answers XML in a string in an envelope, says
 * UTF-8 and writes GBK, ten rows a page. It shares no code with the adapter, so that the two cannot err alike.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { XMLParser } from 'fast-xml-parser';
import iconv from 'iconv-lite';
import type { Clock } from '../../adapters/clock.ts';
import type { Fault } from '../simulator.ts';
import { SLOW_MS } from '../simulator.ts';
import type { Row } from './data-faults.ts';
import { countOf, withDataFault } from './data-faults.ts';
import { deliver, isWithoutAnswer, pour } from './wire-faults.ts';

export interface SoapServer {
  readonly url: string;
  setFault(fault: Fault | null): void;
  /** Questions that reached the service; logins do not count. */
  calls(): number;
  logins(): number;
  openCalls(): number;
  /** Ends every session: the next question of each is answered `403:login timeout`. */
  endSessions(): void;
  close(): Promise<void>;
}

export interface SoapServerOptions {
  readonly user: string;
  readonly password: string;
  readonly clock: Clock;
  readonly latencyMs: number;
  /** All rows for the fields of a question; the server makes the pages. */
  answer(fields: Readonly<Record<string, string>>): readonly Row[];
  /** A row that belongs to another subject than the one asked for. */
  foreign(fields: Readonly<Record<string, string>>): Row;
}

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';
const SERVICE_ID = 'FY-XYXX-01';
const PAGE_SIZE = 10;
const parser = new XMLParser({ parseTagValue: false, removeNSPrefix: true, ignoreDeclaration: true });

export async function createSoapServer(options: SoapServerOptions): Promise<SoapServer> {
  let fault: Fault | null = null;
  let tokens = new Set<string>();
  const counts = { calls: 0, logins: 0 };
  const open = new Set<ServerResponse>();
  const sockets = new Set<Socket>();

  const server = createServer((request, response) => {
    open.add(response);
    response.on('close', () => open.delete(response));
    handle(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    if (fault === 'refuse') {
      socket.resetAndDestroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const isLogin = request.url === '/services/auth';
    if (isLogin) counts.logins += 1;
    else counts.calls += 1;
    if (isWithoutAnswer(fault)) {
      pour(fault, response);
      return;
    }
    const wait = fault === 'slow' ? SLOW_MS : isLogin ? 0 : options.latencyMs;
    if (wait > 0) {
      const left = new AbortController();
      response.on('close', () => left.abort());
      await options.clock.sleep(wait, left.signal);
    }
    deliver(isLogin ? logIn(request) : serve(request, body), fault, response);
  }

  function logIn({ headers }: IncomingMessage): string {
    const isKnown = headers['username'] === options.user && headers['password'] === options.password;
    if (!isKnown || fault === 'expired-token')
      return toEnvelope(
        'login',
        `${DECLARATION}<auth><ERR><code>401</code><message>用户或口令错误</message></ERR></auth>`,
      );
    const token = randomUUID();
    tokens.add(token);
    return toEnvelope(
      'login',
      `${DECLARATION}<auth><token>${token}</token><serviceId>${SERVICE_ID}</serviceId><validSeconds>1800</validSeconds></auth>`,
    );
  }

  function serve({ headers }: IncomingMessage, body: Buffer): string {
    const isLoggedIn = tokens.has(String(headers['token'])) && headers['serviceid'] === SERVICE_ID;
    if (!isLoggedIn || fault === 'expired-token') return toEnvelope('service', '403:login timeout');
    const envelope = parser.parse(iconv.decode(body, 'gbk')) as {
      Envelope: { Body: { service: { xml: string } } };
    };
    const message = (parser.parse(envelope.Envelope.Body.service.xml) as { ExchangeMessage: ExchangeMessage })
      .ExchangeMessage;
    const { Header, Body } = message;
    const header = `<Header><sender>天津市高级人民法院</sender><receiver>${Header.sender}</receiver><item>${Header.item}</item><sn>${Header.sn}</sn></Header>`;
    if (fault === 'error-in-200')
      return toEnvelope(
        'service',
        `${DECLARATION}<ExchangeMessage>${header}<Body><ERR><code>ORA-12541</code><message>数据库监听未启动</message></ERR></Body></ExchangeMessage>`,
      );
    const rows = options.answer(Body.fields);
    const pageNumber = Number(Body.page.pageNo);
    const page = rows.slice((pageNumber - 1) * PAGE_SIZE, pageNumber * PAGE_SIZE);
    const sent = withDataFault(fault, page, pageNumber, () => options.foreign(Body.fields));
    return toEnvelope(
      'service',
      `${DECLARATION}<ExchangeMessage>${header}<Body><page><pageNo>${pageNumber}</pageNo><pageSize>${PAGE_SIZE}</pageSize>` +
        `<total>${countOf(fault, rows.length)}</total></page><dataTime>${toDataTime(options.clock.now())}</dataTime>` +
        `<rows>${sent.map(toRow).join('')}</rows></Body></ExchangeMessage>`,
    );
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services`,
    setFault(next) {
      fault = next;
      // A refusal cuts every connection; a cure ends what hangs or pours, so that nothing is left half broken.
      if (next === 'refuse') for (const socket of sockets) socket.destroy();
      if (next === null) for (const response of open) response.destroy();
    },
    calls: () => counts.calls,
    logins: () => counts.logins,
    openCalls: () => open.size,
    endSessions: () => (tokens = new Set()),
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

interface ExchangeMessage {
  readonly Header: { readonly sender: string; readonly item: string; readonly sn: string };
  readonly Body: {
    readonly page: { readonly pageNo: string };
    readonly fields: Readonly<Record<string, string>>;
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function toEnvelope(operation: string, content: string): string {
  return (
    `${DECLARATION}<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>` +
    `<ns2:${operation}Response xmlns:ns2="http://service.exchange.tj.court/"><return><![CDATA[${content}]]></return>` +
    `</ns2:${operation}Response></soap:Body></soap:Envelope>`
  );
}

function toRow(row: Row): string {
  const cells = Object.entries(row).map(([name, value]) => `<${name}>${escape(value)}</${name}>`);
  return `<row>${cells.join('')}</row>`;
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The copy is refreshed at six every morning (UTC+8): the last one before now. */
function toDataTime(now: number): string {
  const hours = 3_600_000;
  const day = Math.floor((now + 2 * hours) / (24 * hours)) * 24 * hours;
  return `${new Date(day).toISOString().slice(0, 10)} 06:00:00`;
}
