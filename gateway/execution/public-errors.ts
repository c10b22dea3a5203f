/** What clients are told of errors: what stands in the closed table, where they asked, and always in the same order. */
import type { GraphQLFormattedError } from 'graphql';
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import type { ErrorCode } from '../../schema/errors.ts';
import { createError, ERROR_FACTS, ERRORS, isErrorCode } from '../../schema/errors.ts';
import type { GatewayAnswer } from '../http/graphql-over-http.ts';

/**
 * The errors of an answer. `isPlain`: a graph without policies, whose subgraphs' errors are its own; else what is not of the
 * table is INTERNAL, without its message, which a department may have written about somebody.
 */
export function toPublicErrors(
  data: unknown,
  errors: readonly GraphQLError[],
  { isPlain, log }: { readonly isPlain: boolean; readonly log: Logger },
): readonly GraphQLFormattedError[] {
  return errors
    .flatMap((error) => atAskedPath(error, data) ?? [])
    .map((error) => toPublicError(error, isPlain, log))
    .sort(byPlace);
}

/** Nothing of a refused request was executed: there is no `data`. */
export function refuse(errors: readonly GraphQLError[]): GatewayAnswer {
  return {
    errors: errors.map((error) => ({
      message: error.message,
      ...(error.locations ? { locations: error.locations } : {}),
      ...(error.path ? { path: error.path } : {}),
      extensions: { code: 'INVALID_OPERATION', ...publicExtensions(error) },
    })),
  };
}

/**
 * Fetches end in the order of their speed, and what the cache holds is fast: in that order the errors would tell whether
 * somebody has asked before.
 */
function byPlace(one: GraphQLFormattedError, other: GraphQLFormattedError): number {
  const [first, second] = [one.path ?? [], other.path ?? []];
  for (let at = 0; at < Math.min(first.length, second.length); at++) {
    const order = compare(first[at] ?? '', second[at] ?? '');
    if (order !== 0) return order;
  }
  return (
    first.length - second.length ||
    compare(JSON.stringify(one.extensions ?? null), JSON.stringify(other.extensions ?? null)) ||
    compare(one.message, other.message)
  );
}

function compare(one: string | number, other: string | number): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  const [first, second] = [String(one), String(other)];
  return first < second ? -1 : first > second ? 1 : 0;
}

/**
 * An error of a field that was fetched for another's sake (@requires) and not asked for: it is told at the deepest place that
 * was. A denial there is not told: the field that needed it has its own, and the inner name is nobody's business.
 */
function atAskedPath(error: GraphQLError, data: unknown): GraphQLError | null {
  const path = error.path ?? [];
  let value = data;
  let asked = 0;
  for (; asked < path.length; asked++) {
    if (typeof value !== 'object' || value === null) return error;
    if (!Object.hasOwn(value, path[asked] as PropertyKey)) break;
    value = (value as Record<PropertyKey, unknown>)[path[asked] as PropertyKey];
  }
  if (asked === path.length) return error;
  const { code } = error.extensions;
  if (code === 'FORBIDDEN' || code === 'CONSENT_REQUIRED') return null;
  return new GraphQLError(error.message, { path: path.slice(0, asked), extensions: error.extensions });
}

function toPublicError(error: GraphQLError, isPlain: boolean, log: Logger): GraphQLFormattedError {
  const { code } = error.extensions;
  const path = error.path ? { path: error.path } : {};
  if (isPlain) return { message: error.message, ...path, extensions: { ...error.extensions } };
  if (isErrorCode(code)) {
    const told = toDepartmentCode(code);
    const isOfTable = told === code && error.message.startsWith(ERRORS[code].en);
    return {
      message: isOfTable ? error.message : createError(told).message,
      ...path,
      extensions: { ...publicExtensions(error), code: told },
    };
  }
  log.warn({ path: error.path ?? null }, 'an error outside the closed table was masked');
  const { message, extensions } = createError('INTERNAL');
  return { message, ...path, extensions };
}

/** A code with a status of its own speaks of a whole request: that between gateway and department, not the client's. */
function toDepartmentCode(code: ErrorCode): ErrorCode {
  return ERRORS[code].status === null || code === 'INTERNAL' ? code : 'DEPARTMENT_UNAVAILABLE';
}

function publicExtensions({ extensions }: GraphQLError): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(extensions).filter(([name]) => name === 'code' || ERROR_FACTS.includes(name)),
  );
}
