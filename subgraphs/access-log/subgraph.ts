import { z } from 'zod';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { createOnce, createStore } from '../../adapters/postgres/store.ts';
import { createResilientAdapter } from '../../adapters/resilient.ts';
import { defineSubgraph } from '../define.ts';
import { MIGRATIONS } from './migrations.ts';
import { loadNames } from './names.ts';
import { resolvers } from './resolvers.ts';
import { createAccessLog, SYSTEM } from './source.ts';
import { loadVisibility } from './visibility.ts';

export default defineSubgraph({
  name: 'access-log',
  owner: { zh: '天津市公共信用中心', en: 'Tianjin public credit centre' },
  system: SYSTEM,
  settings: z.object({
    /** The platform's PostgreSQL, where the gateway keeps the audit log. */
    platformUrl: z.url(),
    deadlineMs: z.coerce.number().positive().default(2_000),
    coolDownMs: z.coerce.number().positive().default(10_000),
  }),

  connect({ settings, clock, observer, log }) {
    const { platformUrl, deadlineMs, coolDownMs } = settings;
    const pool = createPool({
      url: platformUrl,
      // Few: a log that is read much must not take connections from those who answer a bank.
      max: 2,
      applicationName: 'jinxin-access-log',
      statementTimeoutMs: deadlineMs,
      log,
    });
    const prepare = createOnce(() => migrate(pool, 'access-log', MIGRATIONS));
    prepare().catch((error: unknown) => log.warn({ err: error }, 'the access log is not ready yet'));
    const store = createResilientAdapter(
      createStore(pool, SYSTEM, prepare),
      { deadlineMs, concurrency: 2, queue: 50, breaker: { failures: 5, coolDownMs } },
      { clock, observer },
    );
    const visibility = loadVisibility();
    return Promise.resolve({
      accessLog: createAccessLog(store, { now: clock.now, delays: visibility.delays }),
      visibility,
      names: loadNames(),
      close: () => store.close(),
    });
  },

  loaders: ({ accessLog, visibility, names }) => ({ accessLog, visibility, names }),
  resolvers,
});
