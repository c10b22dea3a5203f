import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { GraphQLNamedType } from 'graphql';
import { buildSchema } from 'graphql';
import { disputeOf, dropExpired, stateFieldsOf } from './adverse-records.ts';

const TODAY = '2026-11-24';
const record = (publishedUntil: string | null, documentNumber = 'x') => ({ documentNumber, publishedUntil });

describe('a record past its publication', () => {
  it.each([
    ['is gone from a list', [record('2026-11-23'), record('2026-11-25')], [record('2026-11-25')]],
    ['is null where it stood alone', { latest: record('2026-11-23') }, { latest: null }],
    ['stays on its last day', [record('2026-11-24')], [record('2026-11-24')]],
    ['stays without an end', [record(null)], [record(null)]],
    [
      'is found at any depth',
      { courts: { dishonest: [record('2020-01-01')], status: 'OK' } },
      { courts: { dishonest: [], status: 'OK' } },
    ],
  ])('%s', (_, value, expected) => {
    expect(dropExpired(value, TODAY).value).toEqual(expected);
  });

  it('takes its errors with it, and those of the others move up', () => {
    const value = { list: [record('2020-01-01'), record('2027-01-01'), record('2020-01-01'), record(null)] };
    const { toPath } = dropExpired(value, TODAY);
    expect([
      toPath(['list', 0, 'documentNumber']),
      toPath(['list', 1, 'documentNumber']),
      toPath(['list', 3]),
      toPath(['list']),
      toPath(['other', 3]),
    ]).toEqual([null, ['list', 0, 'documentNumber'], ['list', 1], ['list'], ['other', 3]]);
  });

  it('leaves no trace, and every path of what is left leads to it', () => {
    const anyRecord = fc.record({
      publishedUntil: fc.constantFrom('2020-01-01', '2026-11-24', '2030-01-01', null),
      documentNumber: fc.uuid(),
    });
    fc.assert(
      fc.property(fc.array(anyRecord), (list) => {
        const { value, toPath } = dropExpired({ list }, TODAY);
        const kept = list.filter(({ publishedUntil }) => publishedUntil === null || publishedUntil >= TODAY);
        expect(value.list).toEqual(kept);
        list.forEach((one, at) => {
          const path = toPath(['list', at]);
          expect(path === null ? null : value.list[path[1] as number]).toEqual(
            kept.includes(one) ? one : null,
          );
        });
      }),
    );
  });

  it('does not change what a client may have named __proto__', () => {
    const value = JSON.parse(
      '{"__proto__": {"polluted": 1}, "list": [{"publishedUntil": "2020-01-01"}]}',
    ) as object;
    const kept = dropExpired(value, TODAY).value;
    expect([JSON.stringify(kept), Object.getPrototypeOf(kept)]).toEqual([
      '{"__proto__":{"polluted":1},"list":[]}',
      Object.prototype,
    ]);
  });
});

describe('the state of a record', () => {
  const schema = buildSchema(`
    interface AdverseRecord { publishedUntil: String underObjection: Boolean }
    type Listing implements AdverseRecord { publishedUntil: String underObjection: Boolean }
    type Note { underObjection: Boolean }
    type Query { listing: Listing note: Note }`);
  const fieldsOf = (name: string) => {
    const type = schema.getType(name);
    return type ? stateFieldsOf(type).map(({ name: { value } }) => value) : null;
  };

  it('is asked for of adverse records alone', () => {
    expect([fieldsOf('Listing'), fieldsOf('AdverseRecord'), fieldsOf('Note')]).toEqual([
      ['publishedUntil', 'underObjection'],
      ['publishedUntil', 'underObjection'],
      [],
    ]);
  });

  it('marks what is disputed', () => {
    const source = { underObjection: true };
    const isDisputed = (name: string, of: object) =>
      disputeOf(schema.getType(name) as GraphQLNamedType)?.(of as never) ?? null;
    expect([
      isDisputed('Listing', source),
      isDisputed('Listing', { underObjection: false }),
      isDisputed('Note', source),
    ]).toEqual([true, false, null]);
  });
});
