/**
 * What was fetched → what the client asked for: private keys become response names again, values are masked, and fields
 * that were cut appear as null with an error each. Runs after the cache, so that a cache never holds a principal's view.
 */
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLError,
  GraphQLNamedType,
  GraphQLObjectType,
  GraphQLOutputType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import {
  getDirectiveValues,
  getNamedType,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
} from 'graphql';
import { createError } from '../../schema/errors.ts';
import type { MaskKind } from '../../schema/identifiers/mask.ts';
import { maskValue } from '../../schema/identifiers/mask.ts';
import { isDisputed } from './adverse-records.ts';
import { fieldType, keyOf } from './keys.ts';
import { SUBJECT_ID } from './pseudonyms.ts';

type Path = readonly (string | number)[];
type Data = Readonly<Record<string, unknown>>;

export interface ShapeRules {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly isCut: (field: FieldNode) => boolean;
  /** The error of a field at its path in the answer; null when it was not denied itself, but emptied by denials below. */
  readonly denied: (field: FieldNode, path: Path) => GraphQLError | null;
  readonly maskOf: (parent: string, field: string) => MaskKind | undefined;
  /** Every record under objection that is answered: its mark travels with it, asked for or not. */
  readonly onDisputed: (path: Path) => void;
  /** The error of a value that is to be masked and whose type has no masked form. */
  readonly unmaskable: (parent: string, field: string, path: Path) => GraphQLError;
  /** A SubjectId as this consumer knows it; null when it is none, which is shown to nobody. */
  readonly toEdgeId: (id: string) => string | null;
  /** Every field that is answered, null included: what the audit record lists. */
  readonly onAnswered: (parent: string, field: string, path: Path, isNull: boolean) => void;
}

/** A null that a non-null type does not allow: it moves up to the next nullable field. */
const BUBBLE = Symbol('bubbling null');

