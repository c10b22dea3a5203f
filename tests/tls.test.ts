/** The gateway as it is configured to listen with TLS. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Agent, request } from 'undici';
import { readConfig } from '../gateway/config.ts';
import type { RunningGateway } from '../gateway/serve.ts';
import { serveGateway } from '../gateway/serve.ts';
import type { IssuedCertificate, TestAuthority } from './kit/certificates.ts';
import { createTestAuthority } from './kit/certificates.ts';
import type { PlainSubgraphs } from './kit/plain-subgraphs.ts';
import { startPlainSubgraphs } from './kit/plain-subgraphs.ts';

const folder = mkdtempSync(join(tmpdir(), 'jinxin-tls-'));
let authority: TestAuthority;
let partner: IssuedCertificate;
let stranger: IssuedCertificate;
let subgraphs: PlainSubgraphs;
let gateway: RunningGateway;

beforeAll(async () => {
  authority = createTestAuthority(folder, 'ours');
  const server = authority.issue('server');
  partner = authority.issue('partner');
  stranger = authority.issue('stranger');
  const clients = join(folder, 'clients.json');
  const entry = { kind: 'partner', id: 'partner-hebei', purposes: ['REGIONAL_EXCHANGE'] };
  writeFileSync(clients, JSON.stringify({ [partner.fingerprint]: entry }));
  subgraphs = await startPlainSubgraphs({
    a: { sdl: 'type Query { hello: String }', resolvers: { Query: { hello: () => 'hello' } } },
  });
  const supergraph = join(folder, 'supergraph.graphql');
  writeFileSync(supergraph, subgraphs.supergraph);
  const environment = {
    JINXIN_TLS_CERTIFICATE: server.certFile,
    JINXIN_TLS_KEY: server.keyFile,
    JINXIN_TLS_CLIENT_CA: authority.caFile,
    JINXIN_TLS_CLIENT_CRL: authority.crlFile,
    JINXIN_TLS_CLIENTS: clients,
    JINXIN_CONSUMER_RATES: 'partner-hebei=3',
  };
  gateway = await serveGateway(readConfig(environment, { supergraph, listen: '127.0.0.1:0' }), {
    log: pino({ level: 'silent' }),
  });
}, 60_000);
afterAll(async () => {
  await gateway.close();
  await subgraphs.close();
  rmSync(folder, { recursive: true });
});

async function ask(own: IssuedCertificate | null, times = 1): Promise<readonly number[]> {
  const client = own === null ? {} : { cert: own.cert, key: own.key };
  const dispatcher = new Agent({
    connections: 4,
    connect: { ca: readFileSync(authority.caFile, 'utf8'), ...client },
  });
  try {
    const statuses = Array.from({ length: times }, async () => {
      const headers = { 'content-type': 'application/json' };
      const response = await request(gateway.url, {
        method: 'POST',
        headers,
        body: '{"query":"{ hello }"}',
        dispatcher,
      });
      await response.body.dump();
      return response.statusCode;
    });
    return await Promise.all(statuses);
  } finally {
    await dispatcher.destroy();
  }
}

describe('a gateway with TLS', () => {
  it('answers at an https address those without a certificate and those whose certificate is in its list', async () => {
    expect(new URL(gateway.url).protocol).toBe('https:');
    expect([await ask(null), await ask(partner), await ask(stranger)]).toEqual([[200], [200], [401]]);
  });

  it('counts the rate of whoever comes with a certificate by who that is', async () => {
    // Three a second: sixty at once are more than come in time, however slow the machine.
    expect([...new Set(await ask(partner, 60))].sort()).toEqual([200, 429]);
    expect([...new Set(await ask(null, 60))]).toEqual([200]);
  });

  it('is not spoken to without TLS', async () => {
    await expect(request(gateway.url.replace('https:', 'http:'), { method: 'POST' })).rejects.toThrow();
  });
});
