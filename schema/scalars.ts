/** The scalars of the graph: how each is read from outside, and what is wrong with what is refused. */
import type { GraphQLScalarType, GraphQLSchema, ValueNode } from 'graphql';
import { isScalarType, Kind, valueFromASTUntyped } from 'graphql';
import { createError } from './errors.ts';
import { parseCitizenId } from './identifiers/citizen-id.ts';
import { parseCreditCode } from './identifiers/unified-social-credit-code.ts';

const parsers: Readonly<Record<string, (value: unknown) => unknown>> = {
  CreditCode(value) {
    if (typeof value !== 'string')
      throw createError('INVALID_CREDIT_CODE', { extensions: { check: 'TYPE' } });
    const parsed = parseCreditCode(value);
    if (parsed.ok) return parsed.value;
    // The code is public, but what was typed instead may be an ID number: it is never repeated.
    throw createError('INVALID_CREDIT_CODE', {
      detail: `${parsed.message} ${parsed.messageZh}`,
      extensions: { check: parsed.code, ...(parsed.hint === undefined ? {} : { hint: parsed.hint }) },
    });
  },
  SubjectId: (value) => matching(value, /^(O-[0-9A-Z]{18}|[A-Z]\d*-[\w-]{1,256})$/, 'SubjectId'),
  CitizenId(value) {
    const parsed = parseCitizenId(typeof value === 'string' ? value : '');
    if (parsed.ok) return parsed.value;
    // One text for whatever is wrong: a number that is nearly right is somebody's.
    throw createError('INVALID_INPUT', { detail: 'A CitizenId is expected.' });
  },
  Date: (value) => matching(value, /^\d{4}-\d{2}-\d{2}$/, 'Date (YYYY-MM-DD)'),
  DateTime: (value) =>
    matching(
      value,
      /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/,
      'DateTime (ISO 8601)',
    ),
};

/**
 * Scalars that a document must not hold: a document is kept, planned once for all consumers and may be logged by whoever
 * stands in between, while an ID number is nobody's business, and a person's SubjectId is one consumer's only.
 */
const literals: Readonly<Record<string, (value: unknown) => unknown>> = {
  CitizenId() {
    throw createError('INVALID_INPUT', {
      detail: 'A CitizenId is given by a variable, never in the document.',
    });
  },
  SubjectId(value) {
    if (typeof value === 'string' && value.startsWith('O-')) return parsers['SubjectId']?.(value);
    throw createError('INVALID_INPUT', {
      detail: 'The SubjectId of a person is given by a variable, never in the document.',
    });
  },
};

function matching(value: unknown, pattern: RegExp, name: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw createError('INVALID_INPUT', { detail: `A ${name} is expected.` });
}

/** Gives the scalars of a schema that bear our names our parsers; returns the same schema. */
export function withScalars(schema: GraphQLSchema): GraphQLSchema {
  for (const [name, parse] of Object.entries(parsers)) {
    const scalar = schema.getType(name);
    if (!isScalarType(scalar)) continue;
    (scalar as GraphQLScalarType).parseValue = parse;
    const parseLiteral = literals[name] ?? parse;
    (scalar as GraphQLScalarType).parseLiteral = (node: ValueNode) =>
      parseLiteral(node.kind === Kind.STRING ? node.value : valueFromASTUntyped(node));
  }
  return schema;
}
