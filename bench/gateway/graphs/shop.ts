/**
 * Users, products, reviews and stock: the shape of the public federation benchmark (graphql-hive/graphql-gateways-benchmark),
 * sixty-four times over. A shop is a variant: it has its own users, products and reviews, so that no two requests in flight
 * need be the same.
 */
import { parseCatalogue } from '../../../schema/catalogue.ts';
import type { BenchGraph } from './graph.ts';

const LOREM =
  'Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat. Duis aute irure dolor in reprehenderit in voluptate velit esse cillum dolore eu fugiat nulla pariatur.';
const USERS = 6;
const PRODUCTS = ['Table', 'Couch', 'Glass', 'Chair', 'Lamp'];
const TOP = 3;
/** The product of each review, by its number: two that everybody speaks of, and three that few do. */
const REVIEWED = [1, 1, 1, 1, 2, 2, 2, 2, 3, 4, 4, 5];

/** `07-3`: the third of shop 07. */
const idOf = (shop: string, number: number) => `${shop}-${number}`;
const shopOf = (id: string) => id.split('-')[0] ?? '';
const numberOf = (id: string) => Number(id.split('-')[1]);
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

interface Product {
  readonly upc: string;
  readonly price?: number | null;
  readonly weight?: number | null;
}

const userOf = (id: string) => ({ id, name: `User ${id} 王芳`, username: `user${numberOf(id)}` });
const productOf = (upc: string) => ({
  upc,
  name: PRODUCTS[numberOf(upc) - 1] ?? '',
  price: 100 * numberOf(upc) + 99,
  weight: 50 * numberOf(upc),
});
const reviewOf = (id: string) => ({
  id,
  body: `${id} ${LOREM.slice(0, 200 + ((numberOf(id) * 37) % 133))}`,
  product: { upc: idOf(shopOf(id), REVIEWED[numberOf(id) - 1] ?? 0) },
  // @provides: only the username is known here.
  author: toReviewer(idOf(shopOf(id), Math.ceil(numberOf(id) / 2))),
});
const toReviewer = (id: string) => ({ id, username: userOf(id).username });

export const shop: BenchGraph = {
  name: 'shop',
  subgraphs: [
    {
      name: 'accounts',
      sdl: `type Query { users(shop: ID!): [User] }
        type User @key(fields: "id") {
          id: ID!
          name: String @policy(policies: [["shop.person"]])
          username: String @shareable @policy(policies: [["shop.person"]])
        }`,
      resolvers: {
        Query: {
          users: (_: unknown, { shop: of }: { shop: string }) => upTo(USERS).map((n) => userOf(idOf(of, n))),
        },
        User: { __resolveReference: ({ id }: { id: string }) => userOf(id) },
      },
    },
    {
      name: 'products',
      sdl: `type Query { topProducts(shop: ID!): [Product] }
        type Product @key(fields: "upc") {
          upc: String!
          name: String @policy(policies: [["shop.product"]])
          price: Int
          weight: Int
        }`,
      resolvers: {
        Query: {
          topProducts: (_: unknown, { shop: of }: { shop: string }) =>
            upTo(TOP).map((n) => productOf(idOf(of, n))),
        },
        Product: { __resolveReference: ({ upc }: { upc: string }) => productOf(upc) },
      },
    },
    {
      name: 'inventory',
      sdl: `type Product @key(fields: "upc") {
          upc: String!
          price: Int @external
          weight: Int @external
          inStock: Boolean @policy(policies: [["shop.stock"]])
          shippingEstimate: Int @requires(fields: "price weight") @policy(policies: [["shop.stock"]])
        }`,
      resolvers: {
        Product: {
          __resolveReference: (product: Product) => product,
          inStock: ({ upc }: Product) => numberOf(upc) % 2 === 1,
          shippingEstimate: ({ price, weight }: Product) =>
            (price ?? 0) > 450 ? null : Math.round((weight ?? 0) / 2),
        },
      },
    },
    {
      name: 'reviews',
      sdl: `type Review @key(fields: "id") {
          id: ID!
          body: String @policy(policies: [["shop.review"]])
          author: User @provides(fields: "username")
          product: Product
        }
        type User @key(fields: "id") {
          id: ID!
          username: String @external
          reviews: [Review]
        }
        type Product @key(fields: "upc") { upc: String!  reviews: [Review] }`,
      resolvers: {
        Review: { __resolveReference: ({ id }: { id: string }) => reviewOf(id) },
        User: {
          __resolveReference: ({ id }: { id: string }) => toReviewer(id),
          reviews: ({ id }: { id: string }) =>
            [2 * numberOf(id) - 1, 2 * numberOf(id)].map((n) => reviewOf(idOf(shopOf(id), n))),
        },
        Product: {
          reviews: ({ upc }: Product) =>
            REVIEWED.flatMap((product, at) =>
              product === numberOf(upc) ? [reviewOf(idOf(shopOf(upc), at + 1))] : [],
            ),
        },
      },
    },
  ],
  catalogue: parseCatalogue(
    {
      department: 'shop',
      name: { zh: '商店', en: 'Shop' },
      version: 'bench',
      updateCycle: 'P1D',
      maxAge: 'PT10M',
      items: ['person', 'product', 'stock', 'review'].map((item) => ({
        id: `shop.${item}`,
        name: { zh: item, en: item },
        category: 'administrative',
        publicity: 'PUBLIC',
        sharing: 'UNCONDITIONAL',
        basis: ['bench'],
        sensitivity: 'L1',
        retention: 'P1825D',
      })),
    },
    'bench/gateway/graphs/shop.ts',
  ),
};

export const DEEP_QUERY = `query Deep($shop: ID!) {
  users(shop: $shop) {
    ...User
    reviews {
      ...Review
      product {
        ...Product
        reviews {
          ...Review
          author { ...User reviews { ...Review product { ...Product } } }
        }
      }
    }
  }
  topProducts(shop: $shop) {
    ...Product
    reviews {
      ...Review
      author { ...User reviews { ...Review product { ...Product } } }
    }
  }
}
fragment User on User { id username name }
fragment Review on Review { id body }
fragment Product on Product { inStock name price shippingEstimate upc weight }`;
