import { describe, expect, it } from '@jest/globals';
import { parseCatalogue } from '../schema/catalogue.ts';
import { createCacheHints, graceOf } from './cache-hints.ts';

const body = JSON.stringify({ variables: { representations: [{ id: 'a' }, { id: 'b' }, { code: 'x' }] } });
const GRACE = { whileRevalidating: 30, onError: 3_600 };

describe('the hints of an answer', () => {
  it('are the least that was said of each subject, and nothing where nothing was said', () => {
    const hints = createCacheHints();
    hints.mayCache('a', 600);
    hints.mayCache('a', 60);
    hints.mayCache('c', 600);
    expect(hints.of(body, null)).toEqual({ maxAge: [60, 0, 0] });
    expect(createCacheHints().of(body, GRACE)).toBeNull();
  });

  it('let nothing stand in beyond what was said to be the longest', () => {
    const hints = createCacheHints();
    hints.mayCache('a', 60, 1_000);
    hints.mayCache('b', 60);
    expect(hints.of(body, GRACE)).toEqual({
      maxAge: [60, 60, 0],
      grace: [
        { whileRevalidating: 30, onError: 940 },
        { whileRevalidating: 0, onError: 0 },
        { whileRevalidating: 0, onError: 0 },
      ],
    });
  });
});

describe('a catalogue', () => {
  const item = (id: string, use: readonly object[]) => ({
    id,
    name: { zh: '项', en: 'item' },
    category: 'administrative',
    publicity: use.length === 0 ? 'PUBLIC' : 'NOT_PUBLIC',
    sharing: 'CONDITIONAL',
    use,
    basis: ['条例'],
    sensitivity: 'L1',
    retention: 'P1D',
  });
  const catalogue = (stale?: object) =>
    parseCatalogue(
      {
        department: 'tax',
        name: { zh: '部门', en: 'department' },
        version: '1',
        updateCycle: 'P1D',
        maxAge: 'PT1M',
        ...(stale ? { stale } : {}),
        items: [
          item('tax.public', []),
          item('tax.official', [{ principals: ['department'] }]),
          // An officer needs no consent of it; a bank does, and is given what is kept for both.
          item('tax.either', [{ principals: ['department'] }, { principals: ['bank'], requires: 'CONSENT' }]),
        ],
      },
      'test',
    );

  it('lets nothing stand in for a fresh answer unless it says so', () => {
    expect(graceOf(catalogue(), ['tax.public'])).toBeNull();
    expect(graceOf(catalogue({ onError: 'PT1H' }), ['tax.public', 'tax.official'])).toEqual({
      whileRevalidating: 0,
      onError: 3_600,
    });
  });

  it('lets what anybody needs consent for stand in only where it says that, too', () => {
    const items = ['tax.public', 'tax.either'];
    expect(graceOf(catalogue({ onError: 'PT1H' }), items)).toBeNull();
    expect(graceOf(catalogue({ onError: 'PT1H', withConsent: true }), items)).toMatchObject({
      onError: 3_600,
    });
  });
});
