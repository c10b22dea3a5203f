/** 天津市高级人民法院 as a legacy system: the credit query of its exchange bus. */
import { FAULTS, defineSimulator } from '../simulator.ts';
import type { Row } from './data-faults.ts';
import { courtRecordsOf, sampleRecords, strangerRecord } from './records.ts';
import { createSoapServer } from './soap-server.ts';

const USER = 'xypt';
const PASSWORD = 'sandbox-only';

export default defineSimulator({
  name: 'courts',
  async start({ population, seed, clock, latencyMs }) {
    const places = new Map(population.map((registration, place) => [registration.code, place]));

    function answer({ cardNum = '' }: Readonly<Record<string, string>>): readonly Row[] {
      const place = places.get(cardNum);
      const registration = place === undefined ? undefined : population[place];
      if (!registration) return [];
      // The first one is the sample of guides and examples, and has a good record everywhere.
      return place === 0
        ? sampleRecords(registration, seed, clock.now())
        : courtRecordsOf(registration, seed, clock.now());
    }

    const foreign = ({ cardNum = '' }: Readonly<Record<string, string>>): Row =>
      strangerRecord(cardNum, seed, clock.now());

    const server = await createSoapServer({
      user: USER,
      password: PASSWORD,
      clock,
      latencyMs,
      answer,
      foreign,
    });
    return {
      environment: {
        JINXIN_COURTS_URL: server.url,
        JINXIN_COURTS_USER: USER,
        JINXIN_COURTS_PASSWORD: PASSWORD,
      },
      faults: FAULTS,
      setFault: (fault) => Promise.resolve(server.setFault(fault)),
      calls: server.calls,
      openCalls: server.openCalls,
      close: server.close,
    };
  },
});
