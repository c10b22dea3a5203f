import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CharsetError, decodeStrictly, encodeStrictly } from './charset.ts';
import { escapeXml, parseXml, toCdata, XmlError } from './xml.ts';

/** Text that XML can hold and GBK can write; outer white space is not kept. */
const text = fc
  .string({ unit: fc.constantFrom(...'天津〔〕（）&<>"\']a1;#x-信') })
  .map((value) => value.trim());

describe('xml', () => {
  it('gives back what was escaped', () => {
    fc.assert(fc.property(text, (value) => expect(parseXml(`<x>${escapeXml(value)}</x>`, 'x')).toBe(value)));
  });

  it('gives back what was put into CDATA, even its own end', () => {
    fc.assert(fc.property(text, (value) => expect(parseXml(`<x>${toCdata(value)}</x>`, 'x')).toBe(value)));
  });

  it('refuses every part of a document that breaks off', () => {
    const whole = '<a><row><b>天津</b></row></a>';
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => {
        expect(() => parseXml(whole.slice(0, length), 'a')).toThrow(XmlError);
      }),
    );
  });

  it.each(['<a/><b/>', '<b/>', '<!doctype a><a/>', 'a', ''])(
    'refuses %j where one element a is expected',
    (document) => {
      expect(() => parseXml(document, 'a')).toThrow(XmlError);
    },
  );
});

describe('character sets', () => {
  it('read back what they wrote', () => {
    fc.assert(
      fc.property(text, (value) => expect(decodeStrictly(encodeStrictly(value, 'gbk'), 'gbk')).toBe(value)),
    );
  });

  it.each(['㛃', '𫖯', '😀'])('does not write %s as a question mark in GBK', (character) => {
    expect(() => encodeStrictly(character, 'gbk')).toThrow(CharsetError);
    expect(decodeStrictly(encodeStrictly(character, 'gb18030'), 'gb18030')).toBe(character);
  });

  it.each([
    ['half a character', [0xcc, 0xec, 0xbd]],
    ['a byte that starts nothing', [0xff]],
    ['a lead byte without its trail', [0xd5, 0x20]],
    ['a character that was lost before', [0x84, 0x31, 0xa4, 0x37]],
    ['a control character', [0x41, 0x02]],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeStrictly(Uint8Array.from(bytes), 'gbk')).toThrow(CharsetError);
  });
});
