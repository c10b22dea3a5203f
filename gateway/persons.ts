/**
 * What a request has to do with persons before anything is asked: its SubjectIds are opened for this consumer alone, whom it
 * looks up is counted, and from then on the time of its answer tells nothing.
 */
import type { GraphQLSchema } from 'graphql';
import type { SubjectIds } from '../schema/subject-id.ts';
import type { GatewayRequest } from './http/graphql-over-http.ts';
import { consumerOf, createPseudonyms, openVariables } from './execution/pseudonyms.ts';
import type { TakeLookups } from './limits/lookups.ts';
import { findLookups } from './limits/lookups.ts';
import type { Pace } from './limits/quanta.ts';
import { createPace } from './limits/quanta.ts';
import type { PreparedOperation } from './operations/prepare.ts';

export interface ReceivedIds {
  /** The client's variables with the platform's ids. */
  readonly variables: GatewayRequest['variables'];
  /** A platform's id as this consumer knows it; null for what is none. */
  readonly toEdgeId: (id: string) => string | null;
}

export interface Persons {
  /** To be called when a request arrives; its answer waits for the end of the pace. */
  arrive(): Pace;
  /**
   * `coerced`: the variables as their types read them. Rejects with SUBJECT_NOT_FOUND for an id that this consumer was not
   * given, and with RATE_LIMITED.
   */
  receive(
    operation: PreparedOperation,
    request: GatewayRequest,
    coerced: Readonly<Record<string, unknown>>,
    pace: Pace,
  ): Promise<ReceivedIds>;
}

/**
 * `subjectIds` null: ids pass as they are, and nobody is looked up. Answers to operations that look persons up leave at
 * multiples of `quantumMs` after they arrived.
 */
export function createPersons(options: {
  readonly schema: GraphQLSchema;
  readonly subjectIds: SubjectIds | null;
  readonly takeLookups: TakeLookups;
  readonly quantumMs: number;
}): Persons {
  const { schema, subjectIds, takeLookups, quantumMs } = options;
  return {
    arrive: () => createPace(quantumMs),
    async receive({ operation, fragments, cut }, { principal, variables }, coerced, pace) {
      if (!subjectIds) return { variables, toEdgeId: (id) => id };
      const ids = createPseudonyms(subjectIds, principal);
      const opened = openVariables(schema, operation, variables, ids);
      const looked = findLookups(schema, { operation, fragments, isCut: (field) => cut.has(field) }, coerced);
      if (looked.fields > 0) {
        pace.hold();
        const persons = looked.numbers.map((number) => subjectIds.ofPerson(number));
        await takeLookups(consumerOf(principal), persons);
      }
      return { variables: opened, toEdgeId: (id) => ids.toEdge(id) };
    },
  };
}
