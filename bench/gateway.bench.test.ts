/** The machinery of `npm run bench -- gateway` once, at the smallest size, without other people's gateways. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toChart } from './gateway/chart.ts';
import { toFigures } from './gateway/figures.ts';
import { measure, medianOf } from './gateway/measure.ts';
import { DISTINCT, MODES } from './gateway/modes.ts';
import { toMarkdown, toTable } from './gateway/report.ts';
import type { Result } from './gateway/run.ts';
import { run } from './gateway/run.ts';
import type { Subgraphs } from './gateway/subgraphs.ts';
import { startSubgraphs } from './gateway/subgraphs.ts';
import { WORKS } from './gateway/works.ts';

const PACE = { rounds: 1, sliceMs: 1, warmUpMs: 1 };
const ELSEWHERE = {
  redisOnly: { roundTripsPerLevel: null },
  overhead: { p50: null, p99: null },
  overload: { goodput: null },
  reload: { failed: null, mixed: null, p99: null },
};

describe('the gateway’s bench', () => {
  let subgraphs: Subgraphs;
  let result: Result;
  const [deep] = WORKS;

  beforeAll(async () => {
    subgraphs = await startSubgraphs();
    const work = { ...deep, bodies: deep.bodies.slice(0, 3) };
    const mode = { ...DISTINCT, contestants: ['handwritten', 'jinxin'] as const };
    result = await run(work, mode, PACE, { subgraphs, peers: '', platformUrl: null, redisUrl: null });
  }, 60_000);
  afterAll(() => subgraphs.stop());

  it('counts what reached the subgraphs, and the server by hand asks the least that the deep query needs', () => {
    const [byHand, ours] = result.measured;
    if (!byHand || !ours) throw new Error('two were to be measured');
    expect([medianOf(byHand, 'calls'), medianOf(byHand, 'representations')]).toEqual([6, 25]);
    expect(medianOf(ours, 'calls')).toBeGreaterThanOrEqual(6);
    expect(medianOf(ours, 'representations')).toBeGreaterThanOrEqual(25);
    for (const one of result.measured)
      expect([
        medianOf(one, 'cpuMs') > 0,
        medianOf(one, 'requestsPerSecond') > 0,
        one.peakRssMb > 20,
      ]).toEqual([true, true, true]);
  });

  it('leaves what was not measured null, and shows who has no such mode with a dash', () => {
    const figures = toFigures([result], ELSEWHERE);
    expect(figures.uncached).toEqual({
      handwritten: expect.any(Number),
      handwrittenFull: null,
      hiveRust: null,
      apollo: null,
    });
    expect(figures.warm).toEqual({ apollo: null, subgraphCalls: null });
    const whole = { ...result, mode: { ...result.mode, contestants: DISTINCT.contestants } };
    expect(toTable(whole)).toMatch(/Hive Gateway, Rust planner\s+│ –/);
    expect(toMarkdown([whole], figures, ['- a machine'])).toContain('| Hive Gateway, Rust planner | – |');
    expect(toChart([result], 'a & b', '')).toContain('a &amp; b');
  });

  it('refuses to measure an answer that is another one than the first contestant’s', async () => {
    const servers = ['{"data":{"a":1}}', '{"data":{"a":2}}'].map((answer) =>
      createServer((_, response) => void response.end(answer)).listen(0, '127.0.0.1'),
    );
    await Promise.all(servers.map((server) => once(server, 'listening')));
    const contestants = servers.map((server) => ({
      kind: 'jinxin' as const,
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      headers: {},
      process: { pid: process.pid, firstLine: async () => '', stop: async () => {} },
    }));
    await expect(measure(contestants, ['{}'], PACE, subgraphs)).rejects.toThrow(
      'jinxin answers differently: it is not measured',
    );
    for (const server of servers) server.close();
  });

  it('asks every work in every mode of somebody who is there to be compared with', () => {
    for (const { contestants } of MODES)
      expect(contestants).toEqual(expect.arrayContaining(['handwritten', 'apollo']));
    expect(WORKS.map(({ bodies }) => new Set(bodies).size)).toEqual([64, 64, 64, 64]);
  });
});
