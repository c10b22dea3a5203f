import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { createResilientAdapter } from '../../adapters/resilient.ts';
import { readCatalogueFile } from '../../schema/catalogue.ts';
import { defineSubgraph } from '../define.ts';
import { createArtefacts } from './artefacts.ts';
import { createConfirmations } from './confirmation.ts';
import { createDrafts } from './drafts.ts';
import { createFactsOf } from './items.ts';
import { MIGRATIONS } from './migrations.ts';
import { createNotices } from './notices.ts';
import { purge, startPurging } from './purge.ts';
import { REGISTER } from './register.ts';
import { resolvers } from './resolvers.ts';
import { parseStandingGrants, putStandingGrants } from './sandbox.ts';
import { loadConsentSuite } from './signing.ts';
import { createOnce, createStore } from '../../adapters/postgres/store.ts';
import { loadTemplates } from './templates.ts';

const DAY_MS = 86_400_000;

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
      /** Signs consents: a private key in PEM. The sandbox has one that everybody can derive. */
      signingKey: z.string().optional(),
      signingAlgorithm: z.enum(['SM2-SM3', 'Ed25519']).default('SM2-SM3'),
      /** The items of all departments, as `npm run compose` writes them; those of this build by default. */
      catalogue: z.string().default(fileURLToPath(new URL('../../schema/catalogue.json', import.meta.url))),
      /** Days in which a draft can be decided, and for which it is kept after it lapsed. */
      draftDays: z.coerce.number().positive().default(14),
      lapsedDraftDays: z.coerce.number().nonnegative().default(1),
      /** Days after the end of a consent and its data life from which on only digests and signature are kept. */
      retentionDays: z.coerce.number().int().positive().default(1_826),
      purgeEveryMs: z.coerce.number().positive().default(3_600_000),
      deadlineMs: z.coerce.number().positive().default(2_000),
      coolDownMs: z.coerce.number().positive().default(10_000),
    })
    .refine(({ environment, sandboxGrants }) => environment === 'sandbox' || sandboxGrants.length === 0, {
      path: ['sandboxGrants'],
      message: 'production has no standing consents',
    })
    .refine(({ environment, signingKey }) => environment === 'sandbox' || signingKey !== undefined, {
      path: ['signingKey'],
      message: 'production signs consents with a key of its own',
    }),

  async connect({ settings, clock, observer, log, subjectIds }) {
    const { platformUrl, environment, sandboxGrants, deadlineMs, coolDownMs } = settings;
    const law = readCatalogueFile(await readFile(settings.catalogue, 'utf8'), settings.catalogue);
    const suite = loadConsentSuite(settings.signingAlgorithm, settings.signingKey);
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
    const policy = { retentionDays: settings.retentionDays, lapsedDraftDays: settings.lapsedDraftDays };
    const purging = startPurging(
      async () => {
        await prepare();
        return purge(pool, policy, clock.now());
      },
      { clock, everyMs: settings.purgeEveryMs, log },
    );
    return {
      artefacts: createArtefacts(store, clock),
      confirmations: createConfirmations(store, {
        now: clock.now,
        allowStanding: environment === 'sandbox',
      }),
      drafts: createDrafts(store, { now: clock.now, openMs: settings.draftDays * DAY_MS }),
      notices: createNotices(store),
      rules: {
        templates: loadTemplates(),
        factsOf: createFactsOf(law),
        catalogueVersion: law.version,
      },
      suite,
      subjectIds,
      newId: randomUUID,
      newSalt: () => randomBytes(16).toString('hex'),
      async close() {
        await Promise.all([purging.close(), store.close()]);
      },
    };
  },

  loaders: ({ close: _, ...parts }) => parts,
  resolvers,
});
