import { z } from 'zod';
import { defineSubgraph } from '../define.ts';
import { createFinanceLoaders } from './checks.ts';
import { resolvers } from './resolvers.ts';
import { loadProducts, loadRules } from './rules.ts';

export default defineSubgraph({
  name: 'finance',
  owner: { zh: '天津市融资信用服务平台', en: 'Tianjin credit services for finance' },
  system: '信易贷评估规则',
  settings: z.object({}),
  connect: () =>
    Promise.resolve({ products: loadProducts(), rules: loadRules(), close: () => Promise.resolve() }),
  loaders: ({ products, rules }) => createFinanceLoaders(products, rules),
  resolvers,
});
