/**
 * A supergraph file → what the gateway needs of it: the API schema, the rules of access. There is no planner here: plans are
 * made in another thread (gateway/planning), and nothing on this one can make any.
 *
 * Apollo's libraries refuse a supergraph with security directives and enforce nothing. So the rules are read from the full
 * SDL first (planner-sdl.ts has the rest). A security link that is not understood here stops the start: it would be a rule
 * that nobody enforces.
 */
import { Supergraph as ApolloSupergraph } from '@apollo/federation-internals';
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { ConstDirectiveNode, DocumentNode, GraphQLSchema } from 'graphql';
import { buildASTSchema, Kind, parse } from 'graphql';
import type { Logger } from 'pino';
import { policiesOf } from '../../schema/policies.ts';
import { withScalars } from '../../schema/scalars.ts';
import type { CostRules } from '../limits/cost-rules.ts';
import { readCostRules } from '../limits/cost-rules.ts';
import type { Planner, PlannerOptions } from '../planning/planner.ts';
import { createPlanner } from '../planning/planner.ts';
import { toPlannerSdl } from './planner-sdl.ts';

/** "Type.field" → catalogue items that the field needs, all of them. Fields without a rule are absent. */
export type Requirements = ReadonlyMap<string, readonly string[]>;

export interface Supergraph {
  /** SHA-256 of the SDL: part of every cache key. */
  readonly hash: string;
  /** What clients see. */
  readonly apiSchema: GraphQLSchema;
  /** Everything, what is inaccessible to clients included. */
  readonly fullSchema: GraphQLSchema;
  readonly requirements: Requirements;
  /** The subgraph that answers each of the gateway's own questions (INTERNAL_FIELDS); absent where the graph has none. */
  readonly internal: ReadonlyMap<InternalField, string>;
  /** What its @cost and @listSize say. */
  readonly costRules: CostRules;
  /** Makes plans, in a thread of its own. */
  readonly planner: Planner;
  close(): Promise<void>;
}

export class SupergraphError extends Error {
  constructor(problem: string, cause?: unknown) {
    super(`the supergraph cannot be used: ${problem}`, cause === undefined ? undefined : { cause });
    this.name = 'SupergraphError';
  }
}

/** It has rules of access that nobody here would enforce. */
export class SecurityError extends SupergraphError {}

/** Enforced here. */
const POLICY = 'https://specs.apollo.dev/policy/v0.1';
/** Enforced by @apollo/federation-internals, which leaves it out of the API schema. */
const INACCESSIBLE = 'https://specs.apollo.dev/inaccessible/v0.2';
/** The inaccessible root fields by which the gateway asks for itself, whoever offers them, and where they stand. */
export const INTERNAL_FIELDS = {
  activeConsents: 'Query',
  confirmConsents: 'Mutation',
  activeBreakGlass: 'Query',
  subjectStates: 'Query',
} as const;
export type InternalField = keyof typeof INTERNAL_FIELDS;

export async function loadSupergraph(
  sdl: string,
  options: {
    log: Logger;
    planning?: Partial<PlannerOptions>;
  },
): Promise<Supergraph> {
  const { log } = options;
  const document = parseSdl(sdl);
  assertLinksUnderstood(document);
  const subgraphs = readSubgraphs(document);
  const plannerSdl = toPlannerSdl(sdl);
  // The thread reads the graph while this one does.
  const planner = createPlanner({ ...options.planning, sdl: plannerSdl, log });
  try {
    // Requests go on while a changed supergraph is loaded: between the long pieces they have their turn.
    const built = ApolloSupergraph.build(plannerSdl, { validateSupergraph: true });
    await setImmediate();
    const apiSchema = built.apiSchema();
    await setImmediate();
    const supergraph: Supergraph = {
      hash: createHash('sha256').update(sdl).digest('base64url'),
      apiSchema: withScalars(apiSchema.toGraphQLJSSchema()),
      fullSchema: buildASTSchema(document, { assumeValidSDL: true }),
      requirements: readRequirements(document),
      internal: findInternal(document, subgraphs),
      costRules: readCostRules(document),
      planner,
      close: () => planner.close(),
    };
    await planner.started;
    return supergraph;
  } catch (error) {
    await planner.close();
    if (error instanceof SupergraphError) throw error;
    throw new SupergraphError(error instanceof Error ? error.message : String(error), error);
  }
}

