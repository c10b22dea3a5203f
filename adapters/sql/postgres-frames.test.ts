import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createFrameChecker } from './postgres-frames.ts';

const message = (type: string, body: Buffer | string): Buffer => {
  const bytes = Buffer.from(body);
  const header = Buffer.alloc(5, type, 'latin1');
  header.writeUInt32BE(4 + bytes.length, 1);
  return Buffer.concat([header, bytes]);
};
const int16 = (value: number) => Buffer.from([value >> 8, value & 0xff]);
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const cell = (text: string) => Buffer.concat([int32(Buffer.byteLength(text)), Buffer.from(text)]);
const row = (...cells: Buffer[]) => message('D', Buffer.concat([int16(cells.length), ...cells]));

const ANSWER = Buffer.concat([
  message('1', ''),
  message('2', ''),
  message('T', Buffer.concat([int16(1), Buffer.from('名称\0'), Buffer.alloc(18)])),
  row(cell('天津')),
  row(int32(-1)),
  message('C', 'SELECT 2\0'),
  message('Z', 'I'),
]);

describe('the bytes of a PostgreSQL server', () => {
  it('pass unchanged, however they are cut into chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 })), (sizes) => {
        const checker = createFrameChecker(1_000);
        const passed: Buffer[] = [];
        let at = 0;
        for (const size of [...sizes, ANSWER.length]) {
          passed.push(checker.push(ANSWER.subarray(at, at + size)) ?? Buffer.alloc(0));
          at = Math.min(at + size, ANSWER.length);
        }
        checker.end();
        expect(Buffer.concat(passed)).toEqual(ANSWER);
        expect(checker.hasAnswered()).toBe(true);
      }),
    );
  });

  it.each<[string, Buffer]>([
    ['a login page', Buffer.from('HTTP/1.1 200 OK\r\n\r\n<html>')],
    ['a length below its own', Buffer.from([0x44, 0, 0, 0, 3])],
    ['a length beyond all bounds', Buffer.from([0x44, 0x7f, 0xff, 0xff, 0xff])],
    ['an error without an end', message('E', 'SERROR')],
    ['an error that goes on after its end', message('E', 'SERROR\0\0more')],
    ['a row with more cells than it has', message('D', Buffer.concat([int16(2), cell('x')]))],
    ['a row with bytes left over', message('D', Buffer.concat([int16(0), cell('x')]))],
    ['a cell of a negative length', row(int32(-2))],
    ['a cell that is no UTF-8', row(Buffer.concat([int32(2), Buffer.from([0xcc, 0xec])]))],
    ['a column without a name', message('T', Buffer.concat([int16(1), Buffer.from('name')]))],
    ['a parameter without a value', message('S', 'TimeZone\0')],
    ['a demand for the password in the clear', message('R', int32(3))],
    ['a demand for a file of ours', message('G', Buffer.from([0, 0, 0]))],
    ['a state that there is not', message('Z', 'X')],
  ])('stop at %s', (_, bytes) => {
    expect(() => createFrameChecker(10_000).push(bytes)).toThrow('answered');
  });

  it('stop when they are more than were bargained for, counted anew with each statement', () => {
    const checker = createFrameChecker(ANSWER.length);
    for (let time = 0; time < 3; time++) {
      checker.begin();
      expect(checker.push(ANSWER)).toEqual(ANSWER);
    }
    expect(() => checker.push(message('Z', 'I'))).toThrow('more bytes');
  });

  it('may not end in the middle of a message', () => {
    const checker = createFrameChecker(1_000);
    checker.push(ANSWER.subarray(0, ANSWER.length - 1));
    expect(() => checker.end()).toThrow('in the middle');
  });
});
