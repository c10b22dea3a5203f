import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import jsQrModule from 'jsqr';
import { encode } from 'uqr';
import { digestOf } from '../../schema/canonical.ts';
import { loadReceiptSuite } from '../../schema/signatures/keys.ts';
import type { Receipt } from './receipt.ts';
import { isReceiptOf, isSigned, issueReceipt } from './receipt.ts';
import { QrError, readQrText, toQrText } from './receipt-qr.ts';

// The package is CommonJS and its types speak of an ES default export that is not there.
const { default: readCode } = jsQrModule as unknown as {
  default: (dots: Uint8ClampedArray, width: number, height: number) => { data: string } | null;
};

const suites = (['SM2-SM3', 'Ed25519'] as const).map(
  (algorithm) => [algorithm, loadReceiptSuite(algorithm, undefined, false)] as const,
);
const NOW = Date.UTC(2026, 10, 23, 4, 5, 6, 7);

describe.each(suites)('a receipt under %s', (_, suite) => {
  it('covers the data and the errors of an answer, whatever the order of their names', async () => {
    const answer = { data: { a: 1, b: [null, '津'] }, errors: [{ message: 'no', path: ['a'] }] };
    const receipt = await issueReceipt(suite, digestOf(answer), NOW);
    expect(isReceiptOf(suite, receipt, { errors: answer.errors, data: { b: [null, '津'], a: 1 } })).toBe(
      true,
    );
    expect(isReceiptOf(suite, receipt, { data: answer.data })).toBe(false);
    expect(isReceiptOf(suite, receipt, { ...answer, errors: [] })).toBe(false);
    expect(isReceiptOf(suite, receipt, { ...answer, data: { a: 1, b: [null, '京'] } })).toBe(false);
  });

  it('holds for no answer that differs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (data, other) => {
        const receipt = await issueReceipt(suite, digestOf({ data }), NOW);
        expect(isReceiptOf(suite, receipt, { data })).toBe(true);
        // What is the same in JSON is the same answer: -0 is 0.
        if (digestOf({ data }) !== digestOf({ data: other }))
          expect(isReceiptOf(suite, receipt, { data: other })).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  it('does not hold when a character of it is changed', async () => {
    const receipt = await issueReceipt(suite, digestOf({ data: 1 }), NOW);
    fc.assert(
      fc.property(
        fc.constantFrom<keyof Receipt>('id', 'issuedAt', 'keyId', 'digest', 'signature'),
        fc.nat({ max: 500 }),
        fc.constantFrom('0', 'a', 'Z', '_'),
        (name, place, put) => {
          const text = receipt[name];
          const at = place % text.length;
          const changed = { ...receipt, [name]: text.slice(0, at) + put + text.slice(at + 1) };
          expect(isReceiptOf(suite, changed, { data: 1 })).toBe(changed[name] === text);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('fits one QR code, which another program reads, and verifies from it with the public key alone', async () => {
    const receipt = await issueReceipt(suite, digestOf({ data: 1 }), NOW);
    const text = toQrText(receipt);
    expect(text.length).toBeLessThan(200);
    const read = readQrText(scan(text));
    expect(read).toEqual(receipt);
    expect(isSigned(suite, read)).toBe(true);
    expect(isSigned(suite, { ...read, issuedAt: new Date(NOW + 1).toISOString() })).toBe(false);
  });

  it('has no QR form when something of it would be lost, and no other text is one', async () => {
    const receipt = await issueReceipt(suite, digestOf({ data: 1 }), NOW);
    for (const strange of [
      { id: 'x' },
      { algorithm: 'RSA' },
      { issuedAt: 'now' },
      { signature: 'A' },
      { digest: 'AB' },
    ])
      expect(() => toQrText({ ...receipt, ...strange })).toThrow(QrError);
    const text = toQrText(receipt);
    for (const strange of [
      '',
      'JX1.',
      text.slice(1),
      text.slice(0, 60),
      `${text}=`,
      text.replace('JX1', 'JX2'),
    ])
      expect(() => readQrText(strange)).toThrow(QrError);
  });
});

/** Draws the code four dots to a module and has a foreign reader find it in the picture. */
function scan(text: string): string {
  const { data, size } = encode(text, { ecc: 'M', border: 4 });
  const dots = size * 4;
  const picture = new Uint8ClampedArray(dots * dots * 4).fill(255);
  for (let y = 0; y < dots; y++)
    for (let x = 0; x < dots; x++)
      if (data[y >> 2]?.[x >> 2]) picture.fill(0, (y * dots + x) * 4, (y * dots + x) * 4 + 3);
  return readCode(picture, dots, dots)?.data ?? '';
}
