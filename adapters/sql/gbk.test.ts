import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { fromGbkInLatin1 } from './gbk.ts';

/** What the server makes of a byte in a latin1 column. */
const asLatin1 = (bytes: Uint8Array): string =>
  [...bytes]
    .map((byte) =>
      OPEN.has(byte) ? String.fromCharCode(byte) : iconv.decode(Buffer.from([byte]), 'windows-1252'),
    )
    .join('');
const OPEN = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);

describe('GBK in a latin1 column', () => {
  it.each(['天津津信测试（集团）有限公司', '镕', 'ABC 123', '', '€', '一丁丂七'])('%s comes back', (text) => {
    expect(fromGbkInLatin1(asLatin1(iconv.encode(text, 'gbk')))).toBe(text);
  });

  it('comes back for every character that GBK has', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.integer({ min: 0x4e00, max: 0x9fa5 }).map((code) => String.fromCharCode(code)),
        }),
        (text) => {
          expect(fromGbkInLatin1(asLatin1(iconv.encode(text, 'gbk')))).toBe(text);
        },
      ),
    );
  });

  it.each([
    ['a name that is in good order already', '天津'],
    [
      'a name that was cut in the middle of a character',
      asLatin1(iconv.encode('天津', 'gbk').subarray(0, 3)),
    ],
    ['bytes of UTF-8', asLatin1(Buffer.from('津', 'utf8'))],
  ])('is not %s', (_, text) => {
    expect(() => fromGbkInLatin1(text)).toThrow('another character set');
  });
});
