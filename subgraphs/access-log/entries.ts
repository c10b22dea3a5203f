/** A record of the audit log → what its subject reads of it. Pure. */
import type { PrincipalKind, Purpose } from '../../schema/purpose.ts';
import type { Names } from './names.ts';
import type { LoggedRecord } from './source.ts';
import type { Text, Visibility } from './visibility.ts';

/** How an access ended. ATTEMPTED: it was begun, and no record says that anything left. */
export type AccessResult = 'DISCLOSED' | 'DENIED' | 'ATTEMPTED' | 'WITHHELD';

export interface AccessEntry {
  readonly id: string;
  readonly at: string;
  readonly who: { readonly kind: PrincipalKind; readonly id: string | null } & Text;
  readonly why: { readonly purpose: Purpose | null; readonly code: string } & Text;
  readonly items: readonly ({ readonly id: string } & Partial<Text>)[];
  readonly result: AccessResult;
  readonly consentIds: readonly string[] | null;
  readonly isJoint: boolean;
}

const KINDS: Readonly<Record<Exclude<PrincipalKind, 'department'>, Text>> = {
  public: { zh: '社会公众', en: 'The public' },
  bank: { zh: '金融机构', en: 'A financial institution' },
  partner: { zh: '合作地区平台', en: 'A partner platform' },
  subject: { zh: '本人或其代理人', en: 'The subject, or who acts for it' },
  association: { zh: '行业协会', en: 'An association' },
  operator: { zh: '平台运营方', en: 'The operator of the platform' },
  auditor: { zh: '审计监督方', en: 'The auditor' },
};
/** Consumers by whose id the subject knows them; an officer's, an operator's or an auditor's is a person's account. */
const NAMED: ReadonlySet<PrincipalKind> = new Set(['bank', 'partner', 'subject', 'association']);

export function toEntry({ record, at }: LoggedRecord, visibility: Visibility, names: Names): AccessEntry {
  const isJoint = record.subjects.length > 1;
  const denied = record.denials.map(({ item }) => item);
  return {
    id: record.id,
    at,
    who: toWho(record, visibility, names),
    why: visibility.reasonOf(record.purpose),
    items: [...new Set(record.result === 'DENIED' ? [...record.items, ...denied] : record.items)].map(
      (id) => ({ id, ...names.ofItem(id) }),
    ),
    result: record.result === 'INTENDED' ? 'ATTEMPTED' : record.result,
    // The record does not say whose consent each is, and another's is nobody's business.
    consentIds: isJoint ? null : record.consents,
    isJoint,
  };
}

function toWho(
  { principal, purpose }: LoggedRecord['record'],
  visibility: Visibility,
  names: Names,
): AccessEntry['who'] {
  const { kind, id, department } = principal;
  if (visibility.isUnnamed(purpose, department)) return { kind, id: null, ...visibility.authority };
  if (kind !== 'department') return { kind, id: NAMED.has(kind) ? id : null, ...KINDS[kind] };
  const name = department === undefined ? null : names.ofDepartment(department);
  return { kind, id: department ?? null, ...(name ?? visibility.authority) };
}
