/**
 * Root fields by which persons are looked up. That there is no such person, that the name is another's, and that one may not
 * look are the same answer, and the same work:
 *
 * 1. the department is asked for the bare id, and at the same time it is decided with the subject (its consents are read)
 *    whether the person may be looked up: both always, whatever the other says;
 * 2. who was not found and who may not be found is null with one LOOKUP_REFUSED;
 * 3. for those that are left the field is fetched again, with exactly what this principal may see of this person.
 */
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLError,
  GraphQLSchema,
  InlineFragmentNode,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import { Kind, parse, print, visit } from 'graphql';
import { createError } from '../../schema/errors.ts';
import { parseCitizenId } from '../../schema/identifiers/citizen-id.ts';
import type { Denied } from '../authorization/decision.ts';
import { isLookup, numbersOf } from '../limits/lookups.ts';
import type { Requirements } from '../supergraph/load.ts';
import type { FetchOperation } from './fetch-operation.ts';
import { readFetchOperation } from './fetch-operation.ts';
import type { SubgraphAnswer } from './transport.ts';

type Variables = Readonly<Record<string, unknown>>;

export interface LookupFetch {
  /** The root fields of the fetch that look nobody up; null when there are none. */
  readonly rest: FetchOperation | null;
  /** All look-ups together. */
  readonly whole: FetchOperation;
  /** The same for `__typename` and `id` alone. */
  readonly probe: FetchOperation;
  readonly fields: readonly LookupField[];
}

interface LookupField {
  /** Response key of the fetch. */
  readonly key: string;
  /** Items that the field itself needs, whatever is selected below it. */
  readonly items: readonly string[];
  /** The field alone. */
  readonly operation: FetchOperation;
  numbers(variables: Variables): readonly string[];
}

/** What the rest of a fetch is to a look-up. */
export interface LookupPorts {
  /** SubjectId of the person with this number, whether there is one or not. */
  personOf(citizenId: string): string;
  /** Of each subject what it may not disclose of the items of `operation`. */
  deniedOf(
    operation: FetchOperation,
    subjects: readonly string[],
  ): Promise<ReadonlyMap<string, ReadonlyMap<string, Denied>>>;
  /** Something of this subject will be disclosed: what allows it is to be confirmed and recorded. */
  rely(subject: string): void;
  /** Asks the department; rejects when it cannot be reached. */
  ask(query: string, items: readonly string[]): Promise<SubgraphAnswer>;
  refused(field: { readonly key: string; readonly items: readonly string[] }): GraphQLError;
  denied(item: string, decision: Denied | undefined, path: readonly (string | number)[]): GraphQLError;
  toError(error: SubgraphAnswer['errors'][number]): GraphQLError;
}