export function shapeAnswer(
  rules: ShapeRules,
  operation: OperationDefinitionNode,
  data: Data | null | undefined,
): { data: Data | null; errors: readonly GraphQLError[] } {
  const errors: GraphQLError[] = [];
  const root = rules.schema.getRootType(operation.operation);
  // Nothing fetched at all, because everything was cut: the cut fields are still answered, one by one.
  const source = data === undefined ? {} : data;
  if (!root || source === null) return { data: null, errors };
  const shaped = shapeObject(source, [operation.selectionSet], root, []);
  return { data: shaped === BUBBLE ? null : (shaped as Data), errors };

  function shapeObject(
    source: Data,
    sets: readonly SelectionSetNode[],
    type: GraphQLObjectType,
    path: Path,
  ): unknown {
    // No prototype: a response name may be `__proto__` or `constructor`.
    const shaped = Object.create(null) as Record<string, unknown>;
    for (const [name, fields] of collectFields(rules, sets, type)) {
      const value = shapeField(source, fields, type, [...path, name]);
      if (value === BUBBLE) return BUBBLE;
      shaped[name] = value;
    }
    return shaped;
  }

  function shapeField(
    source: Data,
    fields: readonly FieldNode[],
    parent: GraphQLObjectType,
    path: Path,
  ): unknown {
    const [first] = fields as readonly [FieldNode, ...FieldNode[]];
    const name = first.name.value;
    if (name === '__typename') return parent.name;
    const type = fieldType(rules.schema, parent, name);
    if (!type) return null;
    if (fields.every(rules.isCut)) {
      reportCut(fields, parent, path);
      return isNonNullType(type) ? BUBBLE : null;
    }
    const mask = rules.maskOf(parent.name, name);
    if (mask !== undefined && !isMaskable(type)) {
      // Whatever the value is, also when there is none: the band of a figure has no place in an Int, and the figure none here.
      errors.push(rules.unmaskable(parent.name, name, path));
      return isNonNullType(type) ? BUBBLE : null;
    }
    const key = keyOf(first);
    const value = shapeValue(Object.hasOwn(source, key) ? source[key] : null, fields, type, path, mask);
    if (value !== BUBBLE) rules.onAnswered(parent.name, name, path, value === null);
    return value;
  }

  function shapeValue(
    value: unknown,
    fields: readonly FieldNode[],
    type: GraphQLOutputType,
    path: Path,
    mask: MaskKind | undefined,
  ): unknown {
    if (isNonNullType(type)) {
      const inner = shapeValue(value, fields, type.ofType, path, mask);
      return inner === null ? BUBBLE : inner;
    }
    if (value === null || value === undefined) return null;
    if (isListType(type)) {
      if (!Array.isArray(value)) return null;
      const list = value.map((entry, at) => shapeValue(entry, fields, type.ofType, [...path, at], mask));
      return list.includes(BUBBLE) ? null : list;
    }
    if (isLeafType(type)) {
      if (type.name === SUBJECT_ID) return shapeId(value, path);
      return mask === undefined ? value : maskValue(mask, value);
    }
    const source = value as Data;
    const runtime = isAbstractType(type) ? rules.schema.getType(String(source['__typename'])) : type;
    if (!isObjectType(runtime)) return null;
    const sets = fields
      .filter((field) => !rules.isCut(field))
      .flatMap(({ selectionSet }) => selectionSet ?? []);
    const cutSets = fields.filter(rules.isCut).flatMap(({ selectionSet }) => selectionSet ?? []);
    const shaped = shapeObject(source, [...sets, ...cutSets], runtime, path);
    if (shaped === BUBBLE) return null;
    if (isDisputed(rules.schema, runtime.name, source)) rules.onDisputed(path);
    return shaped;
  }

  function shapeId(value: unknown, path: Path): string | null {
    const id = typeof value === 'string' ? rules.toEdgeId(value) : null;
    if (id === null) errors.push(createError('INTERNAL', { path }));
    return id;
  }

  /** One error per denied leaf below a cut field; list positions below it are not known and left out. */
  function reportCut(fields: readonly FieldNode[], parent: GraphQLNamedType, path: Path): void {
    for (const field of fields) {
      const own = rules.denied(field, path);
      if (!own) continue;
      errors.push(own);
      return;
    }
    const type = fieldType(rules.schema, parent, fields[0]?.name.value ?? '');
    const named = type && getNamedType(type);
    const sets = fields.flatMap(({ selectionSet }) => selectionSet ?? []);
    if (!named) return;
    const types = isAbstractType(named)
      ? rules.schema.getPossibleTypes(named)
      : isObjectType(named)
        ? [named]
        : [];
    const seen = new Set<string>();
    for (const possible of types)
      for (const [name, inner] of collectFields(rules, sets, possible)) {
        if (seen.has(name)) continue;
        seen.add(name);
        reportCut(inner, possible, [...path, name]);
      }
  }
}

/** A mask is a text: of a number, a date or a value of an enum there is no masked form that its type would allow. */
function isMaskable(type: GraphQLOutputType): boolean {
  const named = getNamedType(type);
  return !isLeafType(named) || named.name === 'String' || named.name === 'ID';
}

/** CollectFields of the GraphQL specification (6.3.2) for one concrete type. */
function collectFields(
  { schema, fragments, variables }: ShapeRules,
  sets: readonly SelectionSetNode[],
  type: GraphQLObjectType,
): ReadonlyMap<string, readonly FieldNode[]> {
  const collected = new Map<string, FieldNode[]>();
  const visited = new Set<string>();
  for (const set of sets) collect(set);
  return collected;

  function collect(set: SelectionSetNode): void {
    for (const selection of set.selections) {
      const skip = getDirectiveValues(GraphQLSkipDirective, selection, variables);
      const include = getDirectiveValues(GraphQLIncludeDirective, selection, variables);
      if (skip?.['if'] === true || include?.['if'] === false) continue;
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        const fields = collected.get(name);
        if (fields) fields.push(selection);
        else collected.set(name, [selection]);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        if (applies(selection.typeCondition?.name.value)) collect(selection.selectionSet);
      } else if (!visited.has(selection.name.value)) {
        visited.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment && applies(fragment.typeCondition.name.value)) collect(fragment.selectionSet);
      }
    }
  }

  function applies(condition: string | undefined): boolean {
    if (condition === undefined || condition === type.name) return true;
    const conditioned = schema.getType(condition);
    return isAbstractType(conditioned) && schema.isSubType(conditioned, type);
  }
}
