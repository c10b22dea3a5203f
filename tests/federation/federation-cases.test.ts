/** Every graph of cases/ with the gateway in front of it: what a case says, and what one server with all of the data says. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectAsOracle, expectCase, expectTrue } from './expectations.ts';
import type { Federation } from './federation.ts';
import { startFederation } from './federation.ts';
import type { Case } from './graph-file.ts';
import { readGraphs } from './graph-file.ts';

/** What every object has: no body of a subgraph changes it. */
const NATURE = Object.getOwnPropertyNames(Object.prototype);

describe.each(readGraphs())('$name', (graph) => {
  let federation: Federation;
  beforeAll(async () => {
    federation = await startFederation(graph);
  });
  afterAll(async () => {
    await federation.close();
  });

  it.each(graph.cases)('$name', async (one) => {
    const { answer, calls } = await federation.ask(one, federation.world(), one);
    if (hasOracle(one)) {
      const oracle = await federation.oracle.answer({ ...one, world: federation.world() });
      expectTrue(one, oracle);
      expectAsOracle(answer, oracle);
    }
    expectCase(one, answer, calls);
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(NATURE);
  });
});

/** An oracle knows nothing of a subgraph that lies, fails or does not know, and refuses in words of its own. */
function hasOracle({ oracle, replies, down, missing, refused }: Case): boolean {
  const troubles = [replies, down, missing].flatMap((trouble) => Object.keys(trouble));
  return oracle ?? (refused === undefined && troubles.length === 0);
}
