import { z } from 'zod';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { createResilientAdapter } from '../../adapters/resilient.ts';
import { defineSubgraph } from '../define.ts';
import { createArtefacts, REGISTER } from './artefacts.ts';
import { MIGRATIONS } from './migrations.ts';
import { resolvers } from './resolvers.ts';
import { parseStandingGrants, putStandingGrants } from './sandbox.ts';
import { createOnce, createStore } from '../../adapters/postgres/store.ts';
import { loadTemplates } from './templates.ts';

export default defineSubgraph({
  name: 'consent',
  owner: { zh: '天津市公共信用中心', en: 'Tianjin public credit centre' },
  system: REGISTER,
  settings: z
    .object({
      /** The platform's PostgreSQL, where consents are kept. */
      platformUrl: z.url(),
      /** As everywhere in the platform a sandbox unless it says production, which refuses standing grants. */
      environment: z.enum(['sandbox', 'production']).default('production'),
      /** Standing consents of a sandbox, <consumer>:<PURPOSE>[,…]. */
      sandboxGrants: z
        .string()
        .default('')
        .transform((text, context) => {
          const grants = parseStandingGrants(text);
          if (grants) return grants;
          context.addIssue({ code: 'custom', message: 'must read <consumer>:<PURPOSE>[,…]' });
          return z.NEVER;
        }),
      deadlineMs: z.coerce.number().positive().default(2_000),
      coolDownMs: z.coerce.number().positive().default(10_000),
    })
    .refine(({ environment, sandboxGrants }) => environment === 'sandbox' || sandboxGrants.length === 0, {
      path: ['sandboxGrants'],
      message: 'production has no standing consents',
    }),

  connect({ settings, clock, observer, log }) {
    const { platformUrl, environment, sandboxGrants, deadlineMs, coolDownMs } = settings;
    const pool = createPool({
      url: platformUrl,
      max: 8,
      applicationName: 'jinxin-consent',
      statementTimeoutMs: deadlineMs,
      log,
    });
    const prepare = createOnce(async () => {
      await migrate(pool, 'consent', MIGRATIONS);
      await putStandingGrants(pool, sandboxGrants, clock.now());
    });
    // Not waited for: a store that is down costs this department's answers, not the process.
    prepare().catch((error: unknown) =>
      log.warn({ err: error }, 'the register of consents is not ready yet'),
    );
    const store = createResilientAdapter(
      createStore(pool, REGISTER, prepare),
      // Our own database, on the path of every request: many short statements, and no long queue behind a sick one.
      { deadlineMs, concurrency: 8, queue: 200, breaker: { failures: 5, coolDownMs } },
      { clock, observer },
    );
    return Promise.resolve({
      artefacts: createArtefacts(store, { now: clock.now, allowStanding: environment === 'sandbox' }),
      templates: loadTemplates(),
      close: () => store.close(),
    });
  },

  loaders: ({ artefacts, templates }) => ({ artefacts, templates }),
  resolvers,
});
