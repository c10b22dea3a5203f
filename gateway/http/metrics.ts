/** Prometheus metrics of the gateway's own. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { GraphStatus } from '../reload/reload.ts';

export function createGatewayMetrics(registry: Registry = new Registry()) {
  const registers = [registry];
  const requests = new Histogram({
    name: 'jinxin_gateway_request_seconds',
    help: 'Requests by outcome: ok, errors (data with errors), refused.',
    labelNames: ['outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const cache = new Counter({
    name: 'jinxin_gateway_cache_entities_total',
    help: 'Entities by subgraph and result: hit (the cache had it) or miss (the subgraph was asked).',
    labelNames: ['subgraph', 'result'],
    registers,
  });
  const supergraphs = new Counter({
    name: 'jinxin_gateway_supergraph_changes_total',
    help: 'Changes of the supergraph or the catalogue by outcome: TAKEN, or why not.',
    labelNames: ['outcome'],
    registers,
  });
  const refused = new Gauge({
    name: 'jinxin_gateway_supergraph_refused',
    help: '1 while what is in the files is not what is served, with the reason.',
    labelNames: ['reason'],
    registers,
  });
  const admissions = new Counter({
    name: 'jinxin_gateway_admissions_total',
    help: 'Requests by urgency and outcome: admitted or shed.',
    labelNames: ['urgency', 'outcome'],
    registers,
  });
  const queued = new Histogram({
    name: 'jinxin_gateway_admission_queue_seconds',
    help: 'How long requests that were admitted had to wait for that.',
    labelNames: ['urgency'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    registers,
  });
  return {
    onAdmitted(urgency: string, waitedMs: number) {
      admissions.inc({ urgency, outcome: 'admitted' });
      queued.observe({ urgency }, waitedMs / 1_000);
    },
    onRefused: (urgency: string) => admissions.inc({ urgency, outcome: 'shed' }),
    observeSupergraph(outcome: string, status: GraphStatus) {
      supergraphs.inc({ outcome });
      refused.reset();
      if (status.refused) refused.set({ reason: status.refused.reason }, 1);
    },
    countGenerations(open: () => number) {
      new Gauge({
        name: 'jinxin_gateway_supergraphs_open',
        help: 'Supergraphs in memory: the one that is served, and those before it that still answer.',
        registers,
        collect() {
          this.set(open());
        },
      });
    },
    observe: (milliseconds: number, outcome: string) => requests.observe({ outcome }, milliseconds / 1000),
    observeCache(subgraph: string, hits: number, misses: number) {
      cache.inc({ subgraph, result: 'hit' }, hits);
      cache.inc({ subgraph, result: 'miss' }, misses);
    },
    page: () => registry.metrics(),
  };
}