/** The subgraphs that a supergraph names, with their addresses; for whoever must reach them before it is loaded. */
export function readSubgraphUrls(sdl: string): readonly { readonly name: string; readonly url: string }[] {
  return readSubgraphs(parseSdl(sdl));
}

function parseSdl(sdl: string): DocumentNode {
  try {
    return parse(sdl);
  } catch (error) {
    throw new SupergraphError(
      `it is not GraphQL (${error instanceof Error ? error.message : String(error)})`,
      error,
    );
  }
}

/** Only our own `@policy`, under its own name: a renamed import is a rule that would be read past. */
function assertLinksUnderstood(document: DocumentNode): void {
  for (const link of schemaDirectives(document, 'link')) {
    if (argumentOf(link, 'for') !== 'SECURITY') continue;
    const url = argumentOf(link, 'url');
    if (url !== POLICY && url !== INACCESSIBLE)
      throw new SecurityError(`its security link ${url ?? '?'} is not understood`);
    const isRenamed = link.arguments?.some(({ name }) => name.value === 'as' || name.value === 'import');
    if (isRenamed) throw new SecurityError(`its security link ${url} is imported under another name`);
  }
}

function readRequirements(document: DocumentNode): Requirements {
  const requirements = new Map<string, readonly string[]>();
  for (const definition of document.definitions) {
    if (!('name' in definition) || !definition.name) continue;
    const type = definition.name.value;
    if ('directives' in definition && definition.directives?.some(({ name }) => name.value === 'policy'))
      throw new SecurityError(`@policy stands on type ${type}; it is understood on fields only`);
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.INTERFACE_TYPE_DEFINITION)
      continue;
    for (const field of definition.fields ?? []) {
      const items = policiesOf(field);
      if (items.length > 0) requirements.set(`${type}.${field.name.value}`, items);
    }
  }
  return requirements;
}

function readSubgraphs(document: DocumentNode): readonly { name: string; url: string; graph: string }[] {
  const graphs = document.definitions.find(
    (definition) => definition.kind === Kind.ENUM_TYPE_DEFINITION && definition.name.value === 'join__Graph',
  );
  if (graphs?.kind !== Kind.ENUM_TYPE_DEFINITION)
    throw new SupergraphError('it names no subgraphs (no enum join__Graph); compose it with Federation 2');
  return (graphs.values ?? []).map((value) => {
    const graph = value.directives?.find(({ name }) => name.value === 'join__graph');
    return {
      graph: value.name.value,
      name: (graph && argumentOf(graph, 'name')) ?? value.name.value,
      url: (graph && argumentOf(graph, 'url')) ?? '',
    };
  });
}

function findInternal(
  document: DocumentNode,
  subgraphs: readonly { name: string; graph: string }[],
): ReadonlyMap<InternalField, string> {
  const found = new Map<InternalField, string>();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
    for (const [name, root] of Object.entries(INTERNAL_FIELDS) as [InternalField, string][]) {
      if (definition.name.value !== root) continue;
      const field = definition.fields?.find((one) => one.name.value === name);
      // A field of a type that only one subgraph has names none of its own.
      const join =
        field?.directives?.find((one) => one.name.value === 'join__field') ??
        definition.directives?.find((one) => one.name.value === 'join__type');
      // A field of this name that clients can see is not ours.
      if (!join || !field?.directives?.some((one) => one.name.value === 'inaccessible')) continue;
      const subgraph = subgraphs.find(({ graph }) => graph === argumentOf(join, 'graph'));
      if (subgraph) found.set(name, subgraph.name);
    }
  }
  return found;
}

function schemaDirectives(document: DocumentNode, name: string): readonly ConstDirectiveNode[] {
  return document.definitions.flatMap((definition) =>
    definition.kind === Kind.SCHEMA_DEFINITION || definition.kind === Kind.SCHEMA_EXTENSION
      ? (definition.directives ?? []).filter((directive) => directive.name.value === name)
      : [],
  );
}

function argumentOf(directive: ConstDirectiveNode, name: string): string | undefined {
  const value = directive.arguments?.find((argument) => argument.name.value === name)?.value;
  return value?.kind === Kind.STRING || value?.kind === Kind.ENUM ? value.value : undefined;
}
