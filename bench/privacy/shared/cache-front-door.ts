/** The same triples of whole gateways, over HTTP: the front door, the audit log and receipts are between. */
import { randomFor } from '../../../simulators/population/random.ts';
import type { CacheWorld } from './cache-world.ts';
import type { Run } from './cache-triples.ts';
import { createCacheDepartments, difference } from './cache-triples.ts';
import { listenAsDepartments } from './departments.ts';
import { startTrialGateway } from './gateway-under-trial.ts';

/** One gateway is asked by everybody; of the other, whose departments let nothing be kept, each answer is fetched. */
export async function askThroughFrontDoor(world: CacheWorld, count: number): Promise<Run> {
  const { departments, askers, questions } = createCacheDepartments(world);
  const random = randomFor(world.seed, 'front door', 'triples');
  const keeping = await listenAsDepartments(departments);
  const forgetting = await listenAsDepartments({
    names: departments.names,
    async answer(...asked) {
      const { extensions: _, ...answer } = await departments.answer(...asked);
      return answer;
    },
  });
  const options = { supergraph: world.supergraph, catalogue: world.catalogue };
  const warm = await startTrialGateway({ ...options, subgraphsUrl: keeping.url });
  const uncached = await startTrialGateway({ ...options, subgraphsUrl: forgetting.url });
  const leaks: string[] = [];
  let triples = 0;
  try {
    while (triples < count) {
      const question = random.pick(questions);
      const [a, b] = [random.pick(askers), random.pick(askers)];
      await warm.ask(a, { ...question });
      const [answer, alone] = [await warm.ask(b, { ...question }), await uncached.ask(b, { ...question })];
      triples += 1;
      const [left, right] = [withoutProof(answer.text), withoutProof(alone.text)];
      if (answer.status !== alone.status || left !== right)
        leaks.push(`${a.id}, then ${b.id}: ${JSON.stringify(question)}\n    ${difference(left, right)}`);
    }
  } finally {
    await warm.close();
    await uncached.close();
    await keeping.close();
    await forgetting.close();
  }
  return { triples, leaks };
}

/** A receipt is another for every answer: its id, its time and its signature are left out, its digest of the answer stays. */
function withoutProof(text: string): string {
  const body = JSON.parse(text) as { extensions?: { receipt?: Record<string, unknown> } };
  const receipt = body.extensions?.receipt;
  if (receipt) for (const name of ['id', 'issuedAt', 'signature']) delete receipt[name];
  return JSON.stringify(body);
}
