import { z } from 'zod';
import { createResilientAdapter } from '../../adapters/resilient.ts';
import { createPostgresAdapter } from '../../adapters/sql/postgres.ts';
import { defineSubgraph } from '../define.ts';
import { createAnswerLoader } from '../loader.ts';
import { resolvers } from './resolvers.ts';
import { createMarketRegulationSource, SYSTEM } from './source.ts';

/** Statements at a time, as many as the pool has connections: each takes milliseconds, however many subjects it is about. */
const CONCURRENCY = 8;

export default defineSubgraph({
  name: 'market-regulation',
  owner: { zh: '天津市市场监督管理委员会', en: 'Tianjin Commission for Market Regulation' },
  system: SYSTEM,
  settings: z.object({
    /** postgres://user:password@host:port/database of the exchange database, by an account that only reads. */
    url: z.url({ protocol: /^postgres(ql)?$/ }),
    deadlineMs: z.coerce.number().int().positive().default(2_000),
    coolDownMs: z.coerce.number().int().positive().default(10_000),
  }),
  connect({ settings, clock, observer }) {
    const sql = createResilientAdapter(
      createPostgresAdapter({ system: SYSTEM, url: settings.url, poolSize: CONCURRENCY }),
      {
        deadlineMs: settings.deadlineMs,
        concurrency: CONCURRENCY,
        // A longer queue than this is a database that is down.
        queue: 200,
        breaker: { failures: 5, coolDownMs: settings.coolDownMs },
        // A query changes nothing.
        isSafeToRetry: () => true,
      },
      { clock, observer },
    );
    return Promise.resolve(createMarketRegulationSource({ sql, clock, observer }));
  },
  loaders: (source, scope) => ({
    answers: createAnswerLoader(scope, {
      system: SYSTEM,
      serves: ['ORGANISATION', 'SOLE_TRADER'],
      read: source.read,
    }),
  }),
  resolvers,
});
