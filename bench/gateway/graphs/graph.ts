/** A graph of the bench: subgraphs with data of their own, composed with policies for whoever enforces them, or without. */
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import type { DepartmentCatalogue } from '../../../schema/catalogue.ts';

export interface BenchGraph {
  readonly name: string;
  readonly subgraphs: readonly BenchSubgraph[];
  /** What the policies name. */
  readonly catalogue: DepartmentCatalogue;
}

export interface BenchSubgraph {
  readonly name: string;
  /** Without the federation's @link. */
  readonly sdl: string;
  readonly resolvers: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@external", "@provides", "@shareable"';

/** The supergraph; `urlOf` says where each subgraph is. */
export function composeGraph(
  { name, subgraphs }: BenchGraph,
  urlOf: (subgraph: string) => string,
  { withPolicies }: { withPolicies: boolean },
): string {
  const { supergraphSdl, errors } = composeServices(
    subgraphs.map((subgraph) => ({
      name: subgraph.name,
      url: urlOf(subgraph.name),
      typeDefs: parse(toSubgraphSdl(subgraph, withPolicies)),
    })),
  );
  if (errors) throw new Error(`${name} does not compose: ${errors.map(({ message }) => message).join('; ')}`);
  return supergraphSdl;
}

export function toSubgraphSdl({ sdl }: BenchSubgraph, withPolicies: boolean): string {
  return withPolicies
    ? `${LINK}, "@policy"])\n${sdl}`
    : `${LINK}])\n${sdl.replaceAll(/ @policy\(policies: \[\[[^\]]*\]\]\)/g, '')}`;
}
