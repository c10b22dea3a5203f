/**
 * SubjectIds at the edge: what a consumer sends is opened for this consumer alone, what it is shown is sealed for it again.
 * Inside, from the plan to the audit log, there are only the platform's ids.
 *
 * In the text of an operation no person's id can stand (schema/scalars.ts): the text is planned once for all consumers.
 */
import type { GraphQLInputType, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { isInputObjectType, isListType, isNonNullType, typeFromAST } from 'graphql';
import { createError } from '../../schema/errors.ts';
import type { Principal } from '../../schema/principal.ts';
import type { PairwiseIds, SubjectIds } from '../../schema/subject-id.ts';

/** The scalar of the ids that are translated. */
export const SUBJECT_ID = 'SubjectId';

type Variables = Readonly<Record<string, unknown>>;

/** Who shares ids with whom: nobody; a bank and a partner of one name are two, and the public is one. */
export function consumerOf({ kind, id }: Principal): string {
  return `${kind} ${id}`;
}

/** The ids of one request's consumer. Each is sealed once, however often it stands in the answer. */
export function createPseudonyms(subjectIds: SubjectIds, principal: Principal): PairwiseIds {
  const pairwise = subjectIds.forConsumer(consumerOf(principal));
  const sealed = new Map<string, string | null>();
  return {
    toPlatform: pairwise.toPlatform,
    toEdge(id) {
      const known = sealed.get(id);
      if (known !== undefined) return known;
      const made = pairwise.toEdge(id);
      sealed.set(id, made);
      return made;
    },
  };
}

/**
 * The client's variables with the platform's SubjectIds. Throws SUBJECT_NOT_FOUND, always the same, for an id that this
 * consumer was not given: changed, another consumer's, or the platform's own.
 */
export function openVariables(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Variables,
  ids: PairwiseIds,
): Variables {
  const opened: Record<string, unknown> = { ...variables };
  for (const { variable, type: node } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    const type = typeFromAST(schema, node as never) as GraphQLInputType | undefined;
    if (type && Object.hasOwn(variables, name)) define(opened, name, openValue(type, variables[name], ids));
  }
  return opened;
}

function openValue(type: GraphQLInputType, value: unknown, ids: PairwiseIds): unknown {
  if (isNonNullType(type)) return openValue(type.ofType, value, ids);
  if (value === null || value === undefined) return value;
  if (isListType(type)) {
    // A single value stands for a list of one.
    if (!Array.isArray(value)) return openValue(type.ofType, value, ids);
    return value.map((entry) => openValue(type.ofType, entry, ids));
  }
  if (isInputObjectType(type)) {
    const opened: Record<string, unknown> = { ...(value as Variables) };
    for (const field of Object.values(type.getFields()))
      if (Object.hasOwn(opened, field.name))
        define(opened, field.name, openValue(field.type, opened[field.name], ids));
    return opened;
  }
  if (type.name !== SUBJECT_ID || typeof value !== 'string') return value;
  const id = ids.toPlatform(value);
  if (id === null) throw createError('SUBJECT_NOT_FOUND');
  return id;
}

/** A variable may be called `__proto__`, which an assignment would not keep. */
function define(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}
