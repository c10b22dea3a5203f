/** What one client request carries through planning and execution to every fetch. */
import type { Principal } from '../../schema/principal.ts';
import type { Denied } from '../authorization/decision.ts';
import type { Rights } from '../authorization/rights.ts';
import type { SubjectKnowledge } from './subject-knowledge.ts';

export interface GatewayScope {
  readonly principal: Principal;
  /** The principal as text: whose question it is that is on its way. */
  readonly asker: string;
  readonly rights: Rights;
  /** Ends every fetch: the client left, or the request's time is up. */
  readonly signal: AbortSignal;
  /** `performance.now()` at which the request's time is up. */
  readonly deadline: number;
  /** What decisions must know of subjects; asked once per set of subjects and request. */
  readonly knowledge: SubjectKnowledge;
  /** What happened, for the audit record and the metrics. */
  readonly trail: Trail;
}

export interface Trail {
  /** Subjects that the operation names, and those whose representations were sent to a department. */
  readonly subjects: Set<string>;
  /** Consents, and break-glass releases, that something was fetched on the strength of. */
  readonly consents: Set<string>;
  readonly releases: Set<string>;
  readonly denials: {
    readonly item: string;
    readonly reason: string;
    readonly path: string;
    readonly decision: string;
  }[];
  readonly disclosed: Set<string>;
  /** Paths, joined by dots, of the records under objection in the answer. */
  readonly disputed: string[];
  /** Item → ids of the decisions with a subject by which it may be disclosed. */
  readonly decisions: Map<string, Set<string>>;
  readonly fetches: FetchNote[];
}

/** One request to a department, or what the cache had in its stead. */
export interface FetchNote {
  readonly subgraph: string;
  readonly ok: boolean;
  readonly cached: number;
  readonly asked: number;
  /** Statuses that the department gave its blocks. */
  readonly statuses: readonly string[];
}

/** `named`: see execution/named-subjects.ts. */
export function createTrail(named: ReadonlySet<string> = new Set()): Trail {
  return {
    subjects: new Set(named),
    consents: new Set(),
    releases: new Set(),
    denials: [],
    disclosed: new Set(),
    disputed: [],
    decisions: new Map(),
    fetches: [],
  };
}

/** Notes a denial with its true reason; the client is told another where that one would tell something of the subject. */
export function noteDenial(
  trail: Trail,
  { item, reason, id }: Denied,
  path: readonly (string | number)[],
): void {
  trail.denials.push({ item, reason, decision: id, path: path.join('.') });
}

export function noteAnswered(trail: Trail, note: Omit<FetchNote, 'ok'>): void {
  trail.fetches.push({ ...note, ok: true });
}

export function noteUnreachable(trail: Trail, subgraph: string): void {
  trail.fetches.push({ subgraph, ok: false, cached: 0, asked: 1, statuses: [] });
}
