/** What one client request carries through planning and execution to every fetch. */
import type { Principal } from '../../schema/principal.ts';
import type { Rights } from '../authorization/rights.ts';

export interface GatewayScope {
  readonly principal: Principal;
  readonly rights: Rights;
  /** Ends every fetch: the client left, or the request's time is up. */
  readonly signal: AbortSignal;
  /** `performance.now()` at which the request's time is up. */
  readonly deadline: number;
  /** Items of the subject's live consents for this consumer and purpose; asked once per subject and request. */
  consentedItems(subjects: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>>;
  /** What happened, for the audit record and the metrics. */
  readonly trail: Trail;
}

export interface Trail {
  /** Subjects whose representations were sent to a department, and those that the operation names. */
  readonly subjects: Set<string>;
  readonly consents: Set<string>;
  /** Id of the record that was made before a mutation was carried out; the record of its end corrects that one. */
  intention: string | null;
  readonly denials: { readonly item: string; readonly reason: string; readonly path: string }[];
  readonly disclosed: Set<string>;
  readonly fetches: {
    readonly subgraph: string;
    readonly ok: boolean;
    readonly cached: number;
    readonly asked: number;
  }[];
}

export function createTrail(): Trail {
  return {
    subjects: new Set(),
    consents: new Set(),
    intention: null,
    denials: [],
    disclosed: new Set(),
    fetches: [],
  };
}
