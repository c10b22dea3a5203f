import { describe, expect, it } from '@jest/globals';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { pino } from 'pino';
import { createRemoteKeys } from './key-set.ts';
import { toIssuerKeys } from './keys.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

function jwk(kid: string, more: object = {}) {
  return { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid, use: 'sig', ...more };
}
const setOf = (...kids: string[]) => ({ keys: kids.map((kid) => jwk(kid)) });

/** An issuer whose set is what the test says, and a clock that stands until it is moved. */
function createIssuer(first: unknown) {
  let now = 0;
  let set: unknown = first;
  let asked = 0;
  let hold: Promise<void> | null = null;
  const find = createRemoteKeys({
    async load() {
      asked++;
      const answer = set;
      await hold;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    elapsed: () => now,
    log: pino({ level: 'silent' }),
  });
  return {
    knows: async (kid: string) => (await find(kid, 'EdDSA')) !== null,
    find,
    pass: (ms: number) => (now += ms),
    publish: (next: unknown) => (set = next),
    asked: () => asked,
    /** Fetches hang until the result is called. */
    hang() {
      let release = () => {};
      hold = new Promise((resolve) => (release = resolve));
      return () => {
        hold = null;
        release();
      };
    },
  };
}

describe('the issuer’s keys', () => {
  it('are fetched when the first token comes, once for all that come with it', async () => {
    const issuer = createIssuer(setOf('a', 'b'));
    const known = await Promise.all(['a', 'b', 'a', 'b', 'a'].map(issuer.knows));
    expect([known, issuer.asked()]).toEqual([[true, true, true, true, true], 1]);
  });

  it('that are used from one moment to the next are found, again and again', async () => {
    const issuer = createIssuer(setOf('k0'));
    for (let at = 1; at <= 20; at++) {
      expect(await issuer.knows(`k${at - 1}`)).toBe(true);
      issuer.publish(setOf(`k${at}`));
      expect(await issuer.knows(`k${at}`)).toBe(true);
    }
    expect(issuer.asked()).toBe(21);
  });

  it('that nobody has cost one fetch in thirty seconds, however many ask at once or one after the other', async () => {
    const issuer = createIssuer(setOf('a'));
    await issuer.knows('a');
    for (let second = 0; second < 90; second++) {
      await Promise.all(Array.from({ length: 20 }, (_, at) => issuer.knows(`flood-${second}-${at}`)));
      issuer.pass(SECOND);
    }
    expect(issuer.asked()).toBe(1 + 3);
  });

  it('that are known go on while others flood, and the next one is found within the thirty seconds', async () => {
    const issuer = createIssuer(setOf('a'));
    await issuer.knows('a');
    await issuer.knows('flood');
    issuer.publish(setOf('a', 'b'));
    expect([await issuer.knows('a'), await issuer.knows('b')]).toEqual([true, false]);
    issuer.pass(30 * SECOND);
    await issuer.knows('flood');
    expect([await issuer.knows('a'), await issuer.knows('b'), issuer.asked()]).toEqual([true, true, 3]);
  });

  it('that are known never wait for the issuer while their set is fresh', async () => {
    const issuer = createIssuer(setOf('a'));
    await issuer.knows('a');
    const release = issuer.hang();
    issuer.pass(2 * MINUTE);
    expect(await issuer.knows('a')).toBe(true);
    const waiting = issuer.knows('b');
    expect(await issuer.knows('a')).toBe(true);
    release();
    expect(await waiting).toBe(false);
  });

  it('that were withdrawn are refused after five minutes at the latest', async () => {
    const issuer = createIssuer(setOf('a', 'b'));
    await issuer.knows('a');
    issuer.publish(setOf('b'));
    issuer.pass(5 * MINUTE);
    expect([await issuer.knows('a'), await issuer.knows('b')]).toEqual([false, true]);
  });

  it('that were withdrawn are refused after a minute where others ask', async () => {
    const issuer = createIssuer(setOf('a', 'b'));
    await issuer.knows('a');
    issuer.publish(setOf('b'));
    issuer.pass(MINUTE);
    await issuer.knows('b');
    await new Promise(setImmediate);
    expect(await issuer.knows('a')).toBe(false);
  });

  it('are held for a day while the issuer is down, asked for every thirty seconds, and then no longer', async () => {
    const issuer = createIssuer(setOf('a'));
    await issuer.knows('a');
    issuer.publish(new Error('down'));
    issuer.pass(10 * MINUTE);
    for (let at = 0; at < 10; at++) {
      expect([await issuer.knows('a'), await issuer.knows('b')]).toEqual([true, false]);
      issuer.pass(10 * SECOND);
    }
    expect(issuer.asked()).toBe(1 + 4);
    issuer.pass(23 * HOUR);
    expect(await issuer.knows('a')).toBe(true);
    issuer.pass(HOUR);
    expect(await issuer.knows('a')).toBe(false);
    issuer.publish(setOf('a'));
    issuer.pass(30 * SECOND);
    expect(await issuer.knows('a')).toBe(true);
  });

  it.each([
    ['nothing', null],
    ['a text', 'x'],
    ['an object without keys', {}],
    ['keys that are no list', { keys: {} }],
    ['a list without end', { keys: Array.from({ length: 65 }, () => jwk('x')) }],
  ])('are not taken from what is no key set: %s', async (_, garbage) => {
    const issuer = createIssuer(setOf('a'));
    await issuer.knows('a');
    issuer.publish(garbage);
    issuer.pass(6 * MINUTE);
    expect(await issuer.knows('a')).toBe(true);
  });
});

describe('a key set', () => {
  const rsa = (bits: number) =>
    generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' });

  it('gives each key for its own algorithms only', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
    const keys = toIssuerKeys({
      keys: [
        jwk('ed'),
        { ...ec, kid: 'ec' },
        { ...rsa(2_048), kid: 'any' },
        { ...rsa(2_048), kid: 'ps', alg: 'PS256' },
      ],
    });
    expect([...keys].map(([kid, { algorithms }]) => [kid, algorithms])).toEqual([
      ['ed', ['EdDSA']],
      ['ec', ['ES256']],
      ['any', ['RS256', 'PS256']],
      ['ps', ['PS256']],
    ]);
  });

  it('leaves out what may not verify, and every key whose id stands there twice', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' });
    const keys = toIssuerKeys({
      keys: [
        jwk('good'),
        jwk('twice'),
        jwk('twice'),
        jwk('for encryption', { use: 'enc' }),
        jwk('for signing', { key_ops: ['sign'] }),
        jwk('of another algorithm', { alg: 'HS256' }),
        { ...privateKey.export({ format: 'jwk' }), kid: 'private' },
        { kty: 'oct', k: 'AAAA', kid: 'secret' },
        { ...p384, kid: 'of another curve' },
        { ...rsa(1_024), kid: 'too short' },
        { kty: 'OKP', crv: 'Ed25519', x: 'AA', kid: 'broken' },
        { ...createPublicKey(privateKey).export({ format: 'jwk' }) },
        null,
        'x',
      ],
    });
    expect([...keys.keys()]).toEqual(['good']);
  });
});
