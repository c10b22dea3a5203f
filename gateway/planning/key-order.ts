/**
 * The order of keys in a supergraph. For a requirement that leads back into a subgraph the planner takes the first @key of the
 * type there, be it one that the subgraph does not resolve: those that it resolves are put first.
 */
import type { ConstDirectiveNode } from 'graphql';
import { Kind, parse, print, visit } from 'graphql';

/** The same supergraph; nothing is added and nothing dropped. */
export function putResolvableKeysFirst(sdl: string): string {
  if (!/resolvable:\s*false/.test(sdl)) return sdl;
  const sorted = <Type extends { readonly directives?: readonly ConstDirectiveNode[] }>(
    type: Type,
  ): Type => ({
    ...type,
    directives: [...(type.directives ?? [])].sort((a, b) => rankOf(a) - rankOf(b)),
  });
  return print(
    visit(parse(sdl, { noLocation: true }), {
      ObjectTypeDefinition: sorted,
      InterfaceTypeDefinition: sorted,
    }),
  );
}

function rankOf(directive: ConstDirectiveNode): number {
  const resolvable = directive.arguments?.find(({ name }) => name.value === 'resolvable')?.value;
  return directive.name.value === 'join__type' && resolvable?.kind === Kind.BOOLEAN && !resolvable.value
    ? 1
    : 0;
}
