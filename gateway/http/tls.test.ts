/** Certificates of clients, made by the openssl command, at a door that listens with TLS. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { SignJWT } from 'jose';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { pino } from 'pino';
import { Agent, request } from 'undici';
import { sandboxKey } from '../../schema/keys.ts';
import { sandboxIssuer } from '../../schema/sandbox-tokens.ts';
import type { IssuedCertificate, TestAuthority } from '../../tests/kit/certificates.ts';
import { createTestAuthority } from '../../tests/kit/certificates.ts';
import { createSource, deferTax } from '../../tests/kit/front-door.ts';
import { createIdentify } from '../identity/identify.ts';
import type { DeferredPart, GatewayAnswer, GatewayReply, GatewayRequest } from './graphql-over-http.ts';
import { createHttp } from './server.ts';
import type { TlsDoor } from './tls.ts';
import { createTlsDoor } from './tls.ts';

const log = pino({ level: 'silent' });
const BODY = '{"query":"{ a }"}';
const HEADERS = { 'content-type': 'application/json' };
let folder: string;
let authority: TestAuthority;
let door: TlsDoor;
let app: FastifyInstance;
let url: string;
let heard: GatewayRequest[] = [];
let reply: GatewayReply = { data: { a: 1 } };
let ahead = 0;
const issued: Record<string, IssuedCertificate> = {};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'jinxin-tls-'));
  authority = createTestAuthority(folder, 'ours');
  const foreign = createTestAuthority(folder, 'foreign');
  const past = { from: '20200101000000Z', to: '20200201000000Z' };
  issued['server'] = authority.issue('server');
  for (const name of ['hebei', 'tax', 'stranger', 'revoked', 'leaver', 'later'])
    issued[name] = authority.issue(name);
  issued['expired'] = authority.issue('expired', past);
  issued['foreign'] = foreign.issue('foreign');
  authority.revoke(of('revoked'));
  writeClients(['hebei', 'tax', 'expired', 'foreign', 'revoked', 'leaver', 'later']);
  door = createTlsDoor(
    {
      certificate: of('server').certFile,
      key: of('server').keyFile,
      clientCa: authority.caFile,
      clientCrl: authority.crlFile,
      clients: join(folder, 'clients.json'),
    },
    { now: () => Date.now() + ahead, log },
  );
  app = createHttp({
    tls: door,
    identify: createIdentify(
      { kind: 'sandbox' },
      { now: Date.now, elapsed: () => performance.now(), clients: door.clients, log },
    ),
    answer: (asked) => {
      heard.push(asked);
      return Promise.resolve(reply);
    },
    isReady: () => true,
    metrics: () => Promise.resolve(''),
    observe: () => {},
    explorer: { html: '', contentSecurityPolicy: '' },
    bodyLimit: 10_000,
    log,
  });
  const stop = door.watch(app.server as unknown as Server, 3_600_000);
  app.addHook('onClose', (_, done) => {
    stop();
    done();
  });
  url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/graphql`;
}, 60_000);
afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

function of(name: string): IssuedCertificate {
  const certificate = issued[name];
  if (!certificate) throw new Error(`no certificate was made for ${name}`);
  return certificate;
}
/** The list of clients: a partner each, but for the department. */
function writeClients(names: readonly string[]) {
  const client = (name: string) =>
    name === 'tax'
      ? {
          kind: 'department',
          id: 'tax-system',
          department: 'tax',
          purposes: ['OFFICIAL_DUTY', 'INVESTIGATION'],
        }
      : { kind: 'partner', id: `partner-${name}`, purposes: ['REGIONAL_EXCHANGE'] };
  const list = Object.fromEntries(names.map((name) => [of(name).fingerprint, client(name)]));
  writeFileSync(join(folder, 'clients.json'), JSON.stringify(list));
}
const reload = () => door.reload(app.server as unknown as Server);

