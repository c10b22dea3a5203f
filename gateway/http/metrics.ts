/** Prometheus metrics of the gateway's own. */
import { Counter, Histogram, Registry } from 'prom-client';

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
  return {
    observe: (milliseconds: number, outcome: string) => requests.observe({ outcome }, milliseconds / 1000),
    observeCache(subgraph: string, hits: number, misses: number) {
      cache.inc({ subgraph, result: 'hit' }, hits);
      cache.inc({ subgraph, result: 'miss' }, misses);
    },
    page: () => registry.metrics(),
  };
}
