/**
 * Canaries: values that stand for one field of one subject and for nothing else, so that wherever one turns up in an answer
 * it tells what got out. Booleans, enum values and identifiers cannot be told apart: those are judged by their place.
 */
import { randomFor } from '../../../simulators/population/random.ts';

export interface Canaries {
  /** The value of a field for the subject of this number (0…7); `type` is the named type of a leaf. */
  valueOf(coordinate: string, type: string, subject: number): unknown;
  /** Every canary in a text, with what it stands for. */
  findIn(text: string): readonly Finding[];
}

export interface Finding {
  readonly coordinate: string;
  readonly subject: number;
  readonly canary: string;
}

const DAY = 86_400_000;
const PATTERN = /cnry[0-9a-z]{12}|\b[1-8]\d{8}\b|\b(?:1[0-8]|2[3-6])\d\d-\d\d-\d\d/g;

export function createCanaries(seed: string): Canaries {
  const numbers = new Map<string, number>();
  const known = new Map<string, Finding>();

  function numberOf(coordinate: string): number {
    const number = numbers.get(coordinate) ?? numbers.size;
    numbers.set(coordinate, number);
    return number;
  }
  function remember(canary: string, coordinate: string, subject: number): string {
    known.set(canary, { coordinate, subject, canary });
    return canary;
  }
  /** A day that is over, or one that is far ahead where the field says until when something lasts. */
  function dayOf(coordinate: string, subject: number): string {
    const from = /until|expires|ends|due/i.test(coordinate) ? '2300-01-01' : '1500-01-01';
    const days = numberOf(coordinate) * 8 + subject;
    return remember(new Date(Date.parse(from) + days * DAY).toISOString().slice(0, 10), coordinate, subject);
  }

  return {
    valueOf(coordinate, type, subject) {
      const number = String(100_000_000 + numberOf(coordinate) * 8 + subject);
      if (type === 'Boolean') return false;
      if (type === 'Int') return Number(remember(number, coordinate, subject));
      if (type === 'Float') return Number(`${remember(number, coordinate, subject)}.25`);
      if (type === 'Date') return dayOf(coordinate, subject);
      if (type === 'DateTime') return `${dayOf(coordinate, subject)}T08:00:00Z`;
      const random = randomFor(seed, `${coordinate} ${subject}`, 'canary');
      const text = Array.from({ length: 12 }, () => random.int(0, 35).toString(36)).join('');
      return remember(`cnry${text}`, coordinate, subject);
    },
    findIn: (text) => [...text.matchAll(PATTERN)].flatMap(([canary]) => known.get(canary) ?? []),
  };
}
