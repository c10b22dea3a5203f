/** A denial as the client is told of it: one error at its path, with the decision by which a lawyer can find it. */
import type { GraphQLError } from 'graphql';
import { createError } from '../../schema/errors.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import type { Denied } from './decision.ts';
import { isForConsent } from './decision.ts';

/** FORBIDDEN, CONSENT_REQUIRED where a consent could lift it, DEPARTMENT_UNAVAILABLE where it could not be decided. */
export function toDenialError({ told, item, id }: Denied, path: readonly (string | number)[]): GraphQLError {
  return createError(codeOf(told), { path, extensions: { item, reason: told, decision: id } });
}

function codeOf(told: Denied['told']): ErrorCode {
  if (isForConsent(told)) return 'CONSENT_REQUIRED';
  return told === 'NOT_KNOWN' ? 'DEPARTMENT_UNAVAILABLE' : 'FORBIDDEN';
}
