/**
 * What every protocol must show, whatever it speaks. A protocol's test calls this with a rig that stands in front of a
 * real server on loopback, and adds only its own quirks.
 */
import { describe, expect, it } from '@jest/globals';
import type { Adapter, LegacyFault, LegacyReply } from './adapter.ts';
import { isLegacyError } from './adapter.ts';
import { createClock } from './clock.ts';

/** `fault` is switched on at the simulated system until `heal()`. */
export interface ContractRig<Request> {
  readonly adapter: Adapter<Request>;
  readonly request: Request;
  /** Faults that this protocol can be given, and the LegacyFaults in which each may end. */
  readonly faults: Readonly<Record<string, readonly LegacyFault[]>>;
  fault(name: string): Promise<void>;
  heal(): Promise<void>;
  /** Calls that the legacy system has open right now, to show that an abort reaches the wire. */
  openCalls(): number;
}

const LIMIT_MS = 400;

export function describeAdapterContract<Request>(name: string, rig: () => ContractRig<Request>): void {
  const clock = createClock(1);

  async function call(signal?: AbortSignal): Promise<LegacyReply> {
    const { adapter, request } = rig();
    const at = clock.now() + LIMIT_MS;
    const limit = clock.deadline(at, signal);
    try {
      return await adapter.call(request, { signal: limit.signal, deadline: at });
    } finally {
      limit.end();
    }
  }

  async function failure(work: Promise<unknown>): Promise<unknown> {
    return work.then(
      () => null,
      (error: unknown) => error,
    );
  }

  describe(`${name} keeps the adapter contract`, () => {
    it('answers with rows when the system is well', async () => {
      const reply = await call();
      expect(reply.rows.length).toBeGreaterThan(0);
    });

    it('ends every fault in one of its closed faults, and throws nothing else', async () => {
      for (const [fault, expected] of Object.entries(rig().faults)) {
        await rig().fault(fault);
        const error = await failure(call());
        await rig().heal();
        const outcome = isLegacyError(error)
          ? error.fault
          : error === null
            ? 'answered'
            : 'threw something else';
        expect({ fault, outcome }).toEqual({ fault, outcome: expect.stringMatching(expected.join('|')) });
      }
    }, 60_000);

    it('answers again once the fault is gone', async () => {
      for (const fault of Object.keys(rig().faults)) {
        await rig().fault(fault);
        await failure(call());
        await rig().heal();
        expect({ fault, rows: (await call()).rows.length }).toEqual({ fault, rows: expect.any(Number) });
      }
    }, 60_000);

    it('honours the deadline while the system hangs', async () => {
      await rig().fault('hang');
      const startedAt = performance.now();
      const error = await failure(call());
      const took = performance.now() - startedAt;
      await rig().heal();
      expect(error).toMatchObject({ fault: 'timeout' });
      // Tenfold margin: this guards against waiting for ever, not against a busy machine.
      expect(took).toBeLessThan(LIMIT_MS * 10);
    });

    it('lets an abort reach the wire', async () => {
      await rig().fault('hang');
      const controller = new AbortController();
      const pending = failure(call(controller.signal));
      await until(() => rig().openCalls() > 0);
      controller.abort(new DOMException('caller left', 'AbortError'));
      expect(await pending).toMatchObject({ name: 'LegacyError' });
      await until(() => rig().openCalls() === 0);
      await rig().heal();
      expect(rig().openCalls()).toBe(0);
    });
  });
}

/** Polls a fact of another process's making, because no event tells it; gives up after five seconds. */
async function until(isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !isTrue(); i++) await createClock(1).sleep(10);
}
