import { putResolvableKeysFirst } from '../planning/key-order.ts';

/**
 * The SDL as the planner is given it. Apollo's libraries refuse a supergraph with security directives ("for: SECURITY but is
 * unsupported") and enforce nothing: the rules are read from the full SDL first (load.ts), and the purpose of our own link,
 * of no other, is taken out.
 */
export function toPlannerSdl(sdl: string): string {
  return putResolvableKeysFirst(
    sdl.replaceAll(/(@link\(url: "https:\/\/specs\.apollo\.dev\/policy\/v0\.1"),\s*for:\s*SECURITY/g, '$1'),
  );
}
