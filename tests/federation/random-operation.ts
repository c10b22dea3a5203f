/** Any operation over a schema: aliases that change places with fields, fragments, arguments, variables, conditions. */
import fc from 'fast-check';
import type { GraphQLArgument, GraphQLCompositeType, GraphQLInputType, GraphQLSchema } from 'graphql';
import {
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';

interface Value {
  readonly literal: string;
  /** Where it is given by a variable: under this type, with this value; undefined: absent. */
  readonly variable: { readonly type: string; readonly value: unknown } | null;
}
export interface Condition {
  readonly directive: 'skip' | 'include';
  readonly value: Value;
}
export interface RandomField {
  readonly kind: 'field';
  readonly name: string;
  readonly type: string;
  readonly alias: string | null;
  readonly args: readonly { readonly name: string; readonly value: Value }[];
  readonly conditions: readonly Condition[];
  readonly selections: readonly RandomSelection[];
}
export interface RandomFragment {
  readonly kind: 'fragment';
  readonly on: string;
  readonly isNamed: boolean;
  /** A named fragment may be spread twice at one place. */
  readonly isTwice: boolean;
  readonly conditions: readonly Condition[];
  readonly selections: readonly RandomSelection[];
}
export type RandomSelection = RandomField | RandomFragment;

const DEEPEST = 5;

/** `ids`: values of ID arguments. */
export function anyOperation(
  schema: GraphQLSchema,
  ids: readonly string[],
): fc.Arbitrary<readonly RandomSelection[]> {
  const query = schema.getQueryType();
  if (!query) throw new Error('a schema has a query type');
  return anySelections(query, 0);

  function anySelections(
    type: GraphQLCompositeType,
    depth: number,
  ): fc.Arbitrary<readonly RandomSelection[]> {
    const isWide = depth < 2;
    return fc.array(anySelection(type, depth), { minLength: 1, maxLength: isWide ? 4 : 3 });
  }

  function anySelection(type: GraphQLCompositeType, depth: number): fc.Arbitrary<RandomSelection> {
    const field = anyField(type, depth);
    if (depth >= DEEPEST) return field;
    return fc.oneof({ weight: 5, arbitrary: field }, { weight: 2, arbitrary: anyFragment(type, depth) });
  }

  function anyFragment(type: GraphQLCompositeType, depth: number): fc.Arbitrary<RandomFragment> {
    return fc.constantFrom(...conditionsOn(schema, type)).chain((on) =>
      fc.record({
        kind: fc.constant('fragment' as const),
        on: fc.constant(on.name),
        isNamed: fc.boolean(),
        isTwice: fc.boolean(),
        conditions: anyConditions,
        selections: anySelections(on, depth + 1),
      }),
    );
  }

  function anyField(type: GraphQLCompositeType, depth: number): fc.Arbitrary<RandomField> {
    const all = 'getFields' in type ? Object.values(type.getFields()) : [];
    const fields = all.filter((field) => depth < DEEPEST || !isCompositeType(getNamedType(field.type)));
    const aliases = fc.option(
      fc.constantFrom(...all.map(({ name }) => name), 'id', '__proto__', 'a', 'jx__a'),
      { freq: 2 },
    );
    const typename: fc.Arbitrary<RandomField> = fc.record({
      kind: fc.constant('field' as const),
      name: fc.constant('__typename'),
      type: fc.constant('String!'),
      alias: aliases,
      args: fc.constant([]),
      conditions: anyConditions,
      selections: fc.constant([]),
    });
    if (fields.length === 0) return typename;
    const other = fc.constantFrom(...fields).chain((field) => {
      const named = getNamedType(field.type);
      return fc.record({
        kind: fc.constant('field' as const),
        name: fc.constant(field.name),
        type: fc.constant(String(field.type)),
        alias: aliases,
        args: fc.tuple(...field.args.map(anyArgument)).map((args) => args.filter((one) => one !== null)),
        conditions: anyConditions,
        selections: isCompositeType(named) ? anySelections(named, depth + 1) : fc.constant([]),
      });
    });
    return fc.oneof({ weight: 9, arbitrary: other }, { weight: 1, arbitrary: typename });
  }

  function anyArgument(argument: GraphQLArgument): fc.Arbitrary<{ name: string; value: Value } | null> {
    const value = anyValue(argument.type).map((one) => ({ name: argument.name, value: one }));
    return isRequiredArgument(argument) ? value : fc.option(value);
  }

  function anyValue(type: GraphQLInputType): fc.Arbitrary<Value> {
    const known = anyKnown(type);
    const given = known.map(([literal]): Value => ({ literal, variable: null }));
    const byVariable = known.map(([literal, value]): Value => ({
      literal,
      variable: { type: String(type), value },
    }));
    if (isNonNullType(type)) return fc.oneof(given, byVariable);
    const nothing = fc.constantFrom<Value>(
      { literal: 'null', variable: null },
      { literal: 'null', variable: { type: String(type), value: null } },
      { literal: 'null', variable: { type: String(type), value: undefined } },
    );
    return fc.oneof(
      { weight: 2, arbitrary: given },
      { weight: 2, arbitrary: byVariable },
      { weight: 1, arbitrary: nothing },
    );
  }

  /** Literal and JSON of one value. */
  function anyKnown(type: GraphQLInputType): fc.Arbitrary<readonly [string, unknown]> {
    if (isNonNullType(type)) return anyKnown(type.ofType);
    if (isListType(type)) return anyKnown(type.ofType).map(([literal, value]) => [`[${literal}]`, [value]]);
    if (isEnumType(type))
      return fc.constantFrom(...type.getValues().map(({ name }) => [name, name] as const));
    if (isInputObjectType(type))
      return fc
        .tuple(
          ...Object.values(type.getFields()).map((field) =>
            anyKnown(field.type).map((known) => [field.name, known] as const),
          ),
        )
        .map((fields) => [
          `{ ${fields.map(([name, [literal]]) => `${name}: ${literal}`).join(', ')} }`,
          Object.fromEntries(fields.map(([name, [, value]]) => [name, value])),
        ]);
    const value =
      type.name === 'ID'
        ? fc.constantFrom(...ids)
        : type.name === 'Int'
          ? fc.nat(2)
          : type.name === 'Boolean'
            ? fc.boolean()
            : fc.constantFrom('cm', 'm');
    return value.map((one) => [JSON.stringify(one), one] as const);
  }
}

/** Whether constants or variables decide, and whether the variable is given. */
const anyCondition: fc.Arbitrary<Condition> = fc.record({
  directive: fc.constantFrom('skip', 'include'),
  value: fc.tuple(fc.boolean(), fc.constantFrom(null, 'Boolean!', 'default')).map(([value, type]): Value => ({
    literal: String(value),
    variable:
      type === null
        ? null
        : type === 'default'
          ? { type: `Boolean = ${value}`, value: undefined }
          : { type, value },
  })),
});
const anyConditions = fc
  .oneof(
    { weight: 6, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.tuple(anyCondition) },
    { weight: 1, arbitrary: fc.tuple(anyCondition, anyCondition) },
  )
  .map((conditions: readonly Condition[]) =>
    conditions.filter(
      ({ directive }, at) => conditions.findIndex((one) => one.directive === directive) === at,
    ),
  );

/** Types of which an object of this type may be. */
function conditionsOn(schema: GraphQLSchema, type: GraphQLCompositeType): readonly GraphQLCompositeType[] {
  const possible = isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
  return Object.values(schema.getTypeMap()).filter(
    (other): other is GraphQLCompositeType =>
      isCompositeType(other) &&
      !other.name.startsWith('__') &&
      (isObjectType(other)
        ? possible.includes(other)
        : schema.getPossibleTypes(other).some((one) => possible.includes(one))),
  );
}
