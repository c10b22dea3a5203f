/**
 * A subgraph that costs next to nothing: it executes each distinct request once, for real, and from then on hands out the bytes
 * that it kept. So any router may ask in any way, and none of them waits for anybody's resolvers.
 */
import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';
import { z } from 'zod';
import { LATER, USUAL } from '../graphs/credit.ts';
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

export type StubKind = (typeof STUB_KINDS)[number];
/** `hinted` says how long the gateway may keep each entity (`extensions.jinxin.maxAge`, seconds); `later` dates a day later. */
export const STUB_KINDS = ['plain', 'hinted', 'later'] as const;
const MAX_AGE_SECONDS = 3_600;

export function createAnswers(subgraph: BenchSubgraph, kind: StubKind): AnswerOf {
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
      kind === 'hinted' && representations > 0
        ? {
            extensions: {
              jinxin: { maxAge: Array.from({ length: representations }, () => MAX_AGE_SECONDS) },
            },
          }
        : {};
    const text = JSON.stringify({ ...answer, ...hints });
    const dated = kind === 'later' ? text.replaceAll(USUAL, LATER) : text;
    const made = { bytes: Buffer.from(dated), representations };
    kept.set(body, made);
    return made;
  }
  return (body) => kept.get(body) ?? execute(body);
}
