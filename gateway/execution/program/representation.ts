/**
 * What a fetch requires → a builder of representations, as JSON text: the text is sent as it is, and equal texts are the
 * same entity. Worked out once per type that is met.
 */
import type { FetchDataRewrite, QueryPlanSelectionNode } from '@apollo/query-planner';
import type { GraphQLSchema } from 'graphql';
import type { Data } from './own.ts';
import { isData, reader } from './own.ts';
import { conditionOf, isOfType } from './type-conditions.ts';

/** Null where a required field is absent: about such an entity the subgraph cannot be asked. */
export type BuildRepresentation = (source: Data) => string | null;

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

export function createRepresentation(
  requires: readonly QueryPlanSelectionNode[],
  rewrites: readonly FetchDataRewrite[],
  schema: GraphQLSchema,
): BuildRepresentation {
  const setters = rewrites.flatMap((rewrite) =>
    rewrite.kind === 'ValueSetter' ? [{ path: rewrite.path, value: rewrite.setValueTo as unknown }] : [],
  );
  const build = compile(requires, setters, schema, 'absent');
  return (source) => build(source) ?? null;
}

/**
 * `nested`: a field that is absent makes the whole object null there, and the whole representation absent at the top.
 */
function compile(
  selections: readonly QueryPlanSelectionNode[],
  setters: readonly Setter[],
  schema: GraphQLSchema,
  absent: 'absent' | 'null',
): (source: Data) => string | undefined {
  const builders = new Map<unknown, (source: Data) => string | undefined>();
  return (source) => {
    const typename = source['__typename'];
    let build = builders.get(typename ?? null);
    if (!build) {
      build = compileType(typeof typename === 'string' ? typename : null);
      // A name that the schema does not know comes from a subgraph, and there is no end of such names.
      if (typeof typename !== 'string' || schema.getType(typename)) builders.set(typename ?? null, build);
    }
    return build(source);
  };

  function compileType(type: string | null): (source: Data) => string | undefined {
    const fields = collect(selections, type, schema);
    const own = setters.flatMap((setter) => narrow(setter, type, schema));
    // Entities are known by their type: without one there is no representation.
    if (absent === 'absent' && !fields.some(({ key }) => key === '__typename')) return () => undefined;
    const parts = fields.map((field) => toPart(field, own, schema));
    return (source) => {
      let text = '';
      for (const part of parts) {
        const written = part(source);
        if (written === undefined) return absent === 'absent' ? undefined : 'null';
        text += text === '' ? written : `,${written}`;
      }
      return `{${text}}`;
    };
  }
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
  const build = compile(selections, inner, schema, 'null');
  const write = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
    return isData(value) ? (build(value) ?? 'null') : 'null';
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
