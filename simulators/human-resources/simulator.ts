/** 天津市人力资源和社会保障局 as a legacy system: its signed query service. */
import { toPlainCode } from '../../schema/identifiers/plain-text.ts';
import { FAULTS, defineSimulator } from '../simulator.ts';
import type { Row } from './data-faults.ts';
import { humanResourcesRecordsOf, sampleRecords, strangerRecord } from './records.ts';
import { createRestServer } from './rest-server.ts';

const ACCOUNT = {
  appKey: 'xypt-sandbox',
  appSecret: 'sandbox-only-secret',
  bodyKey: '0123456789abcdeffedcba9876543210',
};
/** What the department grants every caller. */
const CALLS_PER_SECOND = 5;

export default defineSimulator({
  name: 'human-resources',
  async start({ population, seed, clock, latencyMs }) {
    // The register writes some codes in full width or lower case; they are asked for in their normal form.
    const places = new Map(population.map(({ code }, place) => [toPlainCode(code), place]));

    function answer({ AAB003 = '' }: Readonly<Record<string, string>>): readonly Row[] {
      const place = places.get(AAB003);
      const registration = place === undefined ? undefined : population[place];
      if (!registration) return [];
      // The first one is the sample of guides and examples, and has a good record everywhere.
      return place === 0
        ? sampleRecords(registration, seed, clock.now())
        : humanResourcesRecordsOf(registration, seed, clock.now());
    }

    const server = await createRestServer({
      account: ACCOUNT,
      clock,
      latencyMs,
      perSecond: CALLS_PER_SECOND,
      answer,
      foreign: ({ AAB003 = '' }) => strangerRecord(AAB003, seed, clock.now()),
    });
    return {
      environment: {
        JINXIN_HUMAN_RESOURCES_URL: server.url,
        JINXIN_HUMAN_RESOURCES_APP_KEY: ACCOUNT.appKey,
        JINXIN_HUMAN_RESOURCES_APP_SECRET: ACCOUNT.appSecret,
        JINXIN_HUMAN_RESOURCES_BODY_KEY: ACCOUNT.bodyKey,
      },
      faults: FAULTS,
      setFault: (fault) => Promise.resolve(server.setFault(fault)),
      calls: server.calls,
      openCalls: server.openCalls,
      close: server.close,
    };
  },
});
