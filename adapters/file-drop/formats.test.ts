import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import type { FileFormat } from './formats.ts';
import { parseFile } from './formats.ts';

const DELIMITED: FileFormat = { kind: 'delimited', separator: '|', columns: ['名称', '代码'] };
const FIXED: FileFormat = {
  kind: 'fixed-width',
  columns: [
    { name: '名称', bytes: 10 },
    { name: '代码', bytes: 4 },
  ],
};
const gb = (text: string) => iconv.encode(text, 'gb18030');
const records = (content: Buffer, format: FileFormat) =>
  parseFile(content, format).map((line) => ('record' in line ? line.record : line.reason));

describe('a delimited file', () => {
  it.each([
    ['rare characters of two and four bytes', '津信㛃䶮|1\n', [{ 名称: '津信㛃䶮', 代码: '1' }]],
    ['a character whose second byte is the separator', '測試瑋質|2\n', [{ 名称: '測試瑋質', 代码: '2' }]],
    ['spaces of both widths, and line ends of Windows', ' 样例　|3 \r\n', [{ 名称: '样例', 代码: '3' }]],
    [
      'a last line without an end',
      'a|1\nb|2',
      [
        { 名称: 'a', 代码: '1' },
        { 名称: 'b', 代码: '2' },
      ],
    ],
    ['a column too many', 'a|1|x\nb|2\n', ['has 3 columns instead of 2', { 名称: 'b', 代码: '2' }]],
    ['an empty line', '\nb|2\n', ['has 1 columns instead of 2', { 名称: 'b', 代码: '2' }]],
    ['a character that was lost before us', 'a\ufffd|1\n', ['holds bytes that are not GB18030']],
    ['a NUL', 'a\u0000|1\n', ['holds bytes that are not GB18030']],
  ])('with %s', (_, lines, expected) => {
    expect(records(gb(`名称|代码\n${lines}`), DELIMITED)).toEqual(expected);
  });

  it('sets aside the one line that is not GB18030, with its number and its bytes', () => {
    const bad = Buffer.from([0x61, 0xff, 0x7c, 0x31]);
    const lines = parseFile(Buffer.concat([gb('名称|代码\na|1\n'), bad, gb('\nb|2\n')]), DELIMITED);
    expect(lines.map(({ number }) => number)).toEqual([2, 3, 4]);
    expect(lines[1]).toEqual({ number: 3, raw: bad, reason: 'holds bytes that are not GB18030' });
  });

  it.each([
    ['in UTF-8', Buffer.from('名称|代码\n津信|1\n')],
    ['with another column at the end', gb('名称|代码|备用\n津信|1|\n')],
    ['of HTML', gb('<html><body>统一身份认证</body></html>')],
    ['that is empty', Buffer.alloc(0)],
  ])('%s is refused as a whole', (_, content) => {
    expect(() => parseFile(content, DELIMITED)).toThrow(expect.objectContaining({ name: 'FileError' }));
  });
});

describe('a fixed-width file', () => {
  it('is cut by bytes, not by characters', () => {
    expect(records(gb('津信㛃  0001\n䶮        0002\n'), FIXED)).toEqual([
      { 名称: '津信㛃', 代码: '0001' },
      { 名称: '䶮', 代码: '0002' },
    ]);
  });

  it('sets aside a line of another length, and one whose characters straddle the columns', () => {
    expect(records(gb('津信 0001\n abcdefgh津01\n'), FIXED)).toEqual([
      'has 9 bytes instead of 14',
      expect.stringContaining('bytes'),
    ]);
  });
});

it('gives every line of any bytes either a record or a reason', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (lines) => {
      const body = lines.map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10 && byte !== 13)));
      const content = Buffer.concat(body.flatMap((line) => [line, Buffer.from('\n')]));
      const parsed = parseFile(Buffer.concat([gb('名称|代码\n'), content]), DELIMITED);
      expect(parsed.map(({ raw }) => raw.toString('hex'))).toEqual(body.map((line) => line.toString('hex')));
      for (const line of parsed) expect('record' in line).not.toBe('reason' in line);
    }),
  );
});