function clientOf(name: string | null): Agent {
  const ca = readFileSync(authority.caFile, 'utf8');
  const own = name === null ? {} : { cert: of(name).cert, key: of(name).key };
  return new Agent({ connect: { ca, ...own }, connections: 1 });
}
async function askBy(agent: Agent, headers: Record<string, string> = {}) {
  heard = [];
  const send = () =>
    request(url, {
      method: 'POST',
      headers: { ...HEADERS, ...headers },
      body: BODY,
      dispatcher: agent,
    });
  // A client whose idle connection was closed asks again on another.
  const response = await send().catch(send);
  await response.body.text();
  return {
    status: response.statusCode,
    connection: response.headers['connection'],
    principal: heard[0]?.principal,
  };
}
async function ask(name: string | null, headers: Record<string, string> = {}) {
  const agent = clientOf(name);
  try {
    return await askBy(agent, headers);
  } finally {
    await agent.destroy();
  }
}
const token = (claims: object, sub: string) =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'sandbox-1' })
    .setSubject(sub)
    .setIssuer(sandboxIssuer.issuer)
    .setAudience(sandboxIssuer.audience)
    .setExpirationTime('1h')
    .sign(sandboxKey('issuer'))
    .then((text) => ({ authorization: `Bearer ${text}` }));
const HEBEI = { kind: 'partner', purposes: ['REGIONAL_EXCHANGE', 'PUBLIC_QUERY'] };

describe('a certificate', () => {
  it('that holds is who the list says, for the purposes that the list says', async () => {
    expect(await ask('hebei')).toMatchObject({
      status: 200,
      principal: { kind: 'partner', id: 'partner-hebei', purpose: 'REGIONAL_EXCHANGE', subjects: [] },
    });
    expect((await ask('tax', { 'jinxin-purpose': 'INVESTIGATION' })).principal).toEqual({
      kind: 'department',
      id: 'tax-system',
      department: 'tax',
      purpose: 'INVESTIGATION',
      subjects: [],
    });
    expect((await ask('hebei', { 'jinxin-purpose': 'AUDIT' })).status).toBe(403);
  });

  it('that is not there makes the asker the public', async () => {
    expect((await ask(null)).principal?.kind).toBe('public');
  });

  it.each(['expired', 'foreign', 'revoked', 'stranger'])(
    'that is %s is 401, never the public',
    async (name) => {
      const { status, principal } = await ask(name);
      expect([status, principal]).toEqual([401, undefined]);
      const good = await token({ jinxin: HEBEI }, `partner-${name}`);
      expect((await ask(name, good)).status).toBe(401);
    },
  );

  it('must agree with the token that comes with it, and only what both allow is allowed', async () => {
    const same = await token({ jinxin: HEBEI }, 'partner-hebei');
    expect((await ask('hebei', same)).principal).toMatchObject({
      id: 'partner-hebei',
      purpose: 'REGIONAL_EXCHANGE',
    });
    expect((await ask('hebei', { ...same, 'jinxin-purpose': 'PUBLIC_QUERY' })).status).toBe(403);
    const others = [
      await token({ jinxin: HEBEI }, 'partner-shanxi'),
      await token({ jinxin: { ...HEBEI, kind: 'auditor' } }, 'partner-hebei'),
      await token({ jinxin: { ...HEBEI, department: 'tax' } }, 'partner-hebei'),
      { authorization: 'Bearer nonsense' },
    ];
    for (const headers of others) expect((await ask('hebei', headers)).status).toBe(401);
  });

  it('is what a token that is bound to it needs (RFC 8705), its own and no other', async () => {
    const bound = (name: string, sub: string) =>
      token({ jinxin: HEBEI, cnf: { 'x5t#S256': of(name).thumbprint } }, sub);
    expect((await ask('hebei', await bound('hebei', 'partner-hebei'))).status).toBe(200);
    expect((await ask('stranger', await bound('stranger', 'bank-x'))).principal?.id).toBe('bank-x');
    for (const name of ['tax', 'stranger', null])
      expect((await ask(name, await bound('hebei', 'partner-hebei'))).status).toBe(401);
    for (const name of ['foreign', 'revoked'])
      expect((await ask(name, await bound(name, 'bank-x'))).status).toBe(401);
  });

  it('that runs out while its connection stands is refused on it', async () => {
    const agent = clientOf('later');
    expect((await askBy(agent)).status).toBe(200);
    ahead = 40 * 24 * 3_600_000;
    expect((await askBy(agent)).status).toBe(401);
    ahead = 0;
    await agent.destroy();
  });
});

