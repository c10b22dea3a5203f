/**
 * The deep query by hand, in six calls: two roots; reviews of both branches in one aliased request; what products and accounts
 * know of what was found there; last, of every product once, what the inventory knows.
 */
import type { Ask } from './fetch.ts';

interface User {
  id: string;
  username: string;
  name: string;
  reviews: Review[];
}
interface Product {
  upc: string;
  name: string;
  price: number;
  weight: number;
  inStock: boolean;
  shippingEstimate: number | null;
  reviews: Review[];
}
interface Review {
  id: string;
  body: string;
  product: Product;
  author: User;
}

const USERS = 'query ($shop: ID!) { users(shop: $shop) { id username name } }';
const TOP = 'query ($shop: ID!) { topProducts(shop: $shop) { upc name price weight } }';
const BY_AUTHOR = 'author { id username reviews { id body product { upc } } }';
const REVIEWS = `query ($users: [_Any!]!, $products: [_Any!]!) {
  users: _entities(representations: $users) {
    ... on User { reviews { id body product { upc reviews { id body ${BY_AUTHOR} } } } }
  }
  products: _entities(representations: $products) { ... on Product { reviews { id body ${BY_AUTHOR} } } }
}`;
const PRODUCTS =
  'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Product { name price weight } } }';
const NAMES = 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on User { name } } }';
const STOCK =
  'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Product { inStock shippingEstimate } } }';

export async function answerDeep(ask: Ask, { shop }: Readonly<Record<string, unknown>>) {
  const [{ users }, { topProducts }] = (await Promise.all([
    ask('accounts', USERS, { shop }),
    ask('products', TOP, { shop }),
  ])) as unknown as [{ users: User[] }, { topProducts: Product[] }];
  const reviewed = (await ask('reviews', REVIEWS, {
    users: users.map(({ id }) => ({ __typename: 'User', id })),
    products: topProducts.map(({ upc }) => ({ __typename: 'Product', upc })),
  })) as unknown as { users: { reviews: Review[] }[]; products: { reviews: Review[] }[] };

  const products = new Map<string, Product[]>();
  const authors = new Map<string, User[]>();
  users.forEach((user, at) => {
    user.reviews = reviewed.users[at]?.reviews ?? [];
    for (const { product } of user.reviews) {
      note(products, product.upc, product);
      noteAuthors(product.reviews);
    }
  });
  topProducts.forEach((product, at) => {
    product.reviews = reviewed.products[at]?.reviews ?? [];
    noteAuthors(product.reviews);
  });
  function noteAuthors(reviews: readonly Review[]): void {
    for (const { author } of reviews) {
      note(authors, author.id, author);
      for (const { product } of author.reviews) note(products, product.upc, product);
    }
  }

  const [known, named] = await Promise.all([
    askEntities<Product>(
      ask,
      'products',
      PRODUCTS,
      [...products.keys()].map((upc) => ({ __typename: 'Product', upc })),
    ),
    askEntities<User>(
      ask,
      'accounts',
      NAMES,
      [...authors.keys()].map((id) => ({ __typename: 'User', id })),
    ),
  ]);
  spread(products, known);
  spread(authors, named);
  for (const product of topProducts) note(products, product.upc, product);

  const stock = await askEntities<Product>(
    ask,
    'inventory',
    STOCK,
    [...products.values()].flatMap(([product]) =>
      product
        ? [{ __typename: 'Product', upc: product.upc, price: product.price, weight: product.weight }]
        : [],
    ),
  );
  spread(products, stock);
  return { users, topProducts };
}

async function askEntities<T>(ask: Ask, subgraph: string, query: string, r: readonly object[]) {
  const { _entities } = await ask(subgraph, query, { r });
  return _entities as readonly Partial<T>[];
}

function note<T>(places: Map<string, T[]>, key: string, place: T): void {
  const known = places.get(key);
  if (known) known.push(place);
  else places.set(key, [place]);
}

function spread<T extends object>(places: ReadonlyMap<string, T[]>, values: readonly Partial<T>[]): void {
  let at = 0;
  for (const of of places.values()) {
    const value = values[at++];
    for (const place of of) Object.assign(place, value);
  }
}
