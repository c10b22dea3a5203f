import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSm2Suite, toSm2Key } from './sm2.ts';

/** GB/T 32918.5-2017, annex A: the key, and the signature (r, s) of "message digest". */
const SCALAR = '3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8';
const POINT =
  '09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13';
const R = 'f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3';
const S = 'b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa';
/** Both numbers have their top bit set: DER puts a zero before each. */
const ANNEX = Buffer.from(`3046022100${R}022100${S}`, 'hex').toString('base64url');

const key = toSm2Key(SCALAR);
const suite = createSm2Suite(key);

describe('SM2-SM3', () => {
  it('has the key of the standard, and takes its signature', () => {
    expect(createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-64).toString('hex')).toBe(
      POINT,
    );
    expect(suite.verify('message digest', ANNEX)).toBe(true);
    expect(suite.verify('message digesu', ANNEX)).toBe(false);
  });

  it('takes its own signatures, and none with a changed byte, of text or signature', () => {
    const text = '{"score":90}';
    const signature = suite.sign(text);
    expect(suite.verify(text, signature)).toBe(true);
    const bytes = Buffer.from(signature, 'base64url');
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ by;
        expect(suite.verify(text, changed.toString('base64url'))).toBe(false);
      }),
      { numRuns: 60 },
    );
    expect(suite.verify(`${text} `, signature)).toBe(false);
  });

  it('verifies with the public half, which cannot sign', () => {
    const half = createSm2Suite(createPublicKey(key));
    expect(half.verify('x', suite.sign('x'))).toBe(true);
    expect(half.keyId).toBe(suite.keyId);
    expect(() => half.sign('x')).toThrow('not sign');
  });

  it('is understood by OpenSSL under the default signer id, and understands it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'jinxin-sm2-'));
    const path = (name: string) => join(folder, name);
    writeFileSync(path('key.pem'), key.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(path('public.pem'), createPublicKey(key).export({ type: 'spki', format: 'pem' }));
    writeFileSync(path('text'), '天津津信');
    writeFileSync(path('ours'), Buffer.from(suite.sign('天津津信'), 'base64url'));
    const openssl = (...args: string[]) =>
      execFileSync('openssl', ['pkeyutl', '-rawin', '-digest', 'sm3', '-in', path('text'), ...args], {
        encoding: 'buffer',
      });
    const id = ['-pkeyopt', 'distid:1234567812345678'];
    const verified = openssl(
      '-verify',
      '-pubin',
      '-inkey',
      path('public.pem'),
      '-sigfile',
      path('ours'),
      ...id,
    );
    const theirs = openssl('-sign', '-inkey', path('key.pem'), ...id);
    const others = openssl('-sign', '-inkey', path('key.pem'), '-pkeyopt', 'distid:8765432187654321');
    const nameless = openssl('-sign', '-inkey', path('key.pem'));
    rmSync(folder, { recursive: true });
    expect(verified.toString()).toContain('Verified Successfully');
    expect(suite.verify('天津津信', theirs.toString('base64url'))).toBe(true);
    // Signed under another id, or none, it is nobody's word: Node itself would sign the latter.
    expect(suite.verify('天津津信', others.toString('base64url'))).toBe(false);
    expect(suite.verify('天津津信', nameless.toString('base64url'))).toBe(false);
  });
});
