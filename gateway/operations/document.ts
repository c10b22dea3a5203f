/** The text of an operation → its syntax tree, and how much memory that takes. */
import type { DocumentNode } from 'graphql';
import { GraphQLError, parse } from 'graphql';
import { createError } from '../../schema/errors.ts';

/** Returns the error for which the text is refused, so that it can be kept like a document. */
export function readDocument(query: string, maxTokens: number): DocumentNode | GraphQLError {
  try {
    return parse(query, { maxTokens });
  } catch (error) {
    const isTokenLimit = error instanceof GraphQLError && error.message.includes('token');
    if (isTokenLimit && error.message.includes('limit'))
      return createError('LIMIT_EXCEEDED', {
        detail: `tokens: at most ${maxTokens}.`,
        extensions: { limit: 'tokens', most: maxTokens },
      });
    if (error instanceof GraphQLError) return createError('INVALID_OPERATION', { detail: error.message });
    // A document so deep that the recursive parser runs out of stack is too large by any measure.
    if (error instanceof RangeError) return createError('LIMIT_EXCEEDED', { extensions: { limit: 'depth' } });
    throw error;
  }
}

/** About how many bytes a document takes with its text: what a client can make large is tokens and characters. */
export function weigh(query: string, document: DocumentNode | null): number {
  let tokens = 0;
  for (let token = document?.loc?.startToken; token; token = token.next ?? undefined) tokens += 1;
  return 1_000 + 2 * query.length + 500 * tokens;
}
