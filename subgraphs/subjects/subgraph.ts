import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { z } from 'zod';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { createResilientAdapter } from '../../adapters/resilient.ts';
import { createPostgresAdapter } from '../../adapters/sql/postgres.ts';
import { defineSubgraph } from '../define.ts';
import { createSubjectLoaders } from './loaders.ts';
import { MIGRATIONS } from './migrations.ts';
import { resolvers } from './resolvers.ts';
import { EXCHANGE } from './source.ts';
import { createOnce, createStore } from '../../adapters/postgres/store.ts';
import { createSubjectIndex, INDEX } from './subject-index.ts';
import { startSync } from './sync.ts';

/** Most milliseconds for one batch of the register's exchange view. */
const EXCHANGE_MS = 30_000;

export default defineSubgraph({
  name: 'subjects',
  owner: { zh: '天津市公共信用中心', en: 'Tianjin public credit centre' },
  system: INDEX,
  settings: z.object({
    /** The platform's PostgreSQL, where the index is kept. */
    platformUrl: z.url(),
    /** The register's exchange database, read-only. Left out: the index stays as it is. */
    exchangeUrl: z.url().optional(),
    syncEveryMs: z.coerce.number().positive().default(60_000),
    deadlineMs: z.coerce.number().positive().default(2_000),
    coolDownMs: z.coerce.number().positive().default(10_000),
  }),

  connect({ settings, clock, observer, log, subjectIds, announce }) {
    const { platformUrl, exchangeUrl, syncEveryMs, deadlineMs, coolDownMs } = settings;
    const pool = createPool({
      url: platformUrl,
      max: 8,
      applicationName: 'jinxin-subjects',
      statementTimeoutMs: deadlineMs,
      log,
    });
    // Filling has a connection of its own: a batch of thousands must neither take a reader's place nor keep its deadline.
    const filler = createPool({
      url: platformUrl,
      max: 1,
      applicationName: 'jinxin-subjects-sync',
      statementTimeoutMs: 60_000,
      log,
    });
    const prepare = createOnce(async () => {
      await migrate(filler, 'subjects', MIGRATIONS);
      await warnWithoutTrigrams(filler, log);
    });
    const store = createResilientAdapter(
      createStore(pool, INDEX, prepare),
      // Our own database: as many statements as connections, and a queue for the peak of a batch of checks.
      { deadlineMs, concurrency: 8, queue: 200, breaker: { failures: 5, coolDownMs } },
      { clock, observer },
    );
    const exchange =
      exchangeUrl === undefined
        ? null
        : createResilientAdapter(
            createPostgresAdapter({
              system: EXCHANGE,
              url: exchangeUrl,
              poolSize: 1,
              limits: { statementMs: EXCHANGE_MS },
            }),
            // One reader in the background, which nobody waits for: it may take its time, and never asks twice at once.
            { deadlineMs: EXCHANGE_MS, concurrency: 1, queue: 1, breaker: { failures: 5, coolDownMs } },
            { clock, observer },
          );
    const sync =
      exchange &&
      startSync({
        exchange,
        pool: filler,
        prepare,
        everyMs: syncEveryMs,
        subjectIds,
        clock,
        observer,
        announce,
        log,
      });

    return Promise.resolve({
      index: createSubjectIndex(store),
      async close() {
        await sync?.close();
        await Promise.all([store.close(), exchange?.close(), filler.end()]);
      },
    });
  },

  loaders: ({ index }, scope) => createSubjectLoaders(index, scope),
  resolvers,
});

/** In a locale that takes Chinese letters for punctuation a name has no trigrams: only whole names and parts are found. */
async function warnWithoutTrigrams(pool: Pool, log: Logger): Promise<void> {
  const { rows } = await pool.query<{ count: number }>("SELECT cardinality(show_trgm('天津')) AS count");
  if (rows[0]?.count === 0)
    log.warn('the locale of the platform’s database has no Chinese letters: similar names will not be found');
}
