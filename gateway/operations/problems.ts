/** What is wrong with an operation, as far as its sender may know it. */
import { GraphQLError, Source } from 'graphql';
import { createError } from '../../schema/errors.ts';
import type { Problem } from '../planning/jobs.ts';

/**
 * Errors of our own table (a malformed credit code) are about the caller's input and are shown, to whoever may not introspect
 * only when nothing else is wrong: that a code was looked at tells that its field exists. All others speak of the schema:
 * whoever may not introspect gets one constant text without places, or a word list could rebuild the schema from the messages.
 */
export function toOperationErrors(
  problems: readonly Problem[],
  query: string,
  mayIntrospect: boolean,
): readonly GraphQLError[] {
  const own = problems.filter(({ extensions }) => extensions !== null);
  const isShown = own.length > 0 && (mayIntrospect || own.length === problems.length);
  if (isShown) return own.map(({ message, extensions }) => new GraphQLError(message, { extensions }));
  if (!mayIntrospect) return [createError('INVALID_OPERATION')];
  const source = new Source(query);
  return problems.map(
    ({ message, positions }) =>
      new GraphQLError(message, { source, positions, extensions: { code: 'INVALID_OPERATION' } }),
  );
}

/** The error that a scalar's parser threw, whether graphql-js passed it on or wrapped it. */
export function ownError(problem: GraphQLError): GraphQLError | null {
  const original = problem.originalError;
  const error = original instanceof GraphQLError ? original : problem;
  return typeof error.extensions['code'] === 'string'
    ? new GraphQLError(error.message, { extensions: error.extensions })
    : null;
}
