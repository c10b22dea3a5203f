/**
 * Forged tokens against the gateway's own front door (its HTTP server, with a real JWKS endpoint), and valid ones through a
 * hundred rotations of the issuer's keys, through a flood of made-up key ids, and through an endpoint that is ill.
 *
 * Only the clock is not real: a rotation every few minutes would take a day.
 */
import { pino } from 'pino';
import { Pool } from 'undici';
import { createHttp } from '../../gateway/http/server.ts';
import { NOBODY } from '../../gateway/identity/certificates.ts';
import { createIdentify } from '../../gateway/identity/identify.ts';
import type { Random } from '../../simulators/population/random.ts';
import { randomFor } from '../../simulators/population/random.ts';
import { makeForgeries } from './tokens/forgeries.ts';
import type { SigningKey } from './tokens/issuer.ts';
import { createSigningKey, issue, startJwksEndpoint } from './tokens/issuer.ts';
import type { Figures, PartOptions } from './shared/part.ts';

const ISSUER = 'https://issuer.jinxin.invalid';
const AUDIENCE = 'jinxin';
const WINDOW_MS = 30_000;
const SIZES = {
  test: { rotations: 100, mutants: 60, floodMinutes: 4, floodPerSecond: 2 },
  bench: { rotations: 200, mutants: 1_000, floodMinutes: 20, floodPerSecond: 10 },
};

export default async function tokens(options: PartOptions): Promise<Figures> {
  const size = SIZES[options.size];
  const random = randomFor(options.seed, 'privacy', 'tokens');
  const door = await openFrontDoor();
  const valid = createValidTokens(door);
  try {
    const keys = {
      EdDSA: createSigningKey('ed-1', 'EdDSA'),
      ES256: createSigningKey('ec-1', 'ES256'),
      RS256: createSigningKey('rsa-1', 'RS256'),
      PS256: createSigningKey('rsa-2', 'PS256'),
    };
    const withdrawn = createSigningKey('ed-0', 'EdDSA');
    door.publish([withdrawn, ...Object.values(keys)]);
    await valid.expect(withdrawn);
    door.publish(Object.values(keys));
    door.pass(6 * 60_000);
    for (const key of Object.values(keys)) await valid.expectEveryForm(key);

    const forged = makeForgeries({
      keys,
      withdrawn,
      claims: door.claims(),
      now: Math.floor(door.now() / 1_000),
      random,
      mutants: size.mutants,
    });
    let accepted = 0;
    for (const { name, authorization } of forged) {
      const { isLetIn, isRefusedWell } = await door.knock(authorization);
      if (isLetIn || !isRefusedWell) options.print(`  a forged token was not refused: ${name}`);
      if (isLetIn || !isRefusedWell) accepted++;
    }
    // The same door, the same keys: what was refused was refused for what it is.
    for (const key of Object.values(keys)) await valid.expectEveryForm(key);

    const last = await rotate(door, valid, random, size.rotations);
    const fetches = await flood(door, valid, last, size);
    await fallIll(door, valid, last);

    options.print(`forged tokens: ${accepted} of ${forged.length} accepted`);
    options.print(`valid tokens: ${valid.refused()} of ${valid.sent()} refused, ${size.rotations} rotations`);
    options.print(`flood of unknown key ids: at most ${fetches} fetch of the key set in 30 s`);
    return {
      forgedAccepted: accepted,
      forgeries: forged.length,
      validRefused: valid.refused(),
      validSent: valid.sent(),
      rotations: size.rotations,
      jwksFetchesPer30s: fetches,
    };
  } finally {
    await door.close();
  }
}

type Door = Awaited<ReturnType<typeof openFrontDoor>>;

async function openFrontDoor() {
  const log = pino({ level: 'silent' });
  const endpoint = await startJwksEndpoint();
  const start = Date.now();
  let elapsed = 0;
  let letIn = 0;
  const app = createHttp({
    identify: createIdentify(
      { kind: 'oidc', issuer: ISSUER, audience: AUDIENCE, jwksUri: endpoint.url },
      { now: () => start + elapsed, elapsed: () => elapsed, clients: NOBODY, log },
    ),
    answer: () => {
      letIn++;
      return Promise.resolve({ data: { __typename: 'Query' } });
    },
    isReady: () => true,
    metrics: () => Promise.resolve(''),
    observe: () => {},
    explorer: { html: '', contentSecurityPolicy: '' },
    bodyLimit: 10_000,
    log,
  });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const pool = new Pool(address, { connections: 4 });
  const now = () => start + elapsed;
  return {
    ...endpoint,
    now,
    elapsed: () => elapsed,
    pass: (ms: number) => (elapsed += ms),
    claims: (): Readonly<Record<string, unknown>> => ({
      iss: ISSUER,
      aud: AUDIENCE,
      sub: 'bank-a',
      iat: Math.floor(now() / 1_000),
      exp: Math.floor(now() / 1_000) + 600,
      jinxin: { kind: 'bank', purposes: ['LOAN_ORIGINATION'] },
    }),
    /** One request; what the gateway behind the door heard of it counts, not only the status. */
    async knock(authorization: string) {
      const before = letIn;
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: '/graphql',
        headers: { 'content-type': 'application/json', authorization },
        body: '{"query":"{ __typename }"}',
      });
      const text = await body.text();
      return {
        isLetIn: letIn > before,
        isRefusedWell: statusCode === 401 && text.includes('"UNAUTHENTICATED"'),
      };
    },
    async close() {
      await pool.destroy();
      await app.close();
      await endpoint.close();
    },
  };
}

