import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { createSeal } from './seal.ts';

const seal = createSeal(randomBytes(32));
const NOW = Date.UTC(2026, 5, 1);
const time = fc.integer({ min: 1, max: 86_400_000 });

describe('a sealed value', () => {
  it('opens to the same text under its own name, until its time is over', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), time, (text, name, ms) => {
        const sealed = seal.seal(name, text, NOW + ms);
        const wellFormed = Buffer.from(text, 'utf8').toString('utf8');
        expect(seal.open(name, sealed, NOW)).toBe(wellFormed);
        expect(seal.open(name, sealed, NOW + ms)).toBeNull();
      }),
    );
  });

  it('does not open when any of its bits was changed, its expiry and version too', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.integer({ min: 0, max: 7 }), (text, place, bit) => {
        const sealed = seal.seal('name', text, NOW + 1_000);
        const at = place % sealed.length;
        sealed[at] = (sealed[at] ?? 0) ^ (1 << bit);
        expect(seal.open('name', sealed, NOW)).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not open when it was cut or added to, under another name, or with another secret', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.nat(), (text, name, other, cut) => {
        fc.pre(name !== other);
        const sealed = seal.seal(name, text, NOW + 1_000);
        expect(seal.open(other, sealed, NOW)).toBeNull();
        expect(seal.open(name, sealed.subarray(0, cut % sealed.length), NOW)).toBeNull();
        expect(seal.open(name, Buffer.concat([sealed, Buffer.of(0)]), NOW)).toBeNull();
        expect(createSeal(randomBytes(32)).open(name, sealed, NOW)).toBeNull();
      }),
    );
  });

  it('is never made of bytes that somebody else wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(seal.open('name', Buffer.from(bytes), NOW)).toBeNull();
      }),
    );
  });
});
