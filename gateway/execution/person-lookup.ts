/**
 * Root fields by which persons are looked up. That there is no such person, that the name is another's, and that one may not
 * look are the same answer, and the same work:
 *
 * 1. the department is asked for the bare id, and at the same time it is decided with the subject (its consents are read)
 *    whether the person may be looked up: both always, whatever the other says;
 * 2. who was not found and who may not be found is null with one LOOKUP_REFUSED;
 * 3. for those that are left the field is fetched again, with exactly what this principal may see of this person.
 */
import { GraphQLError } from 'graphql';
import { createError } from '../../schema/errors.ts';
import { parseCitizenId } from '../../schema/identifiers/citizen-id.ts';
import type { Allowed, Denied } from '../authorization/decision.ts';
import { toDecisionId } from '../authorization/decision.ts';
import type { GraphFacts } from './fetch-request.ts';
import type { Entry, Group } from './disclosure-groups.ts';
import type { FetchOperation } from './fetch-operation.ts';
import { toResponseName } from './keys.ts';
import type { LookupFetch, LookupField } from './lookup-fetch.ts';
import { readLookups } from './lookup-fetch.ts';
import type { GatewayScope } from './request-scope.ts';
import type { SubgraphAnswer, SubgraphErrorBody } from './transport.ts';
import { SubgraphUnreachableError } from './transport.ts';

type Variables = Readonly<Record<string, unknown>>;
interface Answer {
  readonly data: Record<string, unknown>;
  readonly errors: GraphQLError[];
}

/** What the rest of the data source does for a look-up. */
export interface LookupPorts {
  /** Asks the department; rejects with SubgraphUnreachableError. */
  ask(query: string, items: readonly string[]): Promise<SubgraphAnswer>;
  /** The entries in groups of those that may disclose the same, each with the items that it may not, and why. */
  groupByDenied(operation: FetchOperation, entries: readonly Entry[]): Promise<readonly Group[]>;
  /** Something that these grounds allow will be disclosed. */
  rely(grounds: readonly Allowed[]): void;
  toDenial(decision: Denied, path: readonly (string | number)[]): GraphQLError;
  onUnreachable(error: SubgraphUnreachableError): void;
}

export type PersonLookups = ReturnType<typeof createPersonLookups>;

/** `personOf`: the SubjectId of the person with this number, whether there is one or not. */
export function createPersonLookups({
  facts,
  personOf,
}: {
  facts: Pick<GraphFacts, 'schema' | 'requirements'>;
  personOf: (citizenId: string) => string;
}) {
  const known = new WeakMap<FetchOperation, LookupFetch | null>();

  return {
    /** The look-ups of a fetch of root fields; null when there are none. */
    of(operation: FetchOperation): LookupFetch | null {
      const read = known.get(operation);
      if (read !== undefined) return read;
      const { query } = operation.without(new Set());
      const made = query === null ? null : readLookups(query, facts.schema, facts.requirements);
      known.set(operation, made);
      return made;
    },

    /** Errors have paths from the root. */
    async fetch(
      scope: Pick<GatewayScope, 'trail'>,
      lookups: LookupFetch,
      variables: Variables,
      ports: LookupPorts,
    ): Promise<Answer> {
      try {
        return await fetchPersons(scope, lookups, variables, ports);
      } catch (error) {
        if (!(error instanceof SubgraphUnreachableError)) throw error;
        ports.onUnreachable(error);
        const keys = lookups.fields.map(({ key }) => key);
        return {
          data: Object.fromEntries(keys.map((key) => [key, null])),
          errors: keys.map((key) => createError('DEPARTMENT_UNAVAILABLE', { path: [key] })),
        };
      }
    },
  };

  async function fetchPersons(
    { trail }: Pick<GatewayScope, 'trail'>,
    { fields, whole, probe }: LookupFetch,
    variables: Variables,
    ports: LookupPorts,
  ): Promise<Answer> {
    const persons = fields.map((field) => toPerson(field.numbers(variables)));
    const [denied, found] = await Promise.all([
      decide(whole, persons, ports),
      ports.ask(probe.without(new Set()).query ?? '', probe.items),
    ]);
    const data: Record<string, unknown> = {};
    const errors = found.errors.map(toGraphQLError);
    const failed = new Set(found.errors.map(({ path }) => path?.[0]));
    await Promise.all(fields.map((field, at) => fetchField(field, persons[at] ?? null)));
    return { data, errors };

    async function fetchField(field: LookupField, person: string | null): Promise<void> {
      const { key, items } = field;
      const entity = found.data?.[key];
      // Left out by its condition.
      if (found.data && entity === undefined) return;
      data[key] = null;
      // Could not be found out, which is no answer about anybody.
      if (failed.has(key) || !found.data) return;
      const own = person === null ? undefined : denied.get(person);
      const isDenied = own === undefined || items.some((item) => own.denied.has(item));
      if (isDenied || entity === null) return void errors.push(refuse(field));
      if (!isObject(entity) || entity['id'] !== person)
        return void errors.push(createError('DEPARTMENT_UNAVAILABLE', { path: [key] }));
      ports.rely(own.grounds);
      const { query, cut } = field.operation.without(new Set(own.denied.keys()));
      for (const { item, path } of cut) {
        const decision = own.denied.get(item);
        if (decision) errors.push(ports.toDenial(decision, path));
      }
      if (query === null) return void (data[key] = entity);
      const granted = field.operation.items.filter((item) => !own.denied.has(item));
      const answer = await ports.ask(query, granted);
      errors.push(...answer.errors.map(toGraphQLError));
      data[key] = answer.data?.[key] ?? null;
      // Gone between the two questions.
      if (answer.data?.[key] === null && answer.errors.length === 0) errors.push(refuse(field));
    }

    /** One text and one reason, in the record as well: which of them it was is nobody's to know. */
    function refuse({ key, items }: LookupField): GraphQLError {
      const path = String(toResponseName(key));
      // Nobody's decision: the same whether there is no such person or one may not look.
      const decision = toDecisionId(['LOOKUP_REFUSED', ...items]);
      for (const item of items) trail.denials.push({ item, reason: 'LOOKUP_REFUSED', path, decision });
      return createError('LOOKUP_REFUSED', { path: [key], extensions: { decision } });
    }
  }

  /** Of each person the items of the fetch that may not be disclosed here; decided whether there is such a person or not. */
  async function decide(whole: FetchOperation, persons: readonly (string | null)[], ports: LookupPorts) {
    const subjects = [...new Set(persons.filter((person) => person !== null))];
    const groups = await ports.groupByDenied(
      whole,
      subjects.map((id, at) => ({ representation: { id }, text: '', at })),
    );
    return new Map(
      groups.flatMap(({ denied, entries }) =>
        entries.map(({ representation, grounds }) => [representation['id'], { denied, grounds }] as const),
      ),
    );
  }

  /** A look-up is of one person; what is asked with none or several finds nobody. */
  function toPerson(numbers: readonly string[]): string | null {
    const parsed = numbers.length === 1 ? parseCitizenId(numbers[0] ?? '') : null;
    return parsed?.ok ? personOf(parsed.value) : null;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

function toGraphQLError({ message, path, extensions }: SubgraphErrorBody): GraphQLError {
  return new GraphQLError(message, {
    ...(path && path.length > 0 ? { path } : {}),
    ...(extensions ? { extensions } : {}),
  });
}
