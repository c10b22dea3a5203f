/**
 * Several fetches of entities in one request: how the gateway calls them, so that a department can tell its representations
 * from a client's variables. The gateway gives every variable of a client that begins with the prefix another name.
 */

/** Names that are the gateway's own, inside a request to a department. */
export const PRIVATE_PREFIX = 'jx__';

export const entitiesAlias = (at: number): string => `${PRIVATE_PREFIX}e${at}`;
export const representationsVariable = (at: number): string => `${PRIVATE_PREFIX}r${at}`;

/** Whether a variable holds representations; a fetch that travels alone calls it as the Federation specification does. */
export function isRepresentationsVariable(name: string): boolean {
  return name === 'representations' || /^jx__r\d+$/.test(name);
}
