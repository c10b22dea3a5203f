/** Prometheus metrics of the departments: calls, faults, latency, breaker state, foreign and quarantined rows. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { DepartmentObserver } from './define.ts';

const BREAKER_STATES = { closed: 0, 'half-open': 1, open: 2 } as const;

export function createMetrics(registry: Registry = new Registry()): {
  readonly registry: Registry;
  readonly observer: DepartmentObserver;
  page(): Promise<string>;
} {
  const registers = [registry];
  const calls = new Counter({
    name: 'jinxin_legacy_calls_total',
    help: 'Calls to legacy systems by outcome (ok or one of the four faults).',
    labelNames: ['system', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'jinxin_legacy_call_seconds',
    help: 'How long legacy systems take.',
    labelNames: ['system'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
    registers,
  });
  const breaker = new Gauge({
    name: 'jinxin_legacy_breaker_state',
    help: '0 closed, 1 half-open, 2 open.',
    labelNames: ['system'],
    registers,
  });
  const foreign = new Counter({
    name: 'jinxin_legacy_foreign_rows_total',
    help: 'Rows of a subject that was not asked for: dropped. Anything above 0 needs a person to look.',
    labelNames: ['system'],
    registers,
  });
  const quarantined = new Counter({
    name: 'jinxin_quarantined_records_total',
    help: 'Records set aside with their reason.',
    labelNames: ['system'],
    registers,
  });
  return {
    registry,
    page: () => registry.metrics(),
    observer: {
      called(system, outcome, milliseconds) {
        calls.inc({ system, outcome });
        seconds.observe({ system }, milliseconds / 1000);
      },
      breaker: (system, state) => breaker.set({ system }, BREAKER_STATES[state]),
      foreignRows: (system, count) => foreign.inc({ system }, count),
      quarantined: (system, count) => quarantined.inc({ system }, count),
    },
  };
}
