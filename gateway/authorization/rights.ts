/** One principal's decisions over a supergraph, remembered per item: what the stages of a request ask. */
import type { Catalogue } from '../../schema/catalogue.ts';
import type { Principal } from '../../schema/principal.ts';
import type { Requirements } from '../supergraph/load.ts';
import type { Decision } from './decide.ts';
import { decide, decideField } from './decide.ts';

export interface Rights {
  readonly principal: Principal;
  ofItem(item: string): Decision;
  /** Null where the field needs no item. */
  ofField(type: string, field: string): Decision | null;
  itemsOf(type: string, field: string): readonly string[];
}

export function createRights(catalogue: Catalogue, requirements: Requirements, principal: Principal): Rights {
  const decided = new Map<string, Decision>();
  function ofItem(item: string): Decision {
    const decision = decided.get(item) ?? decide(catalogue, principal, item);
    decided.set(item, decision);
    return decision;
  }
  const itemsOf = (type: string, field: string) => requirements.get(`${type}.${field}`) ?? [];
  return {
    principal,
    ofItem,
    itemsOf,
    ofField(type, field) {
      const items = itemsOf(type, field);
      return items.length === 0 ? null : decideField(items.map(ofItem));
    },
  };
}
