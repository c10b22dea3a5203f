import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { createOnce, createStore } from '../../adapters/postgres/store.ts';
import { createResilientAdapter } from '../../adapters/resilient.ts';
import { readCatalogueFile } from '../../schema/catalogue.ts';
import { defineSubgraph } from '../define.ts';
import { MIGRATIONS } from './migrations.ts';
import { resolvers } from './resolvers.ts';
import { loadRules } from './rules.ts';
import { createRegister, SYSTEM } from './source.ts';

export default defineSubgraph({
  name: 'break-glass',
  owner: { zh: '天津市公共信用中心', en: 'Tianjin public credit centre' },
  system: SYSTEM,
  settings: z.object({
    /** The platform's PostgreSQL, where emergency accesses are kept. */
    platformUrl: z.url(),
    /** The catalogues of all departments, which say what may be released in an emergency. */
    catalogue: z.string().default(fileURLToPath(new URL('../../schema/catalogue.json', import.meta.url))),
    deadlineMs: z.coerce.number().positive().default(2_000),
    coolDownMs: z.coerce.number().positive().default(10_000),
  }),

  connect({ settings, clock, observer, log }) {
    const { platformUrl, deadlineMs, coolDownMs } = settings;
    const { catalogue } = readCatalogueFile(readFileSync(settings.catalogue, 'utf8'), settings.catalogue);
    const pool = createPool({
      url: platformUrl,
      max: 2,
      applicationName: 'jinxin-break-glass',
      statementTimeoutMs: deadlineMs,
      log,
    });
    const prepare = createOnce(() => migrate(pool, 'break-glass', MIGRATIONS));
    prepare().catch((error: unknown) =>
      log.warn({ err: error }, 'the register of emergency accesses is not ready yet'),
    );
    const store = createResilientAdapter(
      createStore(pool, SYSTEM, prepare),
      { deadlineMs, concurrency: 2, queue: 50, breaker: { failures: 5, coolDownMs } },
      { clock, observer },
    );
    const rules = loadRules();
    return Promise.resolve({
      register: createRegister(store, clock.now),
      rules,
      catalogue,
      log,
      close: () => store.close(),
    });
  },

  loaders: ({ register, rules, catalogue, log }) => ({ register, rules, catalogue, log }),
  resolvers,
});
