/** A registered name in its parts: 行政区划 + 字号/行业 + 组织形式 (企业名称登记管理规定: region, trade name, business, form). */
import { normaliseCompanyName } from '../../schema/identifiers/company-name.ts';

export interface NameParts {
  /** As normaliseCompanyName makes it: brackets, white space and width no longer differ. */
  readonly normalised: string;
  /** As `normalised`, without brackets and with one spelling of the legal form. */
  readonly key: string;
  readonly region: string;
  /** What is left: never empty. */
  readonly core: string;
  readonly form: string;
  /** Pairs of neighbouring characters of `core`: they find short trade names, which are no trigram. */
  readonly bigrams: readonly string[];
}

/** Longest first: 有限责任公司 ends in 公司 too. The second spelling is what the first is taken for. */
const FORMS: readonly (readonly [string, string])[] = [
  ['有限责任公司', '有限公司'],
  ['股份有限公司', '股份有限公司'],
  ['农民专业合作社', '专业合作社'],
  ['有限公司', '有限公司'],
  ['专业合作社', '专业合作社'],
  ['合作社', '合作社'],
  ['总公司', '总公司'],
  ['分公司', '分公司'],
  ['有限合伙', '有限合伙'],
  ['合伙企业', '合伙企业'],
  ['公司', '公司'],
  ['经营部', '经营部'],
  ['商店', '商店'],
  ['中心', '中心'],
  ['厂', '厂'],
];

const DISTRICTS =
  '滨海新区|和平|河东|河西|南开|河北|红桥|塘沽|汉沽|大港|东丽|西青|津南|北辰|武清|宝坻|宁河|静海|蓟州|蓟县|蓟';
// A district counts only with its 区 or 县: 河东 and 和平 begin trade names as well.
const REGION = new RegExp(`^(?:天津市?)?(?:(?:滨海新区)?(?:${DISTRICTS})(?:新?区|县)|滨海新区)?`, 'u');

export function toNameParts(name: string): NameParts {
  const normalised = normaliseCompanyName(name);
  const plain = normalised.replace(/[()]/g, '');
  const [written = '', form = ''] =
    FORMS.find(([ending]) => plain.endsWith(ending) && plain !== ending) ?? [];
  const body = plain.slice(0, plain.length - written.length);
  const region = REGION.exec(body)?.[0] ?? '';
  // A name of region and form alone (天津市公司) keeps its region as the core.
  const core = body.slice(region.length) || body;
  return {
    normalised,
    key: body + form,
    region: core === body ? '' : region,
    core,
    form,
    bigrams: toBigrams(core),
  };
}

function toBigrams(text: string): readonly string[] {
  const characters = [...text];
  return [...new Set(characters.slice(1).map((character, at) => `${characters[at] ?? ''}${character}`))];
}
