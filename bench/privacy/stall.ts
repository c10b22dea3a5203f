/**
 * Whether a document of at most 16 kB can stop the gateway: a seeded corpus of hostile documents, one after the other, at a
 * gateway in a process of its own, whose main thread is watched. And whether a word list can read the schema out of errors.
 */
import { fork } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'undici';
import { z } from 'zod';
import type { PlainSubgraphs } from '../../tests/kit/plain-subgraphs.ts';
import { startPlainSubgraphs } from '../../tests/kit/plain-subgraphs.ts';
import { drawHostileDocuments, fragmentBomb } from './stall/hostile-documents.ts';
import { HOSTILE_GRAPH } from './stall/hostile-graph.ts';
import { probeSchema } from './stall/schema-probe.ts';
import type { Watched } from './stall/watched-gateway.ts';
import type { Figures, PartOptions } from './shared/part.ts';

const SIZES = { bench: 600, test: 76 };
const BOMBS = { bench: 40, test: 10 };

export interface Answered {
  readonly status: number;
  readonly body: string;
}

/** `from` is the loopback address that it comes from: the public is told apart by address. */
export type Send = (query: string, variables: object, from: string) => Promise<Answered>;

export default async function measureStalls({ seed, size, print }: PartOptions): Promise<Figures> {
  const subgraphs = await startPlainSubgraphs(HOSTILE_GRAPH);
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-stall-'));
  const file = join(folder, 'supergraph.graphql');
  await writeFile(file, subgraphs.supergraph);
  try {
    const open = await startWatched(file, 'everyone');
    const stalls = await runCorpus(open, drawHostileDocuments(seed, SIZES[size]), print);
    const bombs = await runBombs(open, subgraphs, BOMBS[size]);
    await open.close();
    const closed = await startWatched(file, 'nobody');
    const recovered = await probeSchema(closed.send, seed);
    await closed.close();
    print(
      `stall: ${stalls.documents} documents, worst block ${stalls.worst.stallMs.toFixed(1)} ms of processor time (${stalls.worst.family})`,
    );
    print(
      `stall: a fragment bomb is refused in ${bombs.ms.toFixed(2)} ms with ${bombs.calls} calls; ${recovered} names of the schema recovered`,
    );
    return {
      stallDocuments: stalls.documents,
      worstStallMs: stalls.worst.stallMs,
      bombRefusedMs: bombs.ms,
      bombCalls: bombs.calls,
      schemaRecovered: recovered,
    };
  } finally {
    await subgraphs.close();
    await rm(folder, { recursive: true });
  }
}

interface WatchedGateway {
  readonly send: Send;
  /** What was seen since the last look; the gateway is busy for so many milliseconds before. */
  look(busyMs?: number): Promise<Watched>;
  close(): Promise<void>;
}

export async function startWatched(
  file: string,
  introspection: 'everyone' | 'nobody',
): Promise<WatchedGateway> {
  const child = fork(join(import.meta.dirname, 'stall/watched-gateway.ts'), [file], {
    execArgv: ['--import', import.meta.resolve('tsx')],
    env: { ...process.env, NODE_OPTIONS: '', JINXIN_INTROSPECTION: introspection },
  });
  const heard = on(child, 'message', { close: ['exit'] });
  const next = async () => {
    const { value, done } = (await heard.next()) as IteratorResult<[unknown], undefined>;
    if (done) throw new Error('the watched gateway ended');
    return value[0];
  };
  const { url } = (await next()) as { url: string };
  const { origin, pathname } = new URL(url);
  return {
    async send(query, variables, from) {
      const client = new Client(origin, { localAddress: from });
      try {
        const response = await client.request({
          method: 'POST',
          path: pathname,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ query, variables }),
        });
        return { status: response.statusCode, body: await response.body.text() };
      } finally {
        await client.close();
      }
    },
    async look(busyMs = 0) {
      child.send(busyMs);
      return (await next()) as Watched;
    },
    async close() {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

/** Each from an address of its own, as a flood would come: who was refused once would not be looked at again. */
const addressOf = (at: number) => `127.1.${at >> 8}.${at & 0xff || 1}`;

async function runCorpus(
  { send, look }: WatchedGateway,
  documents: ReturnType<typeof drawHostileDocuments>,
  print: (line: string) => void,
) {
  // What a process does for the first time is slow once; that is not what is measured.
  for (let at = 0; at < 30; at++)
    await send(`# warm ${at}\n{ node { v a { v } shape { v } } }`, {}, '127.0.0.1');
  await look();
  // What does not see a block of eighty milliseconds sees nothing.
  const control = await look(80);
  if (control.stallMs < 40) throw new Error(`a block of 80 ms was seen as one of ${control.stallMs} ms`);
  const outcomes = new Map<string, number>();
  let worst = { family: 'none', stallMs: 0, wallMs: 0 };
  const families = new Map<string, number>();
  for (const [at, { family, query, variables }] of documents.entries()) {
    const outcome = outcomeOf(await send(query, variables, addressOf(at)));
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    const { stallMs, wallMs } = await look();
    families.set(family, Math.max(families.get(family) ?? 0, stallMs));
    if (stallMs > worst.stallMs) worst = { family, stallMs, wallMs };
  }
  for (const [family, stallMs] of families)
    print(`stall: ${family.padEnd(28)} ${stallMs.toFixed(1).padStart(8)} ms`);
  print(`stall: ${[...outcomes].map(([outcome, count]) => `${outcome} ${count}`).join(', ')}`);
  return { documents: documents.length, worst };
}

const answerSchema = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(z.object({ extensions: z.object({ code: z.string(), limit: z.string().optional() }) }))
    .default([]),
});

function outcomeOf({ body }: Answered): string {
  const { data, errors } = answerSchema.parse(JSON.parse(body));
  const [refusal] = errors;
  if (data !== undefined || !refusal) return 'answered';
  const { code, limit } = refusal.extensions;
  return limit === undefined ? code : `${code} ${limit}`;
}

/** Milliseconds of the gateway's processor for one bomb, its HTTP request included: the middle of many. */
async function runBombs({ send, look }: WatchedGateway, subgraphs: PlainSubgraphs, count: number) {
  const before = subgraphs.calls.length;
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    await look();
    const { body } = await send(fragmentBomb(at), {}, '127.0.0.1');
    if (!body.includes('LIMIT_EXCEEDED')) throw new Error(`a bomb was answered: ${body}`);
    times.push((await look()).busyMs);
  }
  times.sort((a, b) => a - b);
  return { ms: times[Math.floor(count / 2)] ?? 0, calls: subgraphs.calls.length - before };
}
