import { z } from 'zod';
import { LegacyError } from '../../adapters/adapter.ts';
import { createIngest } from '../../adapters/file-drop/ingest.ts';
import { createFileDropReader } from '../../adapters/file-drop/reader.ts';
import { startSyncing } from '../../adapters/file-drop/schedule.ts';
import { FILE_DROP_MIGRATIONS, FILE_DROP_SCOPE } from '../../adapters/file-drop/schema.sql.ts';
import { createSftp } from '../../adapters/file-drop/sftp.ts';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { createResilientAdapter } from '../../adapters/resilient.ts';
import { createPostgresAdapter } from '../../adapters/sql/postgres.ts';
import { isCreditCode } from '../../schema/identifiers/unified-social-credit-code.ts';
import { defineSubgraph } from '../define.ts';
import { createAnswerLoader } from '../loader.ts';
import { resolvers } from './resolvers.ts';
import { createTaxSource, FEEDS, SYSTEM } from './source.ts';

const milliseconds = (usual: number) => z.coerce.number().int().positive().default(usual);

export default defineSubgraph({
  name: 'tax',
  owner: { zh: '国家税务总局天津市税务局', en: 'Tianjin Tax Service, State Taxation Administration' },
  system: SYSTEM,
  settings: z.object({
    /** sftp://user:password@host:port/folder */
    sftpUrl: z.url(),
    /** Fingerprint of the drop's host key: SHA256:… */
    sftpHostKey: z.string().startsWith('SHA256:'),
    /** The store that files are read into, and the same store as queries read it. */
    ingestUrl: z.url(),
    storeUrl: z.url(),
    syncEveryMs: milliseconds(60_000),
    deadlineMs: milliseconds(2_000),
    coolDownMs: milliseconds(10_000),
  }),

  connect({ settings, clock, observer, log, subjectIds, announce }) {
    const sftp = createSftp({
      system: SYSTEM,
      url: settings.sftpUrl,
      hostKeyFingerprint: settings.sftpHostKey,
      silenceMs: 10_000,
    });
    const store = createPool({
      url: settings.ingestUrl,
      max: 2,
      applicationName: 'jinxin-tax-ingest',
      statementTimeoutMs: 60_000,
      log,
    });
    const sql = createPostgresAdapter({ system: SYSTEM, url: settings.storeUrl, poolSize: 8 });
    const resilient = createResilientAdapter(
      sql,
      {
        deadlineMs: settings.deadlineMs,
        concurrency: 8, // as many as the pool has connections
        queue: 200, // a statement takes milliseconds: a longer queue is a store that is down
        breaker: { failures: 5, coolDownMs: settings.coolDownMs },
        isSafeToRetry: () => true, // it only reads
      },
      { clock, observer },
    );
    const reader = createFileDropReader({ system: SYSTEM, sql: resilient });
    let isPrepared = false;
    const syncing = startSyncing({
      ingest: createIngest({ sftp, store, feeds: FEEDS, clock, log }),
      everyMs: settings.syncEveryMs,
      limitMs: 10 * 60_000,
      clock,
      log,
      async prepare() {
        await migrate(store, FILE_DROP_SCOPE, FILE_DROP_MIGRATIONS);
        isPrepared = true;
      },
      onSynced(outcomes) {
        const count = outcomes.reduce(
          (sum, file) => sum + (file.outcome === 'taken' ? file.quarantined : 0),
          0,
        );
        if (count > 0) observer.quarantined(SYSTEM, count);
      },
      // Whatever else stands where a code should is nobody who is asked about.
      onChanged: (codes) =>
        announce(codes && codes.filter(isCreditCode).map((code) => subjectIds.ofOrganisation(code))),
    });
    const read = createTaxSource(reader, {
      clock,
      onForeign: (count) => observer.foreignRows(SYSTEM, count),
    });

    return Promise.resolve({
      read: ((subjects, context) =>
        isPrepared
          ? read(subjects, context)
          : Promise.reject(
              new LegacyError('unavailable', SYSTEM, 'has never been read'),
            )) satisfies typeof read,
      async close() {
        await syncing.close();
        await Promise.all([reader.close(), store.end()]);
      },
    });
  },

  loaders: ({ read }, scope) => ({
    answers: createAnswerLoader(scope, { system: SYSTEM, serves: ['ORGANISATION', 'SOLE_TRADER'], read }),
  }),
  resolvers,
});
