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

const item = (name: string, use: readonly object[]) => ({
  id: `${LAB}.${name}`,
  name: { zh: name, en: name },
  publicity: use.length === 0 ? 'PUBLIC' : 'NOT_PUBLIC',
  sharing: 'CONDITIONAL',
  use,
  basis: ['the harness'],
  sensitivity: 'L2',
  retention: 86_400,
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

/** The catalogue file with the lab's items in it. */
export function withLabItems(catalogueJson: string): string {
  const file = JSON.parse(catalogueJson) as { catalogues: readonly object[] };
  const [first] = file.catalogues;
  const lab = { ...first, department: LAB, name: { zh: LAB, en: LAB }, version: '1', items: ITEMS };
  return JSON.stringify({ ...file, catalogues: [...file.catalogues, lab] });
}
