/**
 * A subgraph that costs next to nothing: it executes each distinct request once, for real, and from then on hands out the bytes
 * that it kept. So any router may ask in any way, and none of them waits for anybody's resolvers.
 */
import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';
import { z } from 'zod';
import type { BenchSubgraph } from '../graphs/graph.ts';
import { toSubgraphSdl } from '../graphs/graph.ts';

export interface StubAnswer {
  readonly bytes: Buffer;
  /** How many representations the request held, under whatever names. */
  readonly representations: number;
}

export type AnswerOf = (body: string) => StubAnswer | Promise<StubAnswer>;

const requestSchema = z.object({
  query: z.string(),
  operationName: z.string().nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
});
const listSchema = z.array(z.looseObject({ __typename: z.string() }));

/** `maxAge`: seconds for which the gateway may keep each entity, as `extensions.jinxin.maxAge`; null: nothing is said of it. */
export function createAnswers(subgraph: BenchSubgraph, maxAge: number | null): AnswerOf {
  const schema = buildSubgraphSchema([
    { typeDefs: parse(toSubgraphSdl(subgraph, false)), resolvers: subgraph.resolvers as never },
  ]);
  const kept = new Map<string, StubAnswer>();

  async function execute(body: string): Promise<StubAnswer> {
    const { query, operationName, variables } = requestSchema.parse(JSON.parse(body));
    const answer = await graphql({
      schema,
      source: query,
      operationName: operationName ?? null,
      variableValues: variables ?? {},
    });
    const representations = Object.values(variables ?? {}).reduce<number>((sum, value) => {
      const list = listSchema.safeParse(value);
      return list.success ? sum + list.data.length : sum;
    }, 0);
    const hints =
      maxAge !== null && representations > 0
        ? { extensions: { jinxin: { maxAge: Array.from({ length: representations }, () => maxAge) } } }
        : {};
    const made = { bytes: Buffer.from(JSON.stringify({ ...answer, ...hints })), representations };
    kept.set(body, made);
    return made;
  }
  return (body) => kept.get(body) ?? execute(body);
}
