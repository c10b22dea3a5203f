/** What every department's folder must show, looped over what is found: a new department is tested when it appears. */
import { describe, expect, it } from '@jest/globals';
import { buildSubgraphSchema } from '@apollo/subgraph';
import type { GraphQLArgument, GraphQLInputField, GraphQLNamedType, GraphQLObjectType } from 'graphql';
import {
  getNamedType,
  isInputObjectType,
  isIntrospectionType,
  isNonNullType,
  isObjectType,
  parse,
} from 'graphql';
import { readFileSync } from 'node:fs';
import { composeSupergraph, toSubgraphSdl } from '../schema/compose.ts';
import { policiesOf } from '../schema/policies.ts';
import type { Department } from './discover.ts';
import { discoverDepartments } from './discover.ts';

const departments = await discoverDepartments();
const allItems = new Set(departments.flatMap(({ catalogue }) => catalogue.items.map(({ id }) => id)));
const publicItems = new Set(
  departments.flatMap(({ catalogue }) =>
    catalogue.items.filter(({ publicity }) => publicity === 'PUBLIC').map(({ id }) => id),
  ),
);
const COMMON = namesOfTypes(readFileSync(new URL('../schema/common.graphql', import.meta.url), 'utf8'));
/** Opaque to whoever has no key of the platform's: they disclose nothing, and joins need them. */
const OPAQUE = new Set(['SubjectId', 'SealedIdentity']);

it('finds the departments of the platform', () => {
  expect(departments.map(({ subgraph }) => subgraph.name)).toEqual(
    expect.arrayContaining(['courts', 'human-resources', 'market-regulation', 'public-security', 'tax']),
  );
});

it('composes them, and the committed supergraph is the one that they compose to', () => {
  const composed = composeSupergraph(
    departments.map(({ subgraph, sdl }) => ({
      name: subgraph.name,
      url: `http://127.0.0.1:4001/${subgraph.name}/graphql`,
      sdl,
    })),
  );
  const committed = readFileSync(new URL('../schema/supergraph.graphql', import.meta.url), 'utf8');
  expect(committed.trim()).toBe(composed.trim());
});

describe.each(departments.map((department) => [department.subgraph.name, department] as const))(
  '%s',
  (_, department) => {
    const types = ownTypes(department);

    it('puts every field outside keys under one item of a catalogue', () => {
      const bare = types.flatMap((type) =>
        Object.values(type.getFields())
          .filter(
            (field) =>
              policiesOf(field.astNode).length === 0 &&
              !needsNoPolicy(type, field.name, getNamedType(field.type)),
          )
          .map((field) => `${type.name}.${field.name}`),
      );
      expect(bare).toEqual([]);
    });

    it('names only items that some catalogue holds', () => {
      const named = types.flatMap((type) =>
        Object.values(type.getFields()).flatMap((field) => policiesOf(field.astNode)),
      );
      expect([...new Set(named)].filter((item) => !allItems.has(item))).toEqual([]);
    });

    it('uses every item of its catalogue', () => {
      const named = new Set(
        types.flatMap((type) =>
          Object.values(type.getFields()).flatMap(({ astNode }) => policiesOf(astNode)),
        ),
      );
      const elsewhere = new Set(
        departments
          .flatMap((other) => ownTypes(other))
          .flatMap((type) => Object.values(type.getFields()).flatMap(({ astNode }) => policiesOf(astNode))),
      );
      const unused = department.catalogue.items
        .map(({ id }) => id)
        .filter((id) => !named.has(id) && !elsewhere.has(id) && !id.endsWith('.status'));
      expect(unused).toEqual([]);
    });

    it('lets nobody filter by what they may not see: who may use an argument may see every row that it tells apart', () => {
      const open = types
        .filter(({ name }) => name !== 'Mutation')
        .flatMap((type) =>
          Object.values(type.getFields())
            .filter(({ args }) => args.some(tellsRowsApart))
            .flatMap((field) => {
              const own = policiesOf(field.astNode);
              const below = itemsBelow(getNamedType(field.type), new Set());
              return [...below]
                .filter((item) => !own.includes(item) && !publicItems.has(item))
                .map((item) => `${type.name}.${field.name}: ${item}`);
            }),
        );
      expect(open).toEqual([]);
    });

    it('leaves every fact of a block nullable: unknown is null, never a default', () => {
      const strict = types
        .filter((type) => type.getInterfaces().some(({ name }) => name === 'DepartmentAnswer'))
        .flatMap((type) =>
          Object.values(type.getFields())
            .filter(({ name, type: of }) => isNonNullType(of) && !['status', 'source'].includes(name))
            .map(({ name }) => `${type.name}.${name}`),
        );
      expect(strict).toEqual([]);
    });

    it('describes its types and fields in Chinese first', () => {
      const silent = types
        .filter(({ name }) => !['Query', 'Mutation', 'CreditSubject'].includes(name))
        .flatMap((type) =>
          Object.values(type.getFields())
            .filter(
              ({ name, description }) =>
                !isCommonField(type, name) && !/^[^A-Za-z]*[\u4e00-\u9fff]/.test(description ?? ''),
            )
            .map(({ name }) => `${type.name}.${name}`),
        );
      expect(silent).toEqual([]);
    });
  },
);

