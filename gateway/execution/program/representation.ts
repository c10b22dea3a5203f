/**
 * What a fetch requires → representations, as JSON text that is sent as it is, and keys by which each entity is asked for
 * once. Worked out once per type that is met.
 */
import type { FetchDataRewrite, QueryPlanSelectionNode } from '@apollo/query-planner';
import type { GraphQLSchema } from 'graphql';
import type { Data } from './own.ts';
import { isData, reader } from './own.ts';
import { conditionOf, isOfType } from './type-conditions.ts';

/** Representations of one type. */
export interface Represent {
  /** Equal for what is the same entity to the subgraph; undefined where a required field is absent: it cannot be asked. */
  keyOf(source: Data): unknown;
  /** The representation as JSON text, of a source with this key. */
  textOf(key: unknown, source: Data): string;
}

/** By the type that an object tells; null for one of which there is no representation. */
export type Representations = (source: Data) => Represent | null;

interface Setter {
  readonly path: readonly string[];
  readonly value: unknown;
}

interface RequiredField {
  /** Under which it was fetched, and under which it is sent: they differ where a requirement has arguments. */
  readonly key: string;
  readonly name: string;
  readonly selections: QueryPlanSelectionNode[];
}

export function createRepresentations(
  requires: readonly QueryPlanSelectionNode[],
  rewrites: readonly FetchDataRewrite[],
  schema: GraphQLSchema,
): Representations {
  const setters = rewrites.flatMap((rewrite) =>
    rewrite.kind === 'ValueSetter' ? [{ path: rewrite.path, value: rewrite.setValueTo as unknown }] : [],
  );
  const compile = (type: string | null): Represent | null => {
    const fields = collect(requires, type, schema);
    // Entities are known by their type: without one there is no representation.
    if (!fields.some(({ key }) => key === '__typename')) return null;
    const own = setters.flatMap((setter) => narrow(setter, type, schema));
    return compileByOneKey(fields, own, schema, type) ?? compileByText(fields, own, schema);
  };
  const known = new Map<unknown, Represent | null>();
  return (source) => {
    const typename = source['__typename'] ?? null;
    let represent = known.get(typename);
    if (represent === undefined) {
      represent = compile(typeof typename === 'string' ? typename : null);
      // A name that the schema does not know comes from a subgraph, and there is no end of such names.
      if (typeof typename !== 'string' || schema.getType(typename)) known.set(typename, represent);
    }
    return represent;
  };
}

/** Most entities are known by one value beside their type: it is its own key, and the text is written once for each. */
function compileByOneKey(
  fields: readonly RequiredField[],
  setters: readonly Setter[],
  schema: GraphQLSchema,
  type: string | null,
): Represent | null {
  const others = fields.filter(({ key }) => key !== '__typename');
  const [only] = others;
  if (type === null || !only || others.length > 1 || only.selections.length > 0) return null;
  const read = reader(only.key);
  const byText = compileByText(fields, setters, schema);
  return {
    keyOf(source) {
      const value = read(source);
      // A scalar of the graph's own may be an object.
      return typeof value === 'object' && value !== null ? byText.keyOf(source) : value;
    },
    textOf: (_, source) => byText.keyOf(source) as string,
  };
}

function compileByText(
  fields: readonly RequiredField[],
  setters: readonly Setter[],
  schema: GraphQLSchema,
): Represent {
  const write = writeObject(fields, setters, schema);
  return { keyOf: write, textOf: (key) => key as string };
}

/** Undefined where a field is absent. */
function writeObject(
  fields: readonly RequiredField[],
  setters: readonly Setter[],
  schema: GraphQLSchema,
): (source: Data) => string | undefined {
  const parts = fields.map((field) => toPart(field, setters, schema));
  return (source) => {
    let text = '';
    for (const part of parts) {
      const written = part(source);
      if (written === undefined) return undefined;
      text += text === '' ? written : `,${written}`;
    }
    return `{${text}}`;
  };
}

/** What stands below the top: an object of which a field is absent is null there. */
function compileNested(
  selections: readonly QueryPlanSelectionNode[],
  setters: readonly Setter[],
  schema: GraphQLSchema,
): (source: Data) => string {
  const writers = new Map<unknown, (source: Data) => string | undefined>();
  return (source) => {
    const typename = source['__typename'] ?? null;
    let write = writers.get(typename);
    if (!write) {
      const type = typeof typename === 'string' ? typename : null;
      const own = setters.flatMap((setter) => narrow(setter, type, schema));
      write = writeObject(collect(selections, type, schema), own, schema);
      if (type === null || schema.getType(type)) writers.set(typename, write);
    }
    return write(source) ?? 'null';
  };
}

function toPart(
  { key, name: sent, selections }: RequiredField,
  setters: readonly Setter[],
  schema: GraphQLSchema,
): (source: Data) => string | undefined {
  const name = `${JSON.stringify(sent)}:`;
  const constant = setters.find(({ path }) => path.length === 1 && path[0] === sent);
  if (constant) {
    const text = name + JSON.stringify(constant.value);
    return () => text;
  }
  const read = reader(key);
  if (selections.length === 0)
    return (source) => {
      const value = read(source);
      return value === undefined ? undefined : name + JSON.stringify(value);
    };
  const inner = setters.flatMap(({ path, value }) =>
    path.length > 1 && path[0] === sent ? [{ path: path.slice(1), value }] : [],
  );
  const build = compileNested(selections, inner, schema);
  const write = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
    return isData(value) ? build(value) : 'null';
  };
  return (source) => {
    const value = read(source);
    return value === undefined ? undefined : name + write(value);
  };
}

/** The fields of an object of this type, those of fragments that fit it included; of one name their selections together. */
function collect(
  selections: readonly QueryPlanSelectionNode[],
  type: string | null,
  schema: GraphQLSchema,
): readonly RequiredField[] {
  const fields = new Map<string, { name: string; selections: QueryPlanSelectionNode[] }>();
  gather(selections);
  return [...fields].map(([key, { name, selections: merged }]) => ({ key, name, selections: merged }));

  function gather(set: readonly QueryPlanSelectionNode[]): void {
    for (const selection of set) {
      if (selection.kind === 'Field') {
        const key = selection.alias ?? selection.name;
        const known = fields.get(key)?.selections ?? [];
        fields.set(key, { name: selection.name, selections: [...known, ...(selection.selections ?? [])] });
      } else if (
        selection.typeCondition === undefined ||
        (type !== null && isOfType(schema, type, selection.typeCondition))
      ) {
        gather(selection.selections);
      }
    }
  }
}

/** The setter as seen from an object of this type; none where its conditions do not fit. */
function narrow({ path, value }: Setter, type: string | null, schema: GraphQLSchema): readonly Setter[] {
  const condition = conditionOf(path[0] ?? '');
  if (condition === null) return [{ path, value }];
  // As the planner has it: an object whose type is not known is taken to fit.
  if (type !== null && !isOfType(schema, type, condition)) return [];
  return narrow({ path: path.slice(1), value }, type, schema);
}
