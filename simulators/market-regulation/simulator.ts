/**
 * 天津市市场监督管理委员会 as a legacy system: its exchange database (see views.ts for the views). The department comes in
 * through the fault proxy, the subject index beside it; a control connection of our own spoils views and roles.
 */
import pg from 'pg';
import { createFaultProxy, isWireFault, WIRE_FAULTS } from '../fault-proxy.ts';
import type { Fault } from '../simulator.ts';
import { defineSimulator } from '../simulator.ts';
import { loadRegister } from './load.ts';
import { STRANGER } from './records.ts';
import type { ReadOnlyRole } from './roles.ts';
import { allowLogins, createReadOnlyRole, dropRole, grantReading, refuseLogins } from './roles.ts';
import { createStatementHop } from './statement-hop.ts';
import type { ViewFault } from './views.ts';
import { VIEW_FAULTS, VIEWS_DROPPED, viewsSql } from './views.ts';

const POSSIBLE: readonly Fault[] = [...WIRE_FAULTS, ...VIEW_FAULTS, 'expired-token'];

export default defineSimulator({
  name: 'market-regulation',
  async start({ population, seed, clock, log, latencyMs, postgres }) {
    const url = new URL(await postgres('exchange_market_regulation'));
    const control = new pg.Client({ connectionString: url.href });
    control.on('error', (error) => log.warn({ err: error }, 'the control connection of the register broke'));
    await control.connect();
    // The calendar day in China.
    const today = new Date(clock.now() + 8 * 3_600_000).toISOString().slice(0, 10);
    const database = url.pathname.slice(1);
    const reader = await createReadOnlyRole(control, `${database}_reader`);
    const indexer = await createReadOnlyRole(control, `${database}_indexer`);
    const spoil = async (fault: ViewFault | null) => {
      await control.query(viewsSql(fault, STRANGER));
      await grantReading(control, [reader, indexer]);
    };
    await inTransaction(control, async () => {
      // The views of an earlier run stand on its tables.
      await control.query(VIEWS_DROPPED);
      await loadRegister(control, { population, seed, today });
      await spoil(null);
    });

    const hop = await createStatementHop({ host: url.hostname, port: Number(url.port || 5432) }, latencyMs);
    const proxy = await createFaultProxy({ host: '127.0.0.1', port: hop.port }, 0);
    let current: Fault | null = null;
    let last: Promise<void> = Promise.resolve();

    async function change(fault: Fault | null): Promise<void> {
      if (fault !== null && !POSSIBLE.includes(fault))
        throw new Error(`an exchange database cannot have the fault ${fault}`);
      if (isViewFault(current) || isViewFault(fault))
        await inTransaction(control, () => spoil(isViewFault(fault) ? fault : null));
      if (current === 'expired-token') await allowLogins(control, reader);
      if (fault === 'expired-token') await refuseLogins(control, reader);
      if (isWireFault(current) || isWireFault(fault)) proxy.setFault(isWireFault(fault) ? fault : null);
      current = fault;
    }

    return {
      environment: {
        JINXIN_MARKET_REGULATION_URL: as(reader, url, { host: '127.0.0.1', port: proxy.port }),
        JINXIN_SUBJECTS_EXCHANGE_URL: as(indexer, url),
      },
      faults: POSSIBLE,
      setFault(fault) {
        // One after the other: all of them speak through the one control connection.
        const turn = last.then(() => change(fault));
        last = turn.catch(() => {});
        return turn;
      },
      calls: () => hop.calls(),
      openCalls: () => proxy.openCalls(),
      async close() {
        await proxy.close();
        await hop.close();
        for (const role of [reader, indexer]) await dropRole(control, role);
        await control.end();
      },
    };
  },
});

function isViewFault(fault: Fault | null): fault is ViewFault {
  return fault !== null && (VIEW_FAULTS as readonly string[]).includes(fault);
}

async function inTransaction(control: pg.Client, work: () => Promise<void>): Promise<void> {
  await control.query('BEGIN');
  try {
    await work();
    await control.query('COMMIT');
  } catch (error) {
    await control.query('ROLLBACK');
    throw error;
  }
}

function as(role: ReadOnlyRole, database: URL, at?: { host: string; port: number }): string {
  const url = new URL(database);
  url.username = role.name;
  url.password = role.password;
  if (at) {
    url.hostname = at.host;
    url.port = String(at.port);
  }
  return url.href;
}
