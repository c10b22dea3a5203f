/** Everybody who can ask: each kind of principal with each purpose, with and without what the catalogue may ask for. */
import { ANONYMOUS } from '../../../schema/principal.ts';
import { PRINCIPAL_KINDS, PURPOSES } from '../../../schema/purpose.ts';
import type { HarnessSubject } from './departments.ts';
import type { Asker, Oracle } from './oracle.ts';

/**
 * `first` is the subject that consents, that a `subject` is, and so is the person of whom `person` is the id; and for which a release is open; what is true of it must never
 * show of another. Of every combination that the catalogue tells apart there is one; its id is its name.
 */
export function createAskers(
  oracle: Oracle,
  first: HarnessSubject,
  person: string,
  seed: string,
): readonly Asker[] {
  const every = [...oracle.items.keys()];
  const all = [first.id, person];
  const ofAll = (items: readonly string[]) => Object.fromEntries(all.map((id) => [id, items]));
  const askers: Asker[] = [];
  for (const kind of PRINCIPAL_KINDS)
    for (const purpose of PURPOSES)
      for (const department of kind === 'department' ? oracle.departments : [undefined]) {
        const plain: Asker = {
          // Who comes without a token bears the name that the gateway gives.
          id:
            kind === ANONYMOUS.kind && purpose === ANONYMOUS.purpose
              ? ANONYMOUS.id
              : `${kind}-${purpose}-${department ?? 'none'}-${seed}`.slice(0, 100),
          kind,
          purpose,
          ...(department === undefined ? {} : { department }),
          subjects: [],
          consents: {},
          releases: {},
        };
        askers.push(plain);
        const may = (requirement: string) => mayNeed(oracle, plain, requirement);
        if (may('CONSENT')) askers.push({ ...plain, id: `consented-${plain.id}`, consents: ofAll(every) });
        if (may('CONSENT'))
          askers.push({
            ...plain,
            id: `half-${plain.id}`,
            consents: ofAll(every.filter((_, at) => at % 2 === 0)),
          });
        if (may('SELF')) askers.push({ ...plain, id: `self-${plain.id}`, subjects: all });
        if (may('BREAK_GLASS')) askers.push({ ...plain, id: `released-${plain.id}`, releases: ofAll(every) });
      }
  // A consent or a release that is no basis for this kind or purpose is none.
  askers.push({
    id: `stray-${seed}`,
    kind: 'partner',
    purpose: 'REGIONAL_EXCHANGE',
    subjects: all,
    consents: ofAll(every),
    releases: ofAll(every),
  });
  return askers;
}

function mayNeed(oracle: Oracle, { kind, purpose, department }: Asker, requirement: string): boolean {
  return [...oracle.items.values()].some(
    (grants) =>
      grants !== 'PUBLIC' &&
      grants.some(
        ({ principals, purposes, departments, requires }) =>
          requires === requirement &&
          principals.includes(kind) &&
          (purposes?.includes(purpose) ?? true) &&
          (departments?.includes(department ?? '') ?? true),
      ),
  );
}
