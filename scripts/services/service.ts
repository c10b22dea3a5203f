import type { RunningProcess } from '../../adapters/postgres/guarded-process.ts';

/** A server that tests may use, and whoever ends it. */
export interface Service {
  readonly url: string;
  stop(): Promise<void>;
}

/** Asks every 50 ms until the server answers; fails with the server's own words when it ends instead. */
export async function untilAnswers(
  name: string,
  server: RunningProcess,
  answers: () => Promise<boolean>,
): Promise<void> {
  let hasEnded = false;
  server.exited.catch(() => (hasEnded = true));
  for (let attempt = 0; attempt < 600 && !hasEnded; attempt++) {
    if (await answers()) return;
    await new Promise((wake) => setTimeout(wake, 50));
  }
  const error = new Error(`${name} did not answer within 30 seconds`);
  await Promise.race([server.stop(), hasEnded ? server.exited : undefined]);
  throw error;
}
