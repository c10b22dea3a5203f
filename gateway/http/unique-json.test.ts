import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseUniqueJson } from './unique-json.ts';

describe('JSON that says everything once', () => {
  it.each([
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"x":[{"b":{"c":1,\n\t"c":2}}]}',
    '[{"a":"}","a":1}]',
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"a\\"":1,"a\\u0022":2}',
    '{"a":{"k":"\\\\"},"a":0}',
  ])('is not %s', (text) => {
    expect(() => parseUniqueJson(text)).toThrow(SyntaxError);
  });

  it.each([
    '{"a":1,"A":2}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":["a","a"]}',
    '{"a":{"a":{"a":1}}}',
    '"a"',
    ' {} ',
  ])('is %s', (text) => {
    expect(parseUniqueJson(text)).toEqual(JSON.parse(text));
  });

  it('is everything that JSON.stringify writes, indented or not, and nothing of it with one name repeated', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseUniqueJson(text)).toEqual(JSON.parse(text));
        const twice = `{"k":${text},"l":${text},"k":0}`;
        expect(() => parseUniqueJson(twice)).toThrow(SyntaxError);
      }),
    );
  });

  it('is read however deep it is', () => {
    const depth = 100_000;
    expect(() => parseUniqueJson(`${'['.repeat(depth)}{"a":1,"a":2}${']'.repeat(depth)}`)).toThrow(
      SyntaxError,
    );
  });
});
