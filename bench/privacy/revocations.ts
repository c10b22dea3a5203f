/**
 * Nothing that rests on a consent leaves after its withdrawal was acknowledged: shown over seeded interleavings of granting,
 * asking (one subject, a list, the cache warm), pausing, resuming and revoking, at two gateways that share PostgreSQL and
 * Redis; the second one is a process of its own.
 *
 * One monotonic clock, this process's, orders the answers and the acknowledgements by the arrival of their first bytes. An
 * answer that shows the field of a subject between an acknowledgement and the sending of the next permission is counted.
 * An interleaving is an acknowledged withdrawal during which at least one question about its subject was under way.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Agent } from 'undici';
import { createSubjectIds } from '../../schema/subject-id.ts';
import { sandboxBytes } from '../../schema/keys.ts';
import type { Gateways } from './revocations/gateways.ts';
import { openGateways } from './revocations/gateways.ts';
import { ask, createLane } from './revocations/lane.ts';
import { randomFor } from '../../simulators/population/random.ts';
import type { Figures, PartOptions } from './shared/part.ts';

const SIZES = {
  bench: { interleavings: 10_000, lanes: 14 },
  test: { interleavings: 150, lanes: 6 },
} as const;
const SUBJECTS_OF_A_LANE = 8;

export default async function revocations(options: PartOptions): Promise<Figures> {
  const { seed, size, print } = options;
  const { interleavings: wanted, lanes: count } = SIZES[size];
  const gateways = await openGateways({ companies: count * SUBJECTS_OF_A_LANE * 3, print });
  const agent = new Agent({ connections: 128 });
  const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
  const total = { interleavings: 0, afterRevocation: 0, withdrawals: 0, seen: 0 };
  try {
    const codes = await untilCodes(gateways, agent, count * SUBJECTS_OF_A_LANE);
    const lanes = await Promise.all(
      Array.from({ length: count }, (_, at) =>
        createLane({
          name: `${seed}-${at}`,
          codes: codes.slice(at * SUBJECTS_OF_A_LANE, (at + 1) * SUBJECTS_OF_A_LANE),
          urls: gateways.urls,
          agent,
          subjectIds,
          random: randomFor(seed, 'revocations', `lane ${at}`),
        }),
      ),
    );
    let told = 0;
    await Promise.all(
      lanes.map(async (lane) => {
        while (total.interleavings < wanted) {
          const round = await lane.round();
          for (const name of ['interleavings', 'afterRevocation', 'withdrawals', 'seen'] as const)
            total[name] += round[name];
          if (total.interleavings < told + wanted / 10) continue;
          told = total.interleavings;
          print(`  ${told} interleavings, ${total.afterRevocation} fields after a revocation`);
        }
      }),
    );
  } finally {
    await agent.close();
    await gateways.close();
  }
  // Whoever is never shown anything is shown nothing afterwards either: that would prove nothing.
  if (total.seen < total.withdrawals / 2)
    throw new Error(`only ${total.seen} of ${total.withdrawals} consents opened anything before they ended`);
  print(
    `${total.interleavings} interleavings of ${total.withdrawals} withdrawals (seed ${seed}): ${total.afterRevocation} fields after an acknowledged revocation`,
  );
  return { afterRevocation: total.afterRevocation, interleavings: total.interleavings };
}

/** The department reads its nightly file in the background: waits until it knows enough companies. */
async function untilCodes(gateways: Gateways, agent: Agent, count: number): Promise<readonly string[]> {
  const until = performance.now() + 120_000;
  for (;;) {
    const codes = await codesWithTheField(gateways, agent, count);
    if (codes.length >= count) return codes.slice(0, count);
    if (performance.now() > until)
      throw new Error(`${codes.length} companies have the field, ${count} are needed`);
    await delay(500);
  }
}

/** Companies of which the department knows the field, as a bank with a standing consent sees. */
async function codesWithTheField(
  gateways: Gateways,
  agent: Agent,
  count: number,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (let at = 0; at < gateways.codes.length && found.length < count; at += 50) {
    const page = gateways.codes.slice(at, at + 50);
    const { data } = await ask(agent, gateways.urls[0], gateways.observer, {
      query: 'query ($codes: [CreditCode!]!) { creditSubjects(codes: $codes) { code tax { grade } } }',
      variables: { codes: page },
    });
    const subjects = (data?.['creditSubjects'] ?? []) as ({
      code: string;
      tax: { grade: string | null } | null;
    } | null)[];
    found.push(...subjects.flatMap((one) => (one?.tax?.grade ? [one.code] : [])));
  }
  return found;
}
