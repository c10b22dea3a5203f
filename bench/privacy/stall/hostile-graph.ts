/** A graph that a planner finds hard: entities that three subgraphs share whole, an interface of many types, lists of lists. */
import type { PlainSubgraph } from '../../../tests/kit/plain-subgraphs.ts';

/** Types that implement `Shape`. */
export const IMPLEMENTATIONS = 12;

const SHAPES = Array.from(
  { length: IMPLEMENTATIONS },
  (_, at) =>
    `type S${at} implements Shape @shareable { id: ID! v: Int shape: Shape nodes(first: Int = 3): [Node!] }`,
).join('\n');

/** Names that stand nowhere else: whoever reads one in an answer has learned it there. */
export const SECRET_NAMES = [
  'heirloomTulip',
  'HeirloomKind',
  'PURPLE_PARROT',
  'plantedBy',
  'gardenerOf',
  'TulipFilter',
];

const SDL = `
  type Query @shareable { node: Node nodes(first: Int = 3): [Node!] shape: Shape heirloomTulip(plantedBy: TulipFilter): Int }
  type Node @key(fields: "id") @shareable { id: ID! v: Int a: Node b: Node nodes(first: Int = 3): [Node!] shape: Shape
    text(of: String): String pick(filter: Filter): String gardenerOf: HeirloomKind }
  interface Shape { id: ID! v: Int shape: Shape nodes(first: Int = 3): [Node!] }
  ${SHAPES}
  enum HeirloomKind { PURPLE_PARROT }
  input TulipFilter { kind: HeirloomKind }
  input Filter { words: [String!] deep: Filter n: Int }`;

const node = { __typename: 'Node', id: '1', v: 1 };
const shape = { __typename: 'S1', id: '1', v: 1 };
const many = (_: unknown, { first = 3 }: { first?: number }) =>
  Array.from({ length: Math.min(10, Math.max(0, first)) }, () => node);

const RESOLVERS = {
  Query: { node: () => node, nodes: many, shape: () => shape },
  Node: {
    a: () => node,
    b: () => node,
    nodes: many,
    shape: () => shape,
    text: (_: unknown, { of }: { of?: string }) => of ?? null,
    __resolveReference: () => node,
  },
  Shape: { __resolveType: () => 'S1' },
  S1: { shape: () => shape, nodes: many },
};

export const HOSTILE_GRAPH: Readonly<Record<string, PlainSubgraph>> = Object.fromEntries(
  ['one', 'two', 'three'].map((name) => [name, { sdl: SDL, resolvers: RESOLVERS }]),
);
