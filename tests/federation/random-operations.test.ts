/**
 * Random operations over random data: the gateway answers as one server with all of the data would. JINXIN_TEST_SEED and
 * JINXIN_TEST_RUNS ask for others, and for more.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse, validate } from 'graphql';
import { setTimeout as pause } from 'node:timers/promises';
import { expectAsOracle } from './expectations.ts';
import type { Answer, Federation } from './federation.ts';
import { startFederation } from './federation.ts';
import { readGraph } from './graph-file.ts';
import { printOperation } from './print-operation.ts';
import { anyOperation } from './random-operation.ts';
import { anyHoles, withHoles } from './random-world.ts';
import { createWorld } from './world.ts';

const SEED = Number(process.env['JINXIN_TEST_SEED'] ?? 20_261_124);
const RUNS = Number(process.env['JINXIN_TEST_RUNS'] ?? 150);
const GRAPHS = ['shop', 'paths', 'abstract-types', 'interface-objects', 'requires-arguments'];

describe.each(GRAPHS)(`random operations, seed ${SEED}, over %s`, (name) => {
  const graph = readGraph(`cases/${name}.yaml`);
  const ids = [...JSON.stringify(graph.data).matchAll(/"(?:id|upc)":"(\w+)"/g)].map(([, id]) => String(id));
  let federation: Federation;
  beforeAll(async () => {
    federation = await startFederation(graph);
  });
  afterAll(async () => {
    await federation.close();
  });

  it(
    'are answered as by one server with all of the data',
    async () => {
      const { schema } = federation.oracle;
      const operations = anyOperation(schema, ids).map(printOperation);
      await fc.assert(
        fc.asyncProperty(operations, anyHoles(graph), async (operation, holes) => {
          expect(validate(schema, parse(operation.operation))).toEqual([]);
          const world = () => createWorld(withHoles(graph, holes));
          const { answer } = await askUntilServed(() => federation.ask(operation, world()));
          // The limits have tests of their own.
          fc.pre(answer.errors?.[0]?.extensions?.code !== 'LIMIT_EXCEEDED');
          expectAsOracle(answer, await federation.oracle.answer({ ...operation, world: world() }));
        }),
        { seed: SEED, numRuns: Math.ceil(RUNS / GRAPHS.length) },
      );
    },
    RUNS * 1_000,
  );
});

/** Whoever brought what took too long to plan is told when to come again. */
async function askUntilServed<Asked extends { readonly answer: Answer }>(
  ask: () => Promise<Asked>,
): Promise<Asked> {
  const asked = await ask();
  const { code, retryAfter } = asked.answer.errors?.[0]?.extensions ?? {};
  if (code !== 'OVERLOADED') return asked;
  await pause(Number(retryAfter) * 1_000);
  return askUntilServed(ask);
}
