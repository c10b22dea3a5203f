/** Runs a prepared operation: departments by its plan, the schema itself by the planning thread. */
import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { variableKeyOf } from '../execution/keys.ts';
import type { PlannedResult } from '../supergraph/execute-plan.ts';
import type { Supergraph } from '../supergraph/load.ts';
import type { PreparedOperation } from './prepare.ts';

type Data = Readonly<Record<string, unknown>>;

export interface RunRequest {
  readonly variables: Data;
  readonly consumer: string;
}

/** About how much memory answers about the schema may take. */
const KEPT_BYTES = 16 * 1024 * 1024;
const REFUSAL_KEPT_MS = 60_000;

export type Run = (
  operation: Pick<PreparedOperation, 'planned' | 'introspection'>,
  request: RunRequest,
  context: unknown,
) => Promise<PlannedResult | null>;

/** Resolves to null when nothing is left to ask anybody. */
export function createRun({ planner, execute }: Pick<Supergraph, 'planner' | 'execute'>): Run {
  const introspected = new LRUCache<string, Data | GraphQLError>({ maxSize: KEPT_BYTES });

  async function introspect(document: string, variables: Data, consumer: string): Promise<Data> {
    const key = JSON.stringify([document, variables]);
    const known = introspected.get(key);
    if (known instanceof GraphQLError) throw known;
    if (known) return known;
    try {
      const data = await planner.introspect(document, variables, consumer);
      introspected.set(key, data, { size: key.length + 4 * JSON.stringify(data).length });
      return data;
    } catch (error) {
      // Refused once, it is not worked out again at once only to be refused.
      if (error instanceof GraphQLError && error.extensions['code'] === 'LIMIT_EXCEEDED')
        introspected.set(key, error, { size: key.length + 1_000, ttl: REFUSAL_KEPT_MS });
      throw error;
    }
  }

  return async ({ planned, introspection }, request, context) => {
    const variables = Object.fromEntries(
      Object.entries(request.variables).map(([name, value]) => [variableKeyOf(name), value]),
    );
    const [result, ofSchema] = await Promise.all([
      planned ? execute({ ...planned, variables, context }) : null,
      introspection === null ? null : introspect(introspection, variables, request.consumer),
    ]);
    if (!ofSchema) return result;
    if (!result) return { data: ofSchema };
    return result.data ? { ...result, data: { ...ofSchema, ...result.data } } : result;
  };
}
