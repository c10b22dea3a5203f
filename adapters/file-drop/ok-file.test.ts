import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { assertWhole, parseOkFile } from './ok-file.ts';

const MD5 = createHash('md5').update('abc').digest('hex');
// GB/T 32905-2016, example 1.
const SM3_OF_ABC = '66C7F0F462EEEDD9D1F2D46BDC10E4E24167C4875CF2F7A2297DA02B8F4BA8E0';

describe('a flag file', () => {
  it('names SM3 or MD5, in any order and case', () => {
    expect(parseOkFile(`SM3=${SM3_OF_ABC}\r\nLINES=1\r\nBYTES=3\r\n`)).toMatchObject({
      algorithm: 'SM3',
      bytes: 3,
      lines: 1,
    });
    expect(parseOkFile(`BYTES=3\nLINES=1\nMD5=${MD5}`)).toEqual({
      algorithm: 'MD5',
      bytes: 3,
      lines: 1,
      digest: MD5,
    });
  });

  it.each([
    '',
    'BYTES=3',
    `BYTES=x\nLINES=1\nMD5=${MD5}`,
    `BYTES=3\nLINES=1\nMD5=12`,
    '<html></html>',
    `BYTES=-3\nLINES=1\nMD5=${MD5}`,
  ])('is refused when it reads %j', (text) => {
    expect(() => parseOkFile(text)).toThrow('flag file');
  });

  it('accepts the content that it was written for, and no other', () => {
    const ok = parseOkFile(`BYTES=3\nLINES=1\nSM3=${SM3_OF_ABC}`);
    expect(assertWhole(Buffer.from('abc'), ok)).toBeUndefined();
    expect(() => assertWhole(Buffer.from('ab'), ok)).toThrow('2 bytes');
    expect(() => assertWhole(Buffer.from('abd'), ok)).toThrow('SM3');
  });
});
