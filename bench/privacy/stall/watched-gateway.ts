/**
 * A gateway in a process of its own that tells how long its main thread was busy without a pause. Started by stall.ts with an
 * IPC channel: it sends `{ url }` when it is ready, and answers every message with what was seen since the one before.
 */
import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { readConfig } from '../../../gateway/config.ts';
import { serveGateway } from '../../../gateway/serve.ts';

export interface Watched {
  /** Longest time between two turns of the event loop, milliseconds; and of that what the thread spent on a processor. */
  readonly wallMs: number;
  readonly stallMs: number;
  /** All that the main thread spent on a processor, milliseconds. */
  readonly busyMs: number;
}

/** Nanoseconds that the main thread has spent on a processor. Elsewhere than on Linux: time that has passed. */
function spentNs(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ', 1)[0]);
  } catch {
    return performance.now() * 1e6;
  }
}

let wallMs = 0;
let stallMs = 0;
let last = { at: performance.now(), spent: spentNs() };
let before = last.spent;

function turn(): void {
  const now = { at: performance.now(), spent: spentNs() };
  const wall = now.at - last.at;
  wallMs = Math.max(wallMs, wall);
  // The kernel counts in its own steps: no more can be spent than has passed.
  stallMs = Math.max(stallMs, Math.min(wall, (now.spent - last.spent) / 1e6));
  last = now;
}
// A timer comes after whatever was ready: between two of them lies one block, or several in a row, never less.
setInterval(turn, 1);

const [supergraph = ''] = process.argv.slice(2);
const gateway = await serveGateway(readConfig(process.env, { supergraph, listen: '127.0.0.1:0' }), {
  log: pino({ level: 'silent' }),
});
process.on('message', (busyMs: number) => {
  // Asked to be busy itself, it shows that the watch sees it.
  for (const until = spentNs() + busyMs * 1e6; spentNs() < until;);
  turn();
  const spent = spentNs();
  process.send?.({ wallMs, stallMs, busyMs: (spent - before) / 1e6 } satisfies Watched);
  wallMs = 0;
  stallMs = 0;
  before = spent;
});
process.on('disconnect', () => process.exit(0));
process.send?.({ url: gateway.url });
