/** What the law makes of an item in the eyes of the subject that is asked for it: personal, sensitive, written, or none of these. */
import type { Rules } from '../../schema/catalogue.ts';
import { ruleOf } from '../../schema/law.ts';
import type { Purpose } from '../../schema/purpose.ts';
import type { SubjectClass } from './templates.ts';

export interface ItemFacts {
  readonly item: string;
  readonly nameZh: string;
  readonly nameEn: string;
  readonly sensitivity: 'L1' | 'L2' | 'L3' | 'L4';
  readonly basis: readonly string[];
  /** Tells of a natural person: a separate consent is needed to pass it on (PIPL art. 23). */
  readonly isPersonal: boolean;
  /** Sensitive personal information, and any of a minor under fourteen (PIPL art. 28, 29). */
  readonly isSensitive: boolean;
  /** Only with consent in writing after a warning (征信业管理条例 art. 14, 天津市社会信用条例 art. 16). */
  readonly isWritten: boolean;
}

/** Item → what the law makes of it; null for one that nobody can consent to for this purpose, or that does not exist. */
export type FactsOf = (
  item: string,
  about: { readonly purpose: Purpose; readonly subject: SubjectClass; readonly isUnder14: boolean },
) => ItemFacts | null;

/** The law on personal information, as a legal basis in the catalogue names it. */
const PERSONAL_BASIS = '个人信息保护法';

export function createFactsOf({ catalogue, law }: Rules): FactsOf {
  return (id, { purpose, subject, isUnder14 }) => {
    const item = catalogue.get(id);
    const isConsentable = item?.use.some(
      ({ requires, purposes }) => requires === 'CONSENT' && (!purposes || purposes.includes(purpose)),
    );
    if (!item || !isConsentable) return null;
    return {
      item: id,
      nameZh: item.name.zh,
      nameEn: item.name.en,
      sensitivity: item.sensitivity,
      basis: item.basis,
      isPersonal: subject === 'person' || item.basis.some((basis) => basis.startsWith(PERSONAL_BASIS)),
      isSensitive: item.sensitivity === 'L4' || isUnder14,
      isWritten: ruleOf(law, item).rule === 'WRITTEN_CONSENT',
    };
  };
}
