/** 天津市公安局 as a legacy system: real-name checks through its boundary gateway, and nothing else. */
import { randomFor } from '../population/random.ts';
import type { Fault } from '../simulator.ts';
import { defineSimulator, FAULTS } from '../simulator.ts';
import { createQuestionServer } from './question-server.ts';
import { createRegister } from './register.ts';

const ACCESS_KEY = 'sandbox-only-access-key';
/** One answer has no rows that could be doubled or missing. */
const IMPOSSIBLE: readonly Fault[] = ['duplicate-rows', 'missing-rows'];
const POSSIBLE = FAULTS.filter((fault) => !IMPOSSIBLE.includes(fault));
/** The real gateway keeps office hours and counts; a sandbox that slept at night would be of no use. */
const ALWAYS = { from: '00:00', to: '00:00' };
const DAILY_QUOTA = 1_000_000;

export default defineSimulator({
  name: 'public-security',
  async start({ population, seed, clock, latencyMs }) {
    const register = createRegister(seed, population[0]);
    const server = await createQuestionServer({
      accessKey: ACCESS_KEY,
      clock,
      window: ALWAYS,
      dailyQuota: DAILY_QUOTA,
      // Seconds in reality; unless told otherwise, just enough for waiting to be needed.
      latencyOf: ({ GMSFHM = '' }) =>
        latencyMs > 0 ? latencyMs : randomFor(seed, GMSFHM, 'time to decide').int(20, 60),
      verdictOf: ({ XM = '', GMSFHM = '' }) => register.verdictOf(XM, GMSFHM),
    });
    return {
      environment: {
        JINXIN_PUBLIC_SECURITY_URL: server.url,
        JINXIN_PUBLIC_SECURITY_ACCESS_KEY: ACCESS_KEY,
        JINXIN_PUBLIC_SECURITY_WINDOW: `${ALWAYS.from}-${ALWAYS.to}`,
        JINXIN_PUBLIC_SECURITY_DAILY_QUOTA: String(DAILY_QUOTA),
      },
      faults: POSSIBLE,
      async setFault(fault) {
        if (fault !== null && !POSSIBLE.includes(fault))
          throw new Error(`public-security cannot have ${fault}`);
        server.setFault(fault);
        return Promise.resolve();
      },
      calls: server.calls,
      openCalls: server.openCalls,
      close: server.close,
    };
  },
});
