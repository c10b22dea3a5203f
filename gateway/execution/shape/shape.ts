/**
 * What was fetched → what the client asked for: private keys become response names again, values are checked against their
 * types and masked, and fields that were cut appear as null with an error each. Runs after the cache, so that a cache never
 * holds a principal's view.
 *
 * Compiled once per operation, rights and values of the variables of @skip and @include; types of objects when they are
 * first met. The compiled form is closures over plain data: no code is made from text.
 */
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLAbstractType,
  GraphQLObjectType,
  GraphQLOutputType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import {
  getNamedType,
  GraphQLError,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { createError } from '../../../schema/errors.ts';
import type { MaskKind } from '../../../schema/identifiers/mask.ts';
import { maskValue } from '../../../schema/identifiers/mask.ts';
import { disputeOf } from '../adverse-records.ts';
import { fieldType, keyOf } from '../keys.ts';
import type { Data } from '../program/own.ts';
import { isData, reader } from '../program/own.ts';
import { SUBJECT_ID } from '../pseudonyms.ts';
import { collectFields } from './collect-fields.ts';
import { createLeaf } from './leaf.ts';

type Path = readonly (string | number)[];

/** What is known of an operation for all principals with the same rights. */
export interface ShapeRules {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Values of the variables of `@skip` and `@include`. */
  readonly conditions: Readonly<Record<string, boolean>>;
  /** Fields that were cut, each with the item that denies it, or null when denials below had emptied it. */
  readonly cut: ReadonlyMap<FieldNode, string | null>;
  readonly maskOf: (parent: string, field: string) => MaskKind | undefined;
  readonly itemsOf: (parent: string, field: string) => readonly string[];
}

/** What one request brings. Every path is that of the answer. */
export interface ShapeRun {
  /** A SubjectId as this consumer knows it; null when it is none, which is shown to nobody. */
  readonly toEdgeId: (id: unknown) => unknown;
  /** The error of a field that was cut for want of `item`. */
  readonly denied: (item: string, path: Path) => GraphQLError;
  /** The error of a value that is to be masked and whose type has no masked form. */
  readonly unmaskable: (item: string, path: Path) => GraphQLError;
  /** Every record under objection that is answered: its mark travels with it, asked for or not. */
  readonly onDisputed: (path: Path) => void;
  /** Whether an error of the execution stands at, below or above the path: then a null there is unknown. */
  readonly hasFailed: (path: Path) => boolean;
}

export interface ShapedAnswer {
  readonly data: Data | null;
  readonly errors: readonly GraphQLError[];
  /** Items of which something was answered, a null that nobody explains included. */
  readonly items: ReadonlySet<string>;
}

/** `data` undefined: nothing was fetched, because everything was cut; what was cut is answered all the same. */
export type Shape = (data: Data | null | undefined, run: ShapeRun) => ShapedAnswer;

/** A null that its type does not allow: it moves up to the next nullable field. Its error is told. */
const BUBBLE = Symbol('bubbling null');
/** A null whose error is told. */
const NULLED = Symbol('null with an error');

interface State {
  readonly run: ShapeRun;
  readonly errors: GraphQLError[];
  /** Where the shaper stands: as many entries as its depth. */
  readonly path: (string | number)[];
  /** By the number of a compiled field. */
  readonly answered: boolean[];
}

type ShapeValue = (value: unknown, state: State, depth: number) => unknown;
interface CompiledField {
  readonly name: string;
  readonly shape: (source: Data, state: State, depth: number) => unknown;
}

export function createShape(rules: ShapeRules): Shape {
  const root = rules.schema.getRootType(rules.operation.operation);
  const shape = root && compile(rules, root);
  return (data, run) => {
    if (!shape || data === null) return { data: null, errors: [], items: new Set() };
    return shape(data ?? {}, run);
  };
}

function compile(
  { schema, operation, fragments, conditions, cut, maskOf, itemsOf }: ShapeRules,
  root: GraphQLObjectType,
): (data: Data, run: ShapeRun) => ShapedAnswer {
  const collecting = { schema, fragments, conditions };
  const itemsByField: (readonly string[])[] = [];
  const shapeRoot = compileObject(root, [operation.selectionSet]);

  return (data, run) => {
    const state: State = { run, errors: [], path: [], answered: [] };
    const shaped = shapeRoot(data, state, 0);
    const items = new Set<string>();
    state.answered.forEach((_, at) => itemsByField[at]?.forEach((item) => items.add(item)));
    return { data: isData(shaped) ? shaped : null, errors: state.errors, items };
  };

  /** Of an object: itself, or NULLED. */
  function compileObject(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): ShapeValue {
    const collected = [...collectFields(collecting, sets, type)];
    const fields = collected.map(([name, nodes]) => compileField(name, nodes, type));
    const isDisputed = disputeOf(type);
    // An assignment to `__proto__` would not make a field of an object that has a prototype.
    const isHostile = fields.some(({ name }) => name === '__proto__');
    return (value, state, depth) => {
      const source = value as Data;
      const shaped = (isHostile ? Object.create(null) : {}) as Record<string, unknown>;
      for (const { name, shape } of fields) {
        const inner = shape(source, state, depth);
        if (inner === BUBBLE) return NULLED;
        shaped[name] = inner === NULLED ? null : inner;
      }
      if (isDisputed?.(source)) state.run.onDisputed(state.path.slice(0, depth));
      return shaped;
    };
  }

  function compileField(name: string, nodes: readonly FieldNode[], parent: GraphQLObjectType): CompiledField {
    const [first] = nodes as readonly [FieldNode, ...FieldNode[]];
    const field = first.name.value;
    if (field === '__typename') return { name, shape: () => parent.name };
    const type = fieldType(schema, parent, field);
    if (!type) return { name, shape: () => null };
    if (nodes.every((node) => cut.has(node))) {
      const errors = cutBelow(nodes, parent, []);
      const outcome = isNonNullType(type) ? BUBBLE : NULLED;
      return {
        name,
        shape({}, { run, errors: told, path }, depth) {
          for (const { item, below } of errors)
            told.push(run.denied(item, [...path.slice(0, depth), name, ...below]));
          return outcome;
        },
      };
    }
    const items = itemsOf(parent.name, field);
    const mask = maskOf(parent.name, field);
    if (mask !== undefined && !isMaskable(type))
      return {
        name,
        // Whatever the value is, also when there is none: the band of a figure has no place in an Int, and the figure none here.
        shape({}, { run, errors, path }, depth) {
          errors.push(run.unmaskable(items[0] ?? '', [...path.slice(0, depth), name]));
          return isNonNullType(type) ? BUBBLE : NULLED;
        },
      };
    const read = reader(keyOf(first));
    const shapeValue = compileValue(type, nodes, `${parent.name}.${field}`, mask);
    if (items.length === 0)
      return {
        name,
        shape(source, state, depth) {
          state.path[depth] = name;
          return shapeValue(read(source) ?? null, state, depth + 1);
        },
      };
    const at = itemsByField.push(items) - 1;
    return {
      name,
      shape(source, state, depth) {
        state.path[depth] = name;
        const value = shapeValue(read(source) ?? null, state, depth + 1);
        if (value === BUBBLE || value === NULLED) return value;
        // A null beside which no error stands says that nobody has it: that is told, too.
        if (value !== null || !state.run.hasFailed(pathTo(state, depth + 1))) state.answered[at] = true;
        return value;
      },
    };
  }

  function compileValue(
    type: GraphQLOutputType,
    nodes: readonly FieldNode[],
    place: string,
    mask: MaskKind | undefined,
  ): ShapeValue {
    if (isNonNullType(type)) {
      const shape = compileValue(type.ofType, nodes, place, mask);
      return (value, state, depth) => {
        const inner = shape(value, state, depth);
        if (inner === NULLED) return BUBBLE;
        if (inner !== null) return inner;
        const path = pathTo(state, depth);
        if (!state.run.hasFailed(path)) state.errors.push(toNullError(place, path));
        return BUBBLE;
      };
    }
    if (isListType(type)) {
      const shape = compileValue(type.ofType, nodes, place, mask);
      return (value, state, depth) => {
        if (value === null) return null;
        if (!Array.isArray(value)) return invalid(state, depth);
        let hasBubbled = false;
        const list = new Array<unknown>(value.length);
        for (let at = 0; at < value.length; at++) {
          state.path[depth] = at;
          const inner = shape((value[at] as unknown) ?? null, state, depth + 1);
          if (inner === BUBBLE) hasBubbled = true;
          list[at] = inner === NULLED ? null : inner;
        }
        return hasBubbled ? NULLED : list;
      };
    }
    if (isLeafType(type)) return type.name === SUBJECT_ID ? shapeId : compileLeaf(createLeaf(type), mask);
    // What was cut in one place and not in another is answered where it was not.
    const sets = [
      ...nodes.filter((node) => !cut.has(node)),
      ...nodes.filter((node) => cut.has(node)),
    ].flatMap(({ selectionSet }) => selectionSet ?? []);
    const shape = isAbstractType(type) ? compileAbstract(type, sets) : compileLazily(type, sets);
    return (value, state, depth) => {
      if (value === null) return null;
      return isData(value) ? shape(value, state, depth) : invalid(state, depth);
    };
  }

  /** Compiled when the first object comes: many an operation selects more than it meets. */
  function compileLazily(type: GraphQLObjectType, sets: readonly SelectionSetNode[]): ShapeValue {
    let shape: ShapeValue | null = null;
    return (value, state, depth) => (shape ??= compileObject(type, sets))(value, state, depth);
  }

  function compileAbstract(abstract: GraphQLAbstractType, sets: readonly SelectionSetNode[]): ShapeValue {
    const shapes = new Map<unknown, ShapeValue>();
    return (value, state, depth) => {
      const name = (value as Data)['__typename'];
      let shape = shapes.get(name);
      if (!shape) {
        const type = typeof name === 'string' ? schema.getType(name) : undefined;
        // A type that nobody can tell, or that clients do not know: not even its name is told.
        if (!isObjectType(type) || !schema.isSubType(abstract, type)) return invalid(state, depth);
        shapes.set(name, (shape = compileObject(type, sets)));
      }
      return shape(value, state, depth);
    };
  }

  /** One for each denied leaf below a cut field; list positions below it are not known and left out. */
  function cutBelow(
    nodes: readonly FieldNode[],
    parent: GraphQLObjectType,
    below: readonly string[],
  ): readonly { readonly item: string; readonly below: readonly string[] }[] {
    const own = nodes.map((node) => cut.get(node)).find((item) => item !== null && item !== undefined);
    if (own !== undefined && own !== null) return [{ item: own, below }];
    const type = fieldType(schema, parent, nodes[0]?.name.value ?? '');
    const named = type && getNamedType(type);
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    const types = isAbstractType(named) ? schema.getPossibleTypes(named) : isObjectType(named) ? [named] : [];
    const found = new Map<string, ReturnType<typeof cutBelow>>();
    for (const possible of types)
      for (const [name, inner] of collectFields(collecting, sets, possible))
        if (!found.has(name)) found.set(name, cutBelow(inner, possible, [...below, name]));
    return [...found.values()].flat();
  }
}

function compileLeaf(coerce: (value: unknown) => unknown, mask: MaskKind | undefined): ShapeValue {
  return (value, state, depth) => {
    if (value === null) return null;
    const coerced = coerce(value);
    if (coerced === undefined) return invalid(state, depth);
    return mask === undefined ? coerced : maskValue(mask, coerced);
  };
}

const shapeId: ShapeValue = (value, state, depth) => {
  if (value === null) return null;
  const id = state.run.toEdgeId(value);
  return id === null || id === undefined ? invalid(state, depth) : id;
};

/** A value that its type does not allow: what it would have been is unknown. */
function invalid(state: State, depth: number): typeof NULLED {
  state.errors.push(createError('INTERNAL', { path: pathTo(state, depth) }));
  return NULLED;
}

function toNullError(place: string, path: Path): GraphQLError {
  return new GraphQLError(`Cannot return null for non-nullable field ${place}.`, {
    path,
    extensions: { code: 'INTERNAL' },
  });
}

const pathTo = ({ path }: State, depth: number): Path => path.slice(0, depth);

/** A mask is a text: of a number, a date or a value of an enum there is no masked form that its type would allow. */
function isMaskable(type: GraphQLOutputType): boolean {
  const named = getNamedType(type);
  return !isLeafType(named) || named.name === 'String' || named.name === 'ID';
}
