/**
 * The tax bureau's drop: an SFTP server with tonight's files, and the platform's store as the department reads it. Wire
 * faults break both; the faults of files spoil only what is delivered next.
 */
import type { Fault, RunningSimulator } from '../simulator.ts';
import { defineSimulator } from '../simulator.ts';
import { createFaultProxy, isWireFault, WIRE_FAULTS } from '../fault-proxy.ts';
import type { FileFault, Files } from './files.ts';
import { makeTaxFiles } from './files.ts';
import { makeTaxRecords } from './records.ts';
import { startSftpServer } from './sftp-server.ts';
import { createStatementRelay } from './statement-relay.ts';

const FILE_FAULTS = [
  'duplicate-rows',
  'missing-rows',
  'foreign-row',
  'schema-drift',
  'wrong-encoding',
] as const;
const USER = 'jinxin';
const PASSWORD = 'sandbox-drop';
const DAY_MS = 86_400_000;

export interface TaxSimulator extends RunningSimulator {
  /** Files opened over SFTP; `calls()` counts the statements by which the department reads what was ingested. */
  filesRead(): number;
}

export default defineSimulator({
  name: 'tax',
  async start({ population, seed, clock, latencyMs, postgres }): Promise<TaxSimulator> {
    let fault: Fault | null = null;
    const files = createNightly((date) =>
      makeTaxFiles(makeTaxRecords(population, seed, date), date, toFileFault(fault)),
    );
    const sftp = await startSftpServer({
      user: USER,
      password: PASSWORD,
      // Last night's files hold for the day before, in the bureau's time zone.
      files: () => files.of(new Date(clock.now() + 8 * 3_600_000 - DAY_MS).toISOString().slice(0, 10)),
    });
    const store = new URL(await postgres('platform'));
    const relay = await createStatementRelay(
      { host: store.hostname, port: Number(store.port || 5432) },
      latencyMs,
      clock,
    );
    const sftpProxy = await createFaultProxy({ host: '127.0.0.1', port: sftp.port }, 0);
    const storeProxy = await createFaultProxy({ host: '127.0.0.1', port: relay.port }, 0);

    return {
      environment: {
        JINXIN_TAX_SFTP_URL: `sftp://${USER}:${PASSWORD}@127.0.0.1:${sftpProxy.port}/out`,
        JINXIN_TAX_SFTP_HOST_KEY: sftp.fingerprint,
        JINXIN_TAX_INGEST_URL: store.href,
        JINXIN_TAX_STORE_URL: onPort(store, storeProxy.port),
      },
      faults: [...WIRE_FAULTS, ...FILE_FAULTS, 'expired-token'],
      setFault(next) {
        if (next === 'error-in-200')
          return Promise.reject(new Error('files over SFTP cannot have an error inside a 200'));
        if (isWireFault(fault) || isWireFault(next))
          for (const proxy of [sftpProxy, storeProxy]) proxy.setFault(isWireFault(next) ? next : null);
        if (toFileFault(fault) !== toFileFault(next)) files.forget();
        fault = next;
        sftp.refuseLogins(next === 'expired-token');
        return Promise.resolve();
      },
      calls: () => relay.count(),
      openCalls: () => storeProxy.openCalls(),
      filesRead: () => sftp.filesRead(),
      async close() {
        await Promise.all([sftpProxy.close(), storeProxy.close()]);
        await Promise.all([sftp.close(), relay.close()]);
      },
    };
  },
});

function toFileFault(fault: Fault | null): FileFault | null {
  return FILE_FAULTS.find((own) => own === fault) ?? null;
}

/** Makes the files of a day once, when they are first asked for. */
function createNightly(make: (date: string) => Files): { of(date: string): Files; forget(): void } {
  let made: { date: string; files: Files } | null = null;
  return {
    of(date) {
      if (made?.date !== date) made = { date, files: make(date) };
      return made.files;
    },
    forget: () => void (made = null),
  };
}

function onPort(url: URL, port: number): string {
  const moved = new URL(url);
  moved.hostname = '127.0.0.1';
  moved.port = String(port);
  return moved.href;
}
