/** Why a changed supergraph is not taken. What a probe or a metric shows is one of these; the details are for the log. */

export const REFUSALS = {
  UNREADABLE: 'its file or address cannot be read',
  INVALID: 'it is not a supergraph that can be served',
  SECURITY: 'it has rules of access that are not understood',
  CATALOGUE: 'the catalogue is not valid, or lacks an item that the graph names',
  UNGUARDED: 'a field would lose its rule of access; only a start takes that',
  BROKEN_OPERATIONS: 'a registered operation would no longer be valid',
  UNPREPARED: 'it could not be made ready; it is tried again',
} as const;
export type RefusalKind = keyof typeof REFUSALS;

export class RefusedGraphError extends Error {
  readonly kind: RefusalKind;
  constructor(kind: RefusalKind, detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = 'RefusedGraphError';
    this.kind = kind;
  }
}