/** The look-ups in a fetch of root fields; null when it holds none. */
export function readLookups(
  query: string,
  schema: GraphQLSchema,
  requirements: Requirements,
): LookupFetch | null {
  const document = parse(query, { noLocation: true });
  const operation = document.definitions.find(
    (definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION,
  );
  const root = operation && schema.getRootType(operation.operation);
  if (!operation || !root) return null;
  const definitions = root.getFields();
  const fragments = new Map(
    document.definitions
      .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
  const rest: SelectionNode[] = [];
  const lookups = new Map<string, { field: FieldNode; selections: SelectionNode[] }>();
  for (const { field, selection } of spread(writeOut(operation.selectionSet, fragments))) {
    const definition = definitions[field.name.value];
    const key = field.alias?.value ?? field.name.value;
    const known = lookups.get(key);
    if (!definition || !isLookup(definition)) rest.push(selection);
    else if (known) known.selections.push(selection);
    else lookups.set(key, { field, selections: [selection] });
  }
  if (lookups.size === 0) return null;
  const toOperation = (selections: readonly SelectionNode[]) =>
    readFetchOperation(printOperation(operation, selections), schema, requirements);
  const all = [...lookups.values()].flatMap(({ selections }) => selections);
  return {
    rest: rest.length > 0 ? toOperation(rest) : null,
    whole: toOperation(all),
    probe: toOperation(all.map(toProbe)),
    fields: [...lookups].map(([key, { field, selections }]) => ({
      key,
      items: requirements.get(`${root.name}.${field.name.value}`) ?? [],
      operation: toOperation(selections),
      numbers(variables) {
        const definition = definitions[field.name.value];
        return definition ? numbersOf(definition, field, variables) : [];
      },
    })),
  };
}

/** Errors have paths from the root. Rejects when the department cannot be reached. */
export async function fetchLookups(
  { fields, whole, probe }: LookupFetch,
  variables: Variables,
  ports: LookupPorts,
): Promise<{ data: Record<string, unknown>; errors: GraphQLError[] }> {
  const persons = fields.map((field) => toPerson(field.numbers(variables), ports));
  const subjects = [...new Set(persons.filter((person) => person !== null))];
  const [denied, found] = await Promise.all([
    ports.deniedOf(whole, subjects),
    ports.ask(probe.without(new Set()).query ?? '', probe.items),
  ]);
  const data: Record<string, unknown> = {};
  const errors = found.errors.map((error) => ports.toError(error));
  const failed = new Set(found.errors.map(({ path }) => path?.[0]));
  await Promise.all(
    fields.map(async (field, at) => {
      const { key, items } = field;
      const person = persons[at] ?? null;
      const entity = found.data?.[key];
      // Left out by its condition.
      if (found.data && entity === undefined) return;
      data[key] = null;
      // Could not be found out, which is no answer about anybody.
      if (failed.has(key) || !found.data) return;
      const own = person === null ? undefined : denied.get(person);
      const isDenied = person === null || own === undefined || items.some((item) => own.has(item));
      if (isDenied || entity === null) return void errors.push(ports.refused(field));
      if (!isObject(entity) || entity['id'] !== person)
        return void errors.push(createError('DEPARTMENT_UNAVAILABLE', { path: [key] }));
      ports.rely(person);
      const { query, cut } = field.operation.without(new Set(own.keys()));
      for (const { item, path } of cut) errors.push(ports.denied(item, own.get(item), path));
      if (query === null) return void (data[key] = entity);
      const granted = field.operation.items.filter((item) => !own.has(item));
      const answer = await ports.ask(query, granted);
      errors.push(...answer.errors.map((error) => ports.toError(error)));
      data[key] = answer.data?.[key] ?? null;
      if (answer.data?.[key] === null && answer.errors.length === 0) errors.push(ports.refused(field));
    }),
  );
  return { data, errors };
}

/** A look-up is of one person; what is asked with none or several finds nobody. */
function toPerson(numbers: readonly string[], ports: LookupPorts): string | null {
  const parsed = numbers.length === 1 ? parseCitizenId(numbers[0] ?? '') : null;
  return parsed?.ok ? ports.personOf(parsed.value) : null;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** The root fields, each with the fragments and conditions that it stands under. */
function spread(
  set: SelectionSetNode,
  under: (field: SelectionNode) => SelectionNode = (field) => field,
): readonly { field: FieldNode; selection: SelectionNode }[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [{ field: selection, selection: under(selection) }];
    if (selection.kind !== Kind.INLINE_FRAGMENT) return [];
    return spread(selection.selectionSet, (field) =>
      under({ ...selection, selectionSet: { kind: Kind.SELECTION_SET, selections: [field] } }),
    );
  });
}

/** Fragments written out where they stand: a part of the fetch must not need what another part defines. */
function writeOut(
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): SelectionSetNode {
  return visit(set, {
    FragmentSpread(spreadNode): InlineFragmentNode | null {
      const fragment = fragments.get(spreadNode.name.value);
      if (!fragment) return null;
      return {
        kind: Kind.INLINE_FRAGMENT,
        typeCondition: fragment.typeCondition,
        ...(spreadNode.directives ? { directives: spreadNode.directives } : {}),
        selectionSet: writeOut(fragment.selectionSet, fragments),
      };
    },
  });
}

const ID: SelectionSetNode = {
  kind: Kind.SELECTION_SET,
  selections: ['__typename', 'id'].map((value) => ({ kind: Kind.FIELD, name: { kind: Kind.NAME, value } })),
};

function toProbe(selection: SelectionNode): SelectionNode {
  if (selection.kind === Kind.FIELD) return { ...selection, selectionSet: ID };
  if (selection.kind !== Kind.INLINE_FRAGMENT) return selection;
  const selections = selection.selectionSet.selections.map(toProbe);
  return { ...selection, selectionSet: { kind: Kind.SELECTION_SET, selections } };
}

/** The operation for some of its root fields, with the variables that they use and no others. */
function printOperation(operation: OperationDefinitionNode, selections: readonly SelectionNode[]): string {
  const selectionSet: SelectionSetNode = { kind: Kind.SELECTION_SET, selections };
  const used = new Set<string>();
  visit(selectionSet, {
    Variable(variable) {
      used.add(variable.name.value);
    },
  });
  const variableDefinitions = (operation.variableDefinitions ?? []).filter(({ variable }) =>
    used.has(variable.name.value),
  );
  return print({ ...operation, variableDefinitions, selectionSet });
}
