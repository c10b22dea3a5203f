/** Runs a prepared operation: departments by its plan, the schema itself by the planning thread. */
import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { toResponseName, variableKeyOf } from '../execution/keys.ts';
import type { Fetch } from '../execution/program/program.ts';
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

export interface Executed {
  /** Under the keys by which it was planned; undefined when nothing was left to ask anybody. */
  readonly data: Data | undefined;
  /** With the paths that clients know. */
  readonly errors: readonly GraphQLError[];
}

export type Run = (
  operation: Pick<PreparedOperation, 'program' | 'introspection' | 'variableKeys'>,
  request: RunRequest,
  by: { readonly fetch: Fetch; readonly deadline: number },
) => Promise<Executed>;

export function createRun({ planner }: Pick<Supergraph, 'planner'>): Run {
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

  return async ({ program, introspection, variableKeys }, request, { fetch, deadline }) => {
    const [result, ofSchema] = await Promise.all([
      program?.run({
        fetch,
        deadline,
        variables: variableKeys ? withKeys(request.variables) : request.variables,
      }),
      introspection === null
        ? null
        : introspect(introspection, withKeys(request.variables), request.consumer),
    ]);
    const data = ofSchema ? { ...ofSchema, ...result?.data } : result?.data;
    return { data, errors: result?.errors.map(withPublicPath) ?? [] };
  };
}

function withKeys(variables: Data): Data {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [variableKeyOf(name), value]));
}

/** A path leads through the keys of the plan; clients know those of their operation. */
function withPublicPath(error: GraphQLError): GraphQLError {
  const path = error.path?.map(toResponseName);
  if (!path || path.every((step, at) => step === error.path?.[at])) return error;
  return new GraphQLError(error.message, { path, extensions: error.extensions });
}