/** Arguments by which a subject is named, or a list is paged, tell no row from another. */
const NAMING = new Set(['CreditCode', 'SubjectId', 'CitizenId', 'ID', 'Purpose']);
const PAGING = new Set(['first', 'after']);

function tellsRowsApart({ name, type }: GraphQLArgument | GraphQLInputField): boolean {
  const of = getNamedType(type);
  if (PAGING.has(name) || NAMING.has(of.name)) return false;
  return !isInputObjectType(of) || Object.values(of.getFields()).some(tellsRowsApart);
}

/** Items of all fields from here on; another subject is another story. */
function itemsBelow(type: GraphQLNamedType, seen: Set<string>): ReadonlySet<string> {
  if (!isObjectType(type) || type.name === 'CreditSubject' || seen.has(type.name)) return new Set();
  seen.add(type.name);
  return new Set(
    Object.values(type.getFields()).flatMap((field) => [
      ...policiesOf(field.astNode),
      ...itemsBelow(getNamedType(field.type), seen),
    ]),
  );
}

function ownTypes({ sdl }: Department): readonly GraphQLObjectType[] {
  const schema = buildSubgraphSchema([{ typeDefs: parse(toSubgraphSdl(sdl)) }]);
  return Object.values(schema.getTypeMap())
    .filter((type): type is GraphQLObjectType => isObjectType(type) && !isIntrospectionType(type))
    .filter(({ name }) => !name.startsWith('_') && !COMMON.has(name));
}

function needsNoPolicy(type: GraphQLObjectType, field: string, of: GraphQLNamedType): boolean {
  const definition = type.getFields()[field];
  const isExternal = definition?.astNode?.directives?.some(({ name }) => name.value === 'external') ?? false;
  const isKey = type.astNode?.directives?.some(
    ({ name, arguments: given }) =>
      name.value === 'key' &&
      given?.some(
        ({ value }) => value.kind === 'StringValue' && value.value.split(/[\s{}]+/).includes(field),
      ),
  );
  // A field that leads to an object carries none: its leaves do. Roots are entered by everybody.
  const leads = isObjectType(of) && !COMMON.has(of.name);
  return (
    isExternal ||
    Boolean(isKey) ||
    leads ||
    OPAQUE.has(of.name) ||
    field === '_service' ||
    field === '_entities'
  );
}

/** Fields that an interface of common.graphql describes already. */
function isCommonField(type: GraphQLObjectType, field: string): boolean {
  const definition = type.getFields()[field];
  const isExternal = definition?.astNode?.directives?.some(({ name }) => name.value === 'external') ?? false;
  return (
    isExternal ||
    field === 'forAssessment' ||
    field === 'id' ||
    type.getInterfaces().some((one) => COMMON.has(one.name) && field in one.getFields())
  );
}

function namesOfTypes(sdl: string): ReadonlySet<string> {
  return new Set(
    parse(sdl).definitions.flatMap((definition) =>
      'name' in definition && definition.name ? [definition.name.value] : [],
    ),
  );
}
