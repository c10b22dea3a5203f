/** Decisions, for a look-up of persons: with the subject, and the same words for whoever is refused. */
import { createError } from '../../schema/errors.ts';
import { toDecisionId } from '../authorization/decision.ts';
import type { DecidedEntry, Group } from './disclosure-groups.ts';
import { groupByDenied, noteGrounds, toDenial, withNobody } from './disclosure-groups.ts';
import { toResponseName } from './keys.ts';
import type { LookupPorts } from './person-lookup.ts';
import type { GatewayScope } from './request-scope.ts';

/** `ask`, `personOf` and `toError` are the fetch's own. */
export function createLookupPorts(
  scope: GatewayScope,
  fetch: Pick<LookupPorts, 'ask' | 'personOf' | 'toError'>,
): LookupPorts {
  const decided = new Map<string, Pick<DecidedEntry, 'grounds'> & Pick<Group, 'denied'>>();
  return {
    ...fetch,
    async deniedOf(operation, subjects) {
      const entries = subjects.map((id) => ({ representation: { id }, positions: [] }));
      for (const { denied, entries: of } of await groupByDenied(scope, operation, entries))
        for (const { representation, grounds } of of)
          decided.set(String(representation['id']), { denied, grounds });
      return new Map([...decided].map(([subject, { denied }]) => [subject, denied]));
    },
    rely: (subject) => noteGrounds(scope, decided.get(subject)?.grounds ?? []),
    refused({ key, items }) {
      const path = [toResponseName(key)].join('.');
      // Nobody's decision: the same whether there is no such person or one may not look.
      const decision = toDecisionId(['LOOKUP_REFUSED', ...items]);
      for (const item of items) scope.trail.denials.push({ item, reason: 'LOOKUP_REFUSED', path, decision });
      return createError('LOOKUP_REFUSED', { path: [key], extensions: { decision } });
    },
    denied: (item, decision, path) => toDenial(scope, decision ?? withNobody(scope, item), path),
  };
}
