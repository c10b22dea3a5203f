/**
 * What is true in a graph, whoever is asked: the subgraphs answer their part of it, the oracle the whole. Data of a case never
 * say who serves them; the SDL of the subgraphs does.
 */
import type { GraphQLOutputType } from 'graphql';
import { getNamedType, GraphQLError, isLeafType, isListType, isNonNullType, isObjectType } from 'graphql';
import type { Graph } from './graph-file.ts';
import { Failure } from './graph-file.ts';

export interface Thing {
  readonly type: string;
  /** As the file calls it; null: a value without identity. */
  readonly name: string | null;
  readonly values: Record<string, unknown>;
}

/** A thing as a resolver has it before it; `given` is the representation by which a gateway asked for it. */
export interface Seen {
  readonly thing: Thing;
  readonly given: Readonly<Record<string, unknown>> | null;
}

export interface World {
  named(name: string): Thing;
  all(): readonly Thing[];
  root(type: string): Thing;
}

const ROOTS = ['Query', 'Mutation', 'Subscription'];

/** A world of its own, which mutations may change. */
export function createWorld(data: Graph['data']): World {
  const things = new Map<string, Thing>();
  const roots = new Map(ROOTS.map((type) => [type, { type, name: null, values: { ...data[type] } }]));
  for (const [type, entries] of Object.entries(data)) {
    if (ROOTS.includes(type)) continue;
    for (const [name, values] of Object.entries(entries)) {
      if (things.has(name)) throw new Error(`two things are called ${name}`);
      things.set(name, { type, name, values: { ...(values as object) } });
    }
  }
  return {
    named(name) {
      const thing = things.get(name);
      if (!thing) throw new Error(`no thing is called ${name}`);
      return thing;
    },
    all: () => [...things.values()],
    root(type) {
      const root = roots.get(type);
      if (!root) throw new Error(`${type} is no root type`);
      return root;
    },
  };
}

/** What stands in the file → what a resolver returns: names become things, failures become errors. */
export function toResolved(world: World, raw: unknown, type: GraphQLOutputType): unknown {
  if (isNonNullType(type)) return toResolved(world, raw, type.ofType);
  if (raw === null || raw === undefined) return null;
  if (raw instanceof Failure) return new GraphQLError(raw.message);
  if (isListType(type)) return toList(raw).map((entry) => toResolved(world, entry, type.ofType));
  if (isLeafType(type)) return raw;
  if (typeof raw === 'string') return { thing: world.named(raw), given: null } satisfies Seen;
  const values = raw as Record<string, unknown>;
  const own = values['__typename'];
  const named = getNamedType(type);
  if (typeof own !== 'string' && !isObjectType(named))
    throw new Error(`a value of ${named.name} must say its __typename`);
  return {
    thing: { type: typeof own === 'string' ? own : named.name, name: null, values },
    given: null,
  } satisfies Seen;
}

/** `{ repeat: 3, of: [a, b] }` stands for a, b, a, b, a, b. */
function toList(raw: unknown): readonly unknown[] {
  if (Array.isArray(raw)) return raw;
  const { repeat, of } = raw as { repeat?: unknown; of?: unknown };
  if (typeof repeat !== 'number' || !Array.isArray(of)) throw new Error('a list is a list');
  return Array.from({ length: repeat }, () => of as readonly unknown[]).flat();
}

export function isSeen(value: unknown): value is Seen {
  return typeof value === 'object' && value !== null && 'thing' in value && 'given' in value;
}
