import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { composeSupergraph } from '../../schema/compose.ts';
import type { Planner, PlannerOptions } from './planner.ts';
import { createPlanner } from './planner.ts';

/** Two subgraphs share every field of an entity: the planner weighs each way to each. */
const shared = (name: string) => ({
  name,
  url: `http://127.0.0.1:1/${name}/graphql`,
  sdl: `type Query { node: Node @shareable }
        type Node @key(fields: "id") { id: ID! @shareable a: Node @shareable b: Node @shareable v: Int @shareable }`,
});
const sdl = composeSupergraph([shared('one'), shared('two'), shared('three')]);

/** Nested fragments that double: a kilobyte of text, two to the power of `levels` fields. */
function bomb(levels: number): string {
  const fragments = Array.from({ length: levels }, (_, at) =>
    at === 0
      ? 'fragment F0 on Node { v }'
      : `fragment F${at} on Node { a { ...F${at - 1} } b { ...F${at - 1} } }`,
  );
  return `{ node { ...F${levels - 1} } } ${fragments.join(' ')}`;
}

let planner: Planner;
afterEach(() => planner.close());

async function create(options: Partial<PlannerOptions> = {}): Promise<Planner> {
  // A machine that is busy with other things starts a thread slowly.
  planner = createPlanner({ sdl, log: pino({ level: 'silent' }), longestWaitMs: 60_000, ...options });
  await planner.started;
  return planner;
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: { extensions?: Record<string, unknown> }) => [
      error.extensions?.['code'],
      error.extensions?.['limit'],
    ],
  );

describe('a planning thread', () => {
  it('validates, plans and introspects', async () => {
    const { validate, plan, introspect } = await create();
    expect(await validate('{ node { v } }', true, 'a')).toEqual([]);
    expect(await validate('{ node { nope } }', true, 'a')).toMatchObject([
      { message: expect.stringContaining('nope'), positions: [9], extensions: null },
    ]);
    expect(await plan('{ node { v } }', null, 'a')).toMatchObject({
      kind: 'QueryPlan',
      node: { kind: 'Fetch' },
    });
    expect(await introspect('query ($n: String!) { __type(name: $n) { name } }', { n: 'Node' }, 'a')).toEqual(
      {
        __type: { name: 'Node' },
      },
    );
  });

  it('is killed over a bomb, which is refused, and the next one answers everybody else', async () => {
    const { plan } = await create({ longestMs: 200 });
    const killed = codeOf(plan(bomb(18), null, 'attacker'));
    const others = ['x', 'y'].map((consumer) => plan('{ node { v } }', null, consumer));
    expect(await killed).toEqual(['LIMIT_EXCEEDED', 'planning']);
    for (const plan of await Promise.all(others)) expect(plan).toMatchObject({ kind: 'QueryPlan' });
  });

  it('takes nothing new from who brought a bomb, for a while that grows', async () => {
    let now = 0;
    const { plan } = await create({ longestMs: 200, penaltyMs: 1_000, now: () => now });
    const bombed = () => codeOf(plan(bomb(18), null, 'attacker'));
    expect(await bombed()).toEqual(['LIMIT_EXCEEDED', 'planning']);
    expect(await codeOf(plan('{ node { v } }', null, 'attacker'))).toEqual(['OVERLOADED', undefined]);
    now = 1_001;
    expect(await bombed()).toEqual(['LIMIT_EXCEEDED', 'planning']);
    now = 2_500;
    expect(await codeOf(plan('{ node { v } }', null, 'attacker'))).toEqual(['OVERLOADED', undefined]);
    now = 3_002;
    expect(await codeOf(plan('{ node { v } }', null, 'attacker'))).toBe('answered');
  });

  it('serves consumers in turn, and refuses what one of them brings beyond its share', async () => {
    const { plan } = await create({ waiting: { each: 5, all: 100 } });
    const order: string[] = [];
    const ask = (consumer: string) =>
      codeOf(plan('{ node { v } }', null, consumer)).then((code) => {
        if (code === 'answered') order.push(consumer);
        return code;
      });
    const flood = Array.from({ length: 20 }, () => ask('flood'));
    const codes = await Promise.all([...flood, ask('small')]);
    expect(codes.filter((code) => code === 'answered')).toHaveLength(7);
    expect(codes.filter((code) => Array.isArray(code) && code[0] === 'OVERLOADED')).toHaveLength(14);
    expect(order.indexOf('small')).toBeLessThanOrEqual(2);
  });

  it('refuses an answer about the schema that would be huge', async () => {
    const { introspect } = await create({ longestMs: 20_000 });
    const all = '__schema { types { name fields { name type { name } args { name } } enumValues { name } } }';
    const many = Array.from({ length: 1_000 }, (_, at) => `a${at}: ${all}`).join(' ');
    expect(await codeOf(introspect(`{ ${many} }`, {}, 'a'))).toEqual(['LIMIT_EXCEEDED', 'introspection']);
  });

  it('answers nobody once it is closed', async () => {
    const { plan, close } = await create();
    const waiting = [1, 2, 3].map(() => codeOf(plan('{ node { v } }', null, 'a')));
    await close();
    for (const code of await Promise.all(waiting)) expect(code).toEqual(['OVERLOADED', undefined]);
  });
});

describe('a planning thread that cannot start', () => {
  it('says why', async () => {
    planner = createPlanner({ sdl: 'type Query { a: Int }', log: pino({ level: 'silent' }) });
    await expect(planner.started).rejects.toThrow();
  });
});
