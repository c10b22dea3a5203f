import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEd25519Suite } from './suite.ts';

/** RFC 8032, section 7.1, TEST 2: the seed, and the signature of the one byte 0x72, "r". */
const SEED = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
const SIGNATURE =
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';

const key = createPrivateKey({
  key: Buffer.from(`302e020100300506032b657004220420${SEED}`, 'hex'),
  format: 'der',
  type: 'pkcs8',
});
const suite = createEd25519Suite(key);

describe('Ed25519', () => {
  it('signs as the standard says', () => {
    expect(Buffer.from(suite.sign('r'), 'base64url').toString('hex')).toBe(SIGNATURE);
    expect(suite.verify('r', Buffer.from(SIGNATURE, 'hex').toString('base64url'))).toBe(true);
    expect(suite.verify('s', Buffer.from(SIGNATURE, 'hex').toString('base64url'))).toBe(false);
  });

  it('takes no signature with a changed byte, a byte more or less, or in another spelling', () => {
    const text = '{"score":90}';
    const signature = suite.sign(text);
    const bytes = Buffer.from(signature, 'base64url');
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ by;
        expect(suite.verify(text, changed.toString('base64url'))).toBe(false);
      }),
    );
    for (const other of [bytes.subarray(1), Buffer.concat([bytes, Buffer.of(0)])])
      expect(suite.verify(text, other.toString('base64url'))).toBe(false);
    // The last character carries four bits that say nothing; `=` and the other alphabet are decoded as well.
    const last = signature.slice(-1);
    const spellings = ['ABCDEFGHIJKLMNOP', 'QRSTUVWXYZabcdef', 'ghijklmnopqrstuv', 'wxyz0123456789-_'];
    const same = [...(spellings.find((group) => group.includes(last)) ?? '')].filter((one) => one !== last);
    expect(same).toHaveLength(15);
    for (const spelling of [
      ...same.map((one) => signature.slice(0, -1) + one),
      `${signature}==`,
      ` ${signature}`,
    ])
      expect(suite.verify(text, spelling)).toBe(false);
  });

  it('verifies with the public half', () => {
    const half = createEd25519Suite(createPublicKey(key));
    expect(half.verify('x', suite.sign('x'))).toBe(true);
    expect(half.keyId).toBe(suite.keyId);
    expect(() => half.sign('x')).toThrow();
  });

  it('is understood by OpenSSL, and understands it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'jinxin-ed25519-'));
    const path = (name: string) => join(folder, name);
    writeFileSync(path('key.pem'), key.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(path('public.pem'), createPublicKey(key).export({ type: 'spki', format: 'pem' }));
    writeFileSync(path('text'), '天津津信');
    writeFileSync(path('ours'), Buffer.from(suite.sign('天津津信'), 'base64url'));
    const openssl = (...args: string[]) =>
      execFileSync('openssl', ['pkeyutl', '-rawin', '-in', path('text'), ...args], { encoding: 'buffer' });
    const verified = openssl('-verify', '-pubin', '-inkey', path('public.pem'), '-sigfile', path('ours'));
    const theirs = openssl('-sign', '-inkey', path('key.pem'));
    rmSync(folder, { recursive: true });
    expect(verified.toString()).toContain('Verified Successfully');
    expect(suite.verify('天津津信', theirs.toString('base64url'))).toBe(true);
  });
});
