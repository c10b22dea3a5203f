/** The decisions over a supergraph for one kind of principal and purpose, remembered: what the stages of a request ask. */
import { LRUCache } from 'lru-cache';
import type { Rules } from '../../schema/catalogue.ts';
import type { Requirements } from '../supergraph/load.ts';
import type { Asker } from './decide.ts';
import { decide, decideField } from './decide.ts';
import type { Decision, FinalDecision } from './decision.ts';
import type { RecordState, SubjectFacts } from './subject-facts.ts';

export interface Rights {
  readonly asker: Asker;
  /** Before the subject is known. */
  ofItem(item: string): Decision;
  /** Null where the field needs no item. */
  ofField(type: string, field: string): Decision | null;
  itemsOf(type: string, field: string): readonly string[];
  /** Of a subject, and of a record of it. */
  withSubject(item: string, subject: SubjectFacts, record?: RecordState): FinalDecision;
}

export function createRights(rules: Rules, requirements: Requirements, asker: Asker): Rights {
  const decided = new Map<string, Decision>();
  function ofItem(item: string): Decision {
    const decision = decided.get(item) ?? decide(rules, asker, item, null);
    decided.set(item, decision);
    return decision;
  }
  const itemsOf = (type: string, field: string) => requirements.get(`${type}.${field}`) ?? [];
  return {
    asker,
    ofItem,
    itemsOf,
    ofField: (type, field) => decideField(itemsOf(type, field).map(ofItem)),
    withSubject(item, subject, record) {
      const decision = decide(rules, asker, item, subject, record);
      // With a subject there is nothing left to ask; a grant that asked for more would be one that nobody can meet.
      if (decision.effect === 'ask') throw new Error(`the decision on ${item} was left open`);
      return decision;
    },
  };
}

/** One set of rights for each kind, purpose and department, however many principals there are. */
export function createRightsOf(rules: Rules, requirements: Requirements): (asker: Asker) => Rights {
  const known = new LRUCache<string, Rights>({ max: 1_000 });
  return ({ kind, purpose, department }) => {
    const key = `${kind} ${purpose} ${department ?? ''}`;
    const rights =
      known.get(key) ??
      createRights(rules, requirements, {
        kind,
        purpose,
        ...(department === undefined ? {} : { department }),
      });
    known.set(key, rights);
    return rights;
  };
}
