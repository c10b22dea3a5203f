/**
 * What one operation may ask for, as far as its text tells. Counted after parsing and before everything else: the planner
 * spends seconds on a 1.4 kB bomb of nested fragments, and graphql-js itself is quadratic in places. Linear: each fragment is
 * counted once, whatever spreads it. Nothing here knows the schema, so that nothing here tells of it.
 */
import type {
  DocumentNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import { Kind, visit } from 'graphql';
import { createError } from '../../schema/errors.ts';

export interface OperationLimits {
  readonly tokens: number;
  readonly depth: number;
  /** Fields, fragments and spreads after all fragments are expanded. */
  readonly selections: number;
  /** Aliases, those of `__typename` too, after all fragments are expanded. */
  readonly aliases: number;
  readonly rootFields: number;
  /** Directives in the document: graphql-js evaluates each where it stands. */
  readonly directives: number;
  /** Entries of one list argument, or fields of one input object. */
  readonly listLength: number;
  /** Characters of one literal. */
  readonly literalLength: number;
  /** Variables of one operation. */
  readonly variables: number;
  /** Values of credit codes, subject ids and citizen ids in arguments: an alias is a look-up. See subjects.ts. */
  readonly subjects: number;
  /** See cost.ts. */
  readonly cost: number;
  /** Values of the answer as far as can be foreseen; see cost.ts. */
  readonly values: number;
}

export const DEFAULT_LIMITS: OperationLimits = {
  tokens: 4_000,
  depth: 20,
  selections: 1_000,
  aliases: 60,
  rootFields: 20,
  directives: 100,
  listLength: 100,
  literalLength: 4_000,
  variables: 50,
  subjects: 100,
  cost: 20_000,
  values: 15_000,
};

interface Size {
  readonly depth: number;
  /** Fields of this level, those of its fragments included. */
  readonly width: number;
  readonly selections: number;
  readonly aliases: number;
}

const NOTHING: Size = { depth: 0, width: 0, selections: 0, aliases: 0 };

/** Throws LIMIT_EXCEEDED; the error names the limit and how much of it there is. */
export function assertWithinLimits(document: DocumentNode, limits: OperationLimits): void {
  const fragments = new Map<string, FragmentDefinitionNode>();
  const operations: OperationDefinitionNode[] = [];
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition);
  }
  const sizes = new Map<string, Size>();
  const open = new Set<string>();

  function measure(set: SelectionSetNode): Size {
    let { depth, width, selections, aliases } = NOTHING;
    for (const selection of set.selections) {
      selections += 1;
      if (selection.kind === Kind.FIELD) {
        const inner = selection.selectionSet ? measure(selection.selectionSet) : NOTHING;
        depth = Math.max(depth, inner.depth + 1);
        width += 1;
        selections += inner.selections;
        aliases += inner.aliases + (selection.alias ? 1 : 0);
      } else {
        const inner =
          selection.kind === Kind.INLINE_FRAGMENT
            ? measure(selection.selectionSet)
            : measureFragment(selection.name.value);
        depth = Math.max(depth, inner.depth);
        width += inner.width;
        selections += inner.selections;
        aliases += inner.aliases;
      }
    }
    return { depth, width, selections, aliases };
  }

  function measureFragment(name: string): Size {
    const known = sizes.get(name);
    if (known) return known;
    const fragment = fragments.get(name);
    // Unknown fragments and cycles are for validation to name; here they only must not be followed.
    if (!fragment || open.has(name)) return NOTHING;
    open.add(name);
    const size = measure(fragment.selectionSet);
    open.delete(name);
    sizes.set(name, size);
    return size;
  }

  // Every fragment, spread or not, and every operation, chosen or not: all of them are validated.
  const inFragments = [...fragments.keys()].map((name) => ({ ...measureFragment(name), width: 0 }));
  for (const { depth, width, selections, aliases } of [
    ...operations.map(({ selectionSet }) => measure(selectionSet)),
    ...inFragments,
  ]) {
    assertAtMost('depth', depth, limits.depth);
    assertAtMost('selections', selections, limits.selections);
    assertAtMost('rootFields', width, limits.rootFields);
    assertAtMost('aliases', aliases, limits.aliases);
  }
  for (const { variableDefinitions = [] } of operations)
    assertAtMost('variables', variableDefinitions.length, limits.variables);
  assertNodesWithin(document, limits);
}

/** What counts wherever it stands in the document. */
function assertNodesWithin(document: DocumentNode, limits: OperationLimits): void {
  let directives = 0;
  const assertLiteral = ({ value }: { readonly value: string }) =>
    assertAtMost('literalLength', value.length, limits.literalLength);
  visit(document, {
    Directive: () => assertAtMost('directives', ++directives, limits.directives),
    ListValue: ({ values }) => assertAtMost('listLength', values.length, limits.listLength),
    ObjectValue: ({ fields }) => assertAtMost('listLength', fields.length, limits.listLength),
    StringValue: assertLiteral,
    IntValue: assertLiteral,
    FloatValue: assertLiteral,
  });
}

/** The same bounds on the lists and the depth of variables, which come apart from the document. */
export function assertVariablesWithinLimits(variables: unknown, limits: OperationLimits, depth = 0): void {
  if (typeof variables !== 'object' || variables === null) return;
  assertAtMost('depth', depth, limits.depth);
  const values = Object.values(variables);
  if (Array.isArray(variables)) assertAtMost('listLength', values.length, limits.listLength);
  else if (depth === 0) assertAtMost('variables', values.length, limits.variables);
  for (const value of values) assertVariablesWithinLimits(value, limits, depth + 1);
}

export function assertAtMost(limit: keyof OperationLimits, count: number, most: number): void {
  if (count > most)
    throw createError('LIMIT_EXCEEDED', {
      detail: `${limit}: at most ${most}.`,
      extensions: { limit, most },
    });
}
