import { describe, expect, it } from '@jest/globals';
import { createKnownOperations } from './known.ts';

const operation = (query: string) => ({
  query,
  operationName: null,
  variables: {},
  asker: { kind: 'public', purpose: 'PUBLIC_QUERY' } as const,
  mayIntrospect: true,
});
const create = (entries = 10, characters = 1_000) => {
  const known = createKnownOperations({ entries, characters });
  return {
    use: (query: string, times = 1) => {
      for (let at = 0; at < times; at++) known.note(query, () => operation(query));
    },
    most: (count: number) => known.mostUsed(count).map(({ query }) => query),
  };
};

describe('known operations', () => {
  it('are told the most used first, no more than asked for', () => {
    const { use, most } = create();
    use('a', 1);
    use('b', 3);
    use('c', 2);
    expect(most(2)).toEqual(['b', 'c']);
  });

  it('fall behind what is used now', () => {
    const { use, most } = create();
    use('old', 8);
    for (let reload = 0; reload < 4; reload++) most(1);
    use('new', 2);
    expect(most(2)).toEqual(['new', 'old']);
  });

  it('are bounded in number and in length, and forget the one that was not used for the longest time', () => {
    const { use, most } = create(2, 10);
    for (const query of ['a', 'b', 'a', 'c']) use(query);
    expect(most(9).sort()).toEqual(['a', 'c']);
    use('x'.repeat(100));
    expect(most(9).join('')).not.toContain('x');
  });
});
