/**
 * Looking a person up: that nobody has this number, that the name is another's, and that this bank may not look are to be
 * the same answer at the same time. Look-ups of the three kinds, drawn by the seed, are sent by several clients of one bank
 * without consent; every byte and header is compared, and the times by Kolmogorov–Smirnov.
 */
import { request } from 'undici';
import { citizenIdCheckDigit } from '../../schema/identifiers/citizen-id.ts';
import type { Person } from '../../simulators/population/people.ts';
import { legalRepresentativeOf } from '../../simulators/population/people.ts';
import type { Random } from '../../simulators/population/random.ts';
import { randomFor } from '../../simulators/population/random.ts';
import { combine, compareSamples } from '../kolmogorov-smirnov.ts';
import { quantile, round } from '../quantile.ts';
import { startBenchSandbox } from '../sandbox.ts';
import type { Figures, PartOptions } from './shared/part.ts';

const KINDS = ['absent', 'wrong name', 'forbidden'] as const;
type Kind = (typeof KINDS)[number];

const SIZES = {
  bench: { companies: 300, lookups: 2_400, clients: 3 },
  test: { companies: 40, lookups: 210, clients: 3 },
} as const;

/** Milliseconds. Work of a look-up must seldom take longer, or its own length begins to show in which multiple it is. */
const QUANTUM = 50;
const QUERY = `query ($identity: PersonIdentityInput!) {
  creditPerson(identity: $identity) { id kind person { name idNumber } courts { status } } }`;

export default async function lookup({ seed, size, print }: PartOptions): Promise<Figures> {
  const { companies, lookups, clients } = SIZES[size];
  const sandbox = await startBenchSandbox({
    latencyMs: 0,
    scale: companies,
    warmUp: 1,
    environment: {
      JINXIN_LOOKUP_QUANTUM_MS: String(QUANTUM),
      JINXIN_LOOKUPS_PER_CONSUMER_MINUTE: '1000000',
      JINXIN_LOOKUPS_PER_PERSON_HOUR: '1000000',
      JINXIN_LOOKUPS_PER_CONSUMER_AND_PERSON_HOUR: '1000000',
    },
  });
  try {
    const people = sandbox.population.map(({ code }) => legalRepresentativeOf(code, 'bench'));
    const authorization = `Bearer ${await sandbox.token('bank-b')}`;
    const schedule = toSchedule(people, lookups, randomFor(seed, 'lookup', 'schedule'));
    const send = (one: Person) => timed(sandbox.url, authorization, one);
    // The first requests pay for planning and for the compiler of the runtime, whatever they are about.
    for (const { person } of schedule.slice(0, 60)) await send(person);

    const times = new Map<Kind, number[]>(KINDS.map((kind) => [kind, []]));
    const answers = new Map<string, number>();
    const next = schedule[Symbol.iterator]();
    await Promise.all(
      Array.from({ length: clients }, async () => {
        // One iterator for all clients: they take turns as they come free, so that the kinds stay interleaved.
        for (const { kind, person } of next) {
          const { milliseconds, text } = await send(person);
          times.get(kind)?.push(milliseconds);
          answers.set(text, (answers.get(text) ?? 0) + 1);
        }
      }),
    );
    return report(times, answers, print);
  } finally {
    await sandbox.close();
  }
}

function toSchedule(people: readonly Person[], count: number, random: Random) {
  const tasks = Array.from({ length: count }, (_, at) => {
    const kind = KINDS[at % KINDS.length] as Kind;
    return { kind, person: toAsked(kind, random.pick(people), random), order: random.int(0, 2 ** 31) };
  });
  return tasks.sort((one, other) => one.order - other.order);
}

/** Whom a look-up of this kind names: names and numbers of one length each, so that no request differs from another. */
function toAsked(kind: Kind, person: Person, random: Random): Person {
  if (kind === 'forbidden') return person;
  if (kind === 'wrong name') return { ...person, name: `${person.name.slice(0, -1)}某` };
  // Region 129999 does not exist: nobody has such a number.
  const first17 = `12999919000101${String(random.int(0, 999)).padStart(3, '0')}`;
  return { name: person.name, citizenId: (first17 + citizenIdCheckDigit(first17)) as Person['citizenId'] };
}

/** From the first byte that is sent to the last that comes; `text` is all that came but for the date. */
async function timed(url: string, authorization: string, { name, citizenId }: Person) {
  const body = JSON.stringify({ query: QUERY, variables: { identity: { name, idNumber: citizenId } } });
  const startedAt = performance.now();
  const response = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body,
  });
  const answer = await response.body.text();
  const milliseconds = performance.now() - startedAt;
  const { date: _, ...headers } = response.headers;
  return { milliseconds, text: JSON.stringify([response.statusCode, headers, answer]) };
}

function report(
  times: ReadonlyMap<Kind, readonly number[]>,
  answers: ReadonlyMap<string, number>,
  print: (line: string) => void,
) {
  const of = (kind: Kind) => times.get(kind) ?? [];
  const total = [...times.values()].reduce((sum, list) => sum + list.length, 0);
  print(`looking a person up, ${total} timings, answers at multiples of ${QUANTUM} ms`);
  for (const kind of KINDS)
    print(`  ${kind}: p50 ${round(quantile(of(kind), 0.5))} ms, p99 ${round(quantile(of(kind), 0.99))} ms`);
  const pairs = KINDS.flatMap((one, at) => KINDS.slice(at + 1).map((other) => [one, other] as const));
  const ps = pairs.map(([one, other]) => {
    const { distance, p } = compareSamples(of(one), of(other));
    print(`  ${one} / ${other}: D ${round(distance)}, p ${round(p)}`);
    return p;
  });
  // What the test would have found: the least delay of one kind at which the same times are told apart.
  const delays = Array.from({ length: 14 }, (_, at) => 0.1 * 2 ** at);
  const detectable = delays.find((delay) => {
    const late = of('forbidden').map((time) => time + delay);
    return compareSamples(of('absent'), late).p <= 0.01;
  });
  print(
    `  a delay of ${detectable === undefined ? 'no' : round(detectable)} ms of one kind would have been found`,
  );
  const commonest = Math.max(...answers.values());
  print(`  ${total - commonest} of ${total} answers differ in a byte or a header`);
  const refusals = [...answers].filter(([text]) => text.includes('LOOKUP_REFUSED'));
  return {
    absentForbiddenP: combine(ps),
    lookupBytesDiffer: total - commonest,
    lookupTimings: total,
    lookupsRefused: refusals.reduce((sum, [, count]) => sum + count, 0),
    lookupDetectableMs: round(detectable ?? NaN),
  };
}
