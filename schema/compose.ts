/** Department SDLs → supergraph, or errors that a department's engineer can read. Pure. */
import { composeServices } from '@apollo/composition';
import { readFileSync } from 'node:fs';
import { parse } from 'graphql';

const COMMON = readFileSync(new URL('./common.graphql', import.meta.url), 'utf8');

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@policy", "@shareable", "@inaccessible", "@requires", "@external", "@provides", "@interfaceObject", "@tag", "@cost", "@listSize"])\n`;

/** A department's whole SDL: the federation link and the types common to all, then its own. */
export function toSubgraphSdl(sdl: string): string {
  return `${LINK}\n${COMMON}\n${sdl}`;
}

export class CompositionError extends Error {
  constructor(problems: readonly string[]) {
    super(`the departments do not compose:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'CompositionError';
  }
}

/** `url` of each subgraph stands in the supergraph; a gateway may be told others. */
export function composeSupergraph(
  subgraphs: readonly { readonly name: string; readonly url: string; readonly sdl: string }[],
): string {
  const result = composeServices(
    subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(toSubgraphSdl(sdl)) })),
  );
  if (result.errors) throw new CompositionError(result.errors.map(({ message }) => message));
  return result.supergraphSdl;
}
