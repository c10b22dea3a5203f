/**
 * The text of the 授权书, in Chinese (which binds) and English. Whoever changes a word here changes TEXT_VERSION: what somebody
 * agreed to is shown years later by the version and the digest.
 *
 * It says what the law wants said before a consent: who receives, why, what, how long, how to withdraw (PIPL art. 17, 23),
 * why sensitive items are needed and what may follow (PIPL art. 30, 征信业管理条例 art. 14), and says it prominently where it
 * is to the subject's disadvantage (征信业管理条例 art. 19). A person's identifier never stands in it.
 */
import { digestOf } from '../../schema/canonical.ts';
import type { ConsentChannel } from '../../schema/consent.ts';
import type { Purpose } from '../../schema/purpose.ts';
import type { ItemFacts } from './items.ts';
import { toDay } from './register.ts';
import type { ConsentTerms, FrequencyUnit } from './templates.ts';

export const TEXT_VERSION = '2026.1';

/** `digest`: SM3 over version and both languages. */
export interface AuthorisationText {
  readonly version: string;
  readonly zh: string;
  readonly en: string;
  readonly digest: string;
}

export interface AuthorisationFacts {
  /** The code of an organisation; null for a person. */
  readonly code: string | null;
  readonly consumer: string;
  readonly product: string | null;
  readonly channel: ConsentChannel;
  readonly terms: ConsentTerms;
  readonly items: readonly ItemFacts[];
}

const PURPOSE_NAMES: Partial<Readonly<Record<Purpose, { zh: string; en: string }>>> = {
  LOAN_ORIGINATION: { zh: '贷款审批', en: 'deciding on a loan' },
  LOAN_MONITORING: { zh: '贷后管理', en: 'monitoring a running loan' },
};
const CHANNEL_NAMES: Readonly<Record<ConsentChannel, { zh: string; en: string }>> = {
  PUBLIC_CREDIT_PLATFORM: { zh: '公共信用信息平台', en: 'the public credit platform' },
  LICENSED_BUREAU: { zh: '持牌征信机构', en: 'a licensed credit bureau' },
};
const UNIT_NAMES: Readonly<Record<FrequencyUnit, { zh: string; en: string }>> = {
  CONSENT: { zh: '授权期内', en: 'in the whole life of the consent' },
  DAY: { zh: '每日', en: 'a day' },
  MONTH: { zh: '每月', en: 'a month' },
};

/** The consequences that a subject is to be told of before it decides; prominent in the text, and shown beside it. */
export const CONSEQUENCES = {
  zh: '【重要提示】所提供的信息将用于评估您的信用，可能导致授信被拒绝、额度降低或利率提高。收入、存款、有价证券、商业保险、不动产和纳税数额信息，只有经您书面同意方可采集和提供。您可以逐项拒绝，也可以全部拒绝；拒绝的项目不会被查询，平台不会因此对您作出不利记载。',
  en: 'IMPORTANT: what is provided will be used to assess your credit, and may lead to a refusal, a lower limit or a higher rate. Income, deposits, securities, commercial insurance, real property and amounts of tax are collected and provided only with your consent in writing. You may refuse each item, or all of them; what you refuse is not asked for, and the platform records nothing against you for it.',
} as const;

export function toAuthorisationText(facts: AuthorisationFacts): AuthorisationText {
  const text = { version: TEXT_VERSION, zh: inChinese(facts), en: inEnglish(facts) };
  return { ...text, digest: `sm3:${digestOf(text)}` };
}

function inChinese({ code, consumer, product, channel, terms, items }: AuthorisationFacts): string {
  const { frequency } = terms;
  return [
    `信用信息查询授权书（${TEXT_VERSION}）`,
    `授权人：${code === null ? '平台已核验身份的自然人' : `统一社会信用代码 ${code}`}`,
    `被授权人（信息接收方）：${consumer}`,
    `一、用途：${PURPOSE_NAMES[terms.purpose]?.zh ?? terms.purpose}${product === null ? '' : `（产品 ${product}）`}，不得用于其他用途，不得向第三方提供。`,
    `二、信息项（${items.length} 项）：${items.map(describeZh).join('；')}。`,
    `三、信息期间：${toDay(terms.periodFrom)} 至 ${toDay(terms.periodUntil)}。`,
    `四、查询频次：${UNIT_NAMES[frequency.per].zh}至多 ${frequency.times} 次。`,
    `五、提供方式：经${CHANNEL_NAMES[channel].zh}。`,
    `六、授权期限：至 ${new Date(terms.expiresAt).toISOString()}；被授权人留存信息不超过 ${terms.dataLifeDays} 日，期满或授权终止后应当删除。`,
    '七、授权人可以随时在平台暂停或撤销本授权，撤销立即生效；撤销不影响此前依授权进行的处理。授权人可以查询何人何时查看了本人信息，可以提出异议。',
    `八、${CONSEQUENCES.zh}`,
  ].join('\n');
}

function inEnglish({ code, consumer, product, channel, terms, items }: AuthorisationFacts): string {
  const { frequency } = terms;
  return [
    `Authorisation to query credit information (${TEXT_VERSION}); the Chinese text binds.`,
    `Given by: ${code === null ? 'a natural person whose identity the platform has checked' : `unified social credit code ${code}`}`,
    `Given to (the recipient): ${consumer}`,
    `1. Purpose: ${PURPOSE_NAMES[terms.purpose]?.en ?? terms.purpose}${product === null ? '' : ` (product ${product})`}; for no other purpose, and not to be passed on.`,
    `2. Items (${items.length}): ${items.map(describeEn).join('; ')}.`,
    `3. Period of the information: ${toDay(terms.periodFrom)} to ${toDay(terms.periodUntil)}.`,
    `4. Frequency: at most ${frequency.times} ${UNIT_NAMES[frequency.per].en}.`,
    `5. Channel: ${CHANNEL_NAMES[channel].en}.`,
    `6. Ends: ${new Date(terms.expiresAt).toISOString()}; the recipient keeps the information for at most ${terms.dataLifeDays} days and deletes it then, or when the consent has ended.`,
    '7. It can be paused or revoked on the platform at any time, with effect at once and not for what was done before. Who looked at the information, and when, can be read there, and objections raised.',
    `8. ${CONSEQUENCES.en}`,
  ].join('\n');
}

const describeZh = ({ nameZh, item, isPersonal, isSensitive, isWritten }: ItemFacts): string =>
  `${nameZh}（${[item, ...(isPersonal ? ['个人信息'] : []), ...(isSensitive ? ['敏感个人信息'] : []), ...(isWritten ? ['须书面同意'] : [])].join('，')}）`;

const describeEn = ({ nameEn, item, isPersonal, isSensitive, isWritten }: ItemFacts): string =>
  `${nameEn} (${[item, ...(isPersonal ? ['personal'] : []), ...(isSensitive ? ['sensitive'] : []), ...(isWritten ? ['in writing only'] : [])].join(', ')})`;
