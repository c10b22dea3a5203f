/** Prometheus metrics of the gateway's own. */
import { Counter, Histogram, Registry } from 'prom-client';
import type { EntityCache } from '../execution/entity-cache.ts';

export function createGatewayMetrics(cache: EntityCache, registry: Registry = new Registry()) {
  const registers = [registry];
  const requests = new Histogram({
    name: 'jinxin_gateway_request_seconds',
    help: 'Requests by outcome: ok, errors (data with errors), refused.',
    labelNames: ['outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  for (const kind of ['hits', 'misses'] as const)
    new Counter({
      name: `jinxin_gateway_cache_${kind}_total`,
      help: `Entity cache ${kind}.`,
      registers,
      collect() {
        this.reset();
        this.inc(cache.stats()[kind]);
      },
    });
  return {
    observe: (milliseconds: number, outcome: string) => requests.observe({ outcome }, milliseconds / 1000),
    page: () => registry.metrics(),
  };
}
