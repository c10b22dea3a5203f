/**
 * A department that only the cache's harness has: between its fields everything matters that a key of a cache must hold, so
 * that a wrong hit shows. Its values depend on arguments, on who asks, and on which generation of the gateway does.
 */
export const LAB = 'lab';

export const LAB_SDL = `
type CreditSubject @key(fields: "id") { id: SubjectId! lab: LabRecord }
type LabRecord {
  open(unit: String = "a"): String @policy(policies: [["lab.open"]])
  consented: String @policy(policies: [["lab.consented"]])
  masked: String @policy(policies: [["lab.masked"]])
  own: String @policy(policies: [["lab.own"]])
  duty: String @policy(policies: [["lab.duty"]])
  monitored: String @policy(policies: [["lab.monitored"]])
  "Another value for everybody who asks: never to be kept, nor to be shared in flight."
  personal: String @policy(policies: [["lab.personal"]])
}
`;

export const PERSONAL = 'LabRecord.personal';

/** Beside what the lab needs, an item is like any public one of the catalogue. */
const item = (name: string, use: readonly object[]) => ({
  id: `${LAB}.${name}`,
  publicity: use.length === 0 ? 'PUBLIC' : 'NOT_PUBLIC',
  sharing: 'CONDITIONAL',
  use,
});

const ITEMS = [
  item('open', []),
  item('consented', [{ principals: ['bank'], requires: 'CONSENT' }, { principals: ['department'] }]),
  item('masked', [
    { principals: ['bank', 'public'], mask: 'name' },
    { principals: ['department', 'subject'] },
  ]),
  item('own', [{ principals: ['subject'], requires: 'SELF' }]),
  item('duty', [{ principals: ['department'], departments: ['tax'], purposes: ['OFFICIAL_DUTY'] }]),
  item('monitored', [{ principals: ['bank'], purposes: ['LOAN_MONITORING'] }]),
  item('personal', [{ principals: ['bank', 'department', 'subject'] }]),
];

interface CatalogueFile {
  readonly catalogues: readonly { readonly items: readonly { readonly publicity: string }[] }[];
}

/** The catalogue file with the lab's items in it. */
export function withLabItems(catalogueJson: string): string {
  const file = JSON.parse(catalogueJson) as CatalogueFile;
  const [first] = file.catalogues;
  const usual = file.catalogues.flatMap(({ items }) => items).find(({ publicity }) => publicity === 'PUBLIC');
  const items = ITEMS.map((one) => ({ ...usual, ...one }));
  const lab = { ...first, department: LAB, version: '1', items };
  return JSON.stringify({ ...file, catalogues: [...file.catalogues, lab] });
}