describe('what changes while the door is open', () => {
  it('is in force from the next look on: a client that was taken out, a certificate that was revoked', async () => {
    const agent = clientOf('leaver');
    expect((await askBy(agent)).status).toBe(200);
    writeClients(['hebei', 'tax', 'later']);
    reload();
    expect((await askBy(agent)).status).toBe(401);
    authority.revoke(of('later'));
    expect((await ask('later')).status).toBe(200);
    reload();
    expect((await ask('later')).status).toBe(401);
    expect((await ask('hebei')).status).toBe(200);
    await agent.destroy();
  });

  it('ends what goes on: a subscription before its next event, an answer in parts when it is whole', async () => {
    const [events, parts] = [
      createSource<GatewayAnswer>({ data: { tick: 1 } }),
      createSource<DeferredPart>(),
    ];
    const [listener, reader] = [clientOf('hebei'), clientOf('hebei')];
    const open = (behind: GatewayReply, dispatcher: Agent) => {
      reply = behind;
      const headers = { ...HEADERS, accept: 'text/event-stream' };
      return request(url, { method: 'POST', headers, body: BODY, dispatcher });
    };
    const subscription = await open({ kind: 'events', answers: events }, listener);
    const deferred = await open(deferTax(parts), reader);
    reply = { data: { a: 1 } };
    const closed = once(reader, 'disconnect');
    writeClients(['hebei', 'tax', 'later', 'expired']);
    reload();
    events.push({ data: { tick: 2 } });
    parts.push({ id: '0', data: { tax: null } });
    let seen = '';
    const listen = async () => {
      for await (const piece of subscription.body) seen += String(piece);
    };
    await expect(listen()).rejects.toThrow();
    expect([seen.includes('"tick":1'), seen.includes('"tick":2')]).toEqual([true, false]);
    expect(await deferred.body.text()).toContain('event: complete');
    await closed;
    await Promise.all([listener.destroy(), reader.destroy()]);
  });

  it('that cannot be read changes nothing', async () => {
    writeFileSync(join(folder, 'clients.json'), '{"half');
    reload();
    expect((await ask('hebei')).status).toBe(200);
    writeFileSync(join(folder, 'clients.json'), '{"00":{"kind":"operator"}}');
    reload();
    expect((await ask('hebei')).status).toBe(200);
    writeClients(['hebei', 'tax']);
    reload();
    expect((await ask('tax')).status).toBe(200);
  });
});

describe('the door', () => {
  const handshake = async (options: object) => {
    const ca = readFileSync(authority.caFile, 'utf8');
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), ca, ...options });
    const [first] = (await Promise.race([
      once(socket, 'secureConnect').then(() => ['open']),
      once(socket, 'error').then(() => ['error']),
      // What `once` makes of an error of the other.
    ]).catch(() => ['error'])) as [string];
    const facts = { first, protocol: socket.getProtocol(), isReused: socket.isSessionReused() };
    return { socket, facts };
  };

  it('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      const { socket, facts } = await handshake({ minVersion: version, maxVersion: version });
      expect(facts).toMatchObject({ first: 'open', protocol: version });
      socket.destroy();
    }
    const old = await handshake({
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    expect(old.facts.first).toBe('error');
    old.socket.destroy();
  });

  it('looks at a certificate at every connection: no session is taken up again', async () => {
    const own = { cert: of('hebei').cert, key: of('hebei').key };
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      const first = await handshake({ ...own, maxVersion: version });
      const sessions: Buffer[] = [];
      first.socket.on('session', (session) => sessions.push(session));
      first.socket.end('GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
      first.socket.resume();
      await once(first.socket, 'close');
      const session = sessions.at(-1) ?? first.socket.getSession();
      const second = await handshake({ ...own, maxVersion: version, session });
      expect(second.facts).toMatchObject({ first: 'open', isReused: false });
      second.socket.destroy();
    }
  });
});
