/**
 * What one operation may ask for. Counted after parsing and before validation and planning: the planner spends seconds on
 * a 1.4 kB bomb of nested fragments, and graphql-js itself is quadratic in places. Linear: each fragment is counted once.
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
  /** Fields after all fragments are expanded. */
  readonly selections: number;
  readonly aliases: number;
  readonly rootFields: number;
  /** Entries of one list argument: subjects looked up at once. */
  readonly listLength: number;
}

export const DEFAULT_LIMITS: OperationLimits = {
  tokens: 4_000,
  depth: 20,
  selections: 2_000,
  aliases: 60,
  rootFields: 20,
  listLength: 100,
};

interface Size {
  readonly depth: number;
  /** Fields of this level, those of its fragments included. */
  readonly width: number;
  readonly selections: number;
}

const NOTHING: Size = { depth: 0, width: 0, selections: 0 };

/** Throws LIMIT_EXCEEDED, naming the limit. */
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
    let depth = 0;
    let width = 0;
    let selections = 0;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const inner = selection.selectionSet ? measure(selection.selectionSet) : NOTHING;
        depth = Math.max(depth, inner.depth + 1);
        width += 1;
        selections += inner.selections + 1;
      } else {
        const inner =
          selection.kind === Kind.INLINE_FRAGMENT
            ? measure(selection.selectionSet)
            : measureFragment(selection.name.value);
        depth = Math.max(depth, inner.depth);
        width += inner.width;
        selections += inner.selections;
      }
    }
    return { depth, width, selections };
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

  for (const operation of operations) {
    const { depth, width, selections } = measure(operation.selectionSet);
    assertAtMost('depth', depth, limits.depth);
    assertAtMost('selections', selections, limits.selections);
    assertAtMost('rootFields', width, limits.rootFields);
  }
  let aliases = 0;
  visit(document, {
    Field(field) {
      if (field.alias) aliases += 1;
    },
    ListValue(list) {
      assertAtMost('listLength', list.values.length, limits.listLength);
    },
  });
  assertAtMost('aliases', aliases, limits.aliases);
}

/** The same bounds on the lists and the depth of variables, which come apart from the document. */
export function assertVariablesWithinLimits(variables: unknown, limits: OperationLimits, depth = 0): void {
  if (Array.isArray(variables)) assertAtMost('listLength', variables.length, limits.listLength);
  if (typeof variables !== 'object' || variables === null) return;
  assertAtMost('depth', depth, limits.depth);
  for (const value of Object.values(variables)) assertVariablesWithinLimits(value, limits, depth + 1);
}

function assertAtMost(limit: keyof OperationLimits, count: number, most: number): void {
  if (count > most)
    throw createError('LIMIT_EXCEEDED', {
      detail: `${limit}: at most ${most}.`,
      extensions: { limit, most },
    });
}
