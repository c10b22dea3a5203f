import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONSENT_KEY } from '../../tests/kit/consent.ts';
import type { ArtefactContent, SignedArtefact } from './signing.ts';
import { isSignedArtefact, loadConsentSuite, loadConsentVerifier, signArtefact, toMark } from './signing.ts';

const content: ArtefactContent = {
  kind: 'jinxin-consent',
  version: 1,
  id: '00000000-0000-4000-8000-000000000001',
  draft: null,
  subject: 'O-91120101MA9TYN016Y',
  consumer: 'bank-a',
  purpose: 'LOAN_ORIGINATION',
  product: 'xyd-standard',
  channel: 'PUBLIC_CREDIT_PLATFORM',
  decisions: [{ item: 'tax.grade', accepted: true }],
  writtenItems: [],
  acknowledged: { personal: false, sensitive: false, written: false },
  givenBy: { as: 'AGENT', account: toMark('salt', 'agent'), authorisation: '津委字〔2026〕第12号' },
  periodFrom: '2026-01-01',
  periodUntil: '2026-11-24',
  dataLifeDays: 7,
  frequency: { times: 1, per: 'CONSENT' },
  grantedAt: '2026-11-24T00:00:00.000Z',
  expiresAt: '2026-12-24T00:00:00.000Z',
  text: { version: '2026.1', digest: 'sm3:00', proposed: null },
  catalogue: '2026.1',
};
const pem = (key: typeof CONSENT_KEY) => key.export({ type: 'pkcs8', format: 'pem' }) as string;
const publicPem = (key: typeof CONSENT_KEY) =>
  createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string;
const suite = loadConsentSuite('SM2-SM3', pem(CONSENT_KEY));
const verifier = loadConsentVerifier('SM2-SM3', publicPem(CONSENT_KEY));
const signed = signArtefact(suite, content);

describe('a signed consent', () => {
  it('verifies with the public half, and not with another key or algorithm', () => {
    expect(isSignedArtefact(verifier, signed)).toBe(true);
    expect(isSignedArtefact(loadConsentVerifier('SM2-SM3', undefined), signed)).toBe(false);
    expect(isSignedArtefact(verifier, { ...signed, algorithm: 'Ed25519' })).toBe(false);
  });

  it('is found out when a byte of it is changed, added or taken away', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<keyof Omit<SignedArtefact, 'algorithm'>>('text', 'digest', 'signature', 'keyId'),
        fc.nat(10_000),
        fc.constantFrom('change', 'add', 'remove'),
        (part, position, how) => {
          const bytes = Buffer.from(signed[part]);
          const at = position % bytes.length;
          const middle =
            { change: [bytes.readUInt8(at) ^ 1], add: [bytes.readUInt8(at), 0x20], remove: [] }[how] ?? [];
          const changed = Buffer.concat([bytes.subarray(0, at), Buffer.from(middle), bytes.subarray(at + 1)]);
          const forged = { ...signed, [part]: changed.toString('latin1') };
          // The last characters of base64url hold bits that stand for nothing: only the one spelling is taken.
          expect(isSignedArtefact(verifier, forged)).toBe(false);
        },
      ),
      { numRuns: 80 },
    );
  });

  it('is verified by OpenSSL under the default signer id', () => {
    const folder = mkdtempSync(join(tmpdir(), 'jinxin-consent-'));
    const path = (name: string) => join(folder, name);
    writeFileSync(path('public.pem'), publicPem(CONSENT_KEY));
    writeFileSync(path('artefact'), signed.text);
    writeFileSync(path('signature'), Buffer.from(signed.signature, 'base64url'));
    const said = execFileSync('openssl', [
      ...['pkeyutl', '-verify', '-rawin', '-digest', 'sm3', '-in', path('artefact')],
      ...['-pubin', '-inkey', path('public.pem'), '-sigfile', path('signature')],
      ...['-pkeyopt', 'distid:1234567812345678'],
    ]);
    rmSync(folder, { recursive: true });
    expect(said.toString()).toContain('Verified Successfully');
  });

  it('may be signed with Ed25519 instead, and with no key of the other kind', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const other = signArtefact(loadConsentSuite('Ed25519', pem(privateKey)), content);
    expect(isSignedArtefact(loadConsentVerifier('Ed25519', publicPem(privateKey)), other)).toBe(true);
    expect(other.digest).toBe(signed.digest);
    expect(() => loadConsentSuite('SM2-SM3', pem(privateKey))).toThrow('not one of SM2-SM3');
    expect(() => loadConsentSuite('Ed25519', pem(CONSENT_KEY))).toThrow('not one of Ed25519');
  });
});

describe('a mark', () => {
  it('is that of one value under one salt', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (salt, value, otherSalt, other) => {
        const isSame = salt === otherSalt && value === other;
        expect(toMark(salt, value) === toMark(otherSalt, other)).toBe(isSame);
      }),
    );
  });
});