function createValidTokens(door: Door) {
  let sent = 0;
  let refused = 0;
  async function expectLetIn(authorization: string) {
    sent++;
    if (!(await door.knock(authorization)).isLetIn) refused++;
  }
  return {
    sent: () => sent,
    refused: () => refused,
    expect: (key: SigningKey) => expectLetIn(`Bearer ${issue(key, door.claims())}`),
    /** As issuers write them: kinds of token, lists of audiences, clocks that differ by some seconds. */
    async expectEveryForm(key: SigningKey) {
      const claims = door.claims();
      const now = Math.floor(door.now() / 1_000);
      const { iat: _, ...undated } = claims;
      const tokens = [
        issue(key, claims),
        issue(key, claims, { typ: 'JWT' }),
        issue(key, claims, { typ: 'at+jwt', x5t: 'AAAA' }),
        issue(key, { ...claims, aud: ['other', AUDIENCE] }),
        issue(key, { ...claims, nbf: now + 20, iat: now + 20 }),
        issue(key, { ...claims, exp: now - 20 }),
        issue(key, undated),
      ];
      for (const token of tokens) await expectLetIn(`Bearer ${token}`);
      await expectLetIn(`bearer ${issue(key, claims)}`);
    },
  };
}

type ValidTokens = ReturnType<typeof createValidTokens>;

/** As issuers rotate: most publish the next key ahead, some use it from one moment to the next. Tokens of the old one go on. */
async function rotate(
  door: Door,
  valid: ValidTokens,
  random: Random,
  rotations: number,
): Promise<SigningKey> {
  let current = createSigningKey('r-0', 'EdDSA');
  // The forgeries named keys that nobody has: that was a flood, and it is over.
  door.pass(WINDOW_MS);
  door.publish([current]);
  await valid.expect(current);
  for (let at = 1; at <= rotations; at++) {
    const next = createSigningKey(`r-${at}`, random.pick(['EdDSA', 'ES256'] as const));
    door.publish([current, next]);
    // Ahead or at once; soon after the last rotation or hours later.
    if (random.chance(0.7)) door.pass(random.int(1, 10) * 60_000);
    const order = random.chance(0.5) ? [current, next] : [next, current];
    for (const key of order) await valid.expect(key);
    await Promise.all([valid.expect(next), valid.expect(current), valid.expect(next)]);
    door.pass(random.int(1, 600) * 1_000);
    await valid.expect(current);
    door.publish([next]);
    await valid.expect(next);
    current = next;
    door.pass(random.pick([1_000, 45_000, 3_600_000]));
  }
  return current;
}

/** Most fetches in any thirty seconds of the flood. The issuer rotates meanwhile, a minute ahead. */
async function flood(
  door: Door,
  valid: ValidTokens,
  current: SigningKey,
  { floodMinutes, floodPerSecond }: { floodMinutes: number; floodPerSecond: number },
): Promise<number> {
  const stranger = createSigningKey('stranger', 'EdDSA');
  const next = createSigningKey('after-the-flood', 'ES256');
  const fetchedAt: number[] = [];
  await valid.expect(current);
  let before = door.asked();
  for (let second = 0; second < floodMinutes * 60; second++) {
    if (second === 60) door.publish([current, next]);
    const tokens = Array.from({ length: floodPerSecond }, (_, at) =>
      issue({ ...stranger, kid: `flood-${second}-${at}` }, door.claims()),
    );
    await Promise.all(tokens.map((token) => door.knock(`Bearer ${token}`)));
    if (second % 20 === 0) await valid.expect(second < 120 ? current : next);
    for (; before < door.asked(); before++) fetchedAt.push(door.elapsed());
    door.pass(1_000);
  }
  door.publish([current]);
  return Math.max(
    ...fetchedAt.map((from) => fetchedAt.filter((at) => at >= from && at < from + WINDOW_MS).length),
  );
}

/** Down, moved, garbage, endless, compressed: known keys go on, and nobody else gets in. */
async function fallIll(door: Door, valid: ValidTokens, current: SigningKey): Promise<void> {
  door.pass(6 * 60_000);
  await valid.expect(current);
  const illnesses: Parameters<Door['answerWith']>[0][] = [
    (response) => void response.destroy(),
    (response) => void response.writeHead(500).end(),
    (response) => void response.writeHead(302, { location: door.url }).end(),
    (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>maintenance</p>'),
    (response) => void response.end('{"keys":{}}'),
    (response) => void response.end(`{"keys":[${'{},'.repeat(200_000)}{}]}`),
    (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('{"keys":[]}'),
  ];
  for (const illness of illnesses) {
    door.answerWith(illness);
    door.pass(6 * 60_000);
    await valid.expect(current);
    door.pass(31_000);
    await valid.expect(current);
  }
  door.publish([current]);
}
