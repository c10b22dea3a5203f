/**
 * 脱敏: what is left of a personal value for somebody who may know of it but not see it. Every mask is total: a text
 * that has not the expected form is hidden wholly, and a mask never tells how long the hidden part was.
 */
import { AMOUNT_BANDS, toAmountBand, type AmountBand } from './amount-bands.ts';
import { maskCitizenId } from './citizen-id.ts';
import { toHalfWidth, withoutWhiteSpace } from './plain-text.ts';
import { TIANJIN_REGIONS } from './tianjin-regions.ts';

export const MASK_KINDS = ['name', 'citizen-id', 'phone', 'account', 'address', 'amount'] as const;
export type MaskKind = (typeof MASK_KINDS)[number];

const HIDDEN = '***';

const MASKS: Readonly<Record<MaskKind, (text: string) => string>> = {
  name: maskName,
  'citizen-id': maskCitizenId,
  phone: maskPhone,
  account: maskAccount,
  address: maskAddress,
  amount: maskAmount,
};

/** The masked form of a value; null stays null, for there is nothing to hide. What is neither text nor number is hidden wholly. */
export function maskValue(kind: MaskKind, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'string' && typeof value !== 'number') return HIDDEN;
  return MASKS[kind](String(value));
}

/** 张三丰 → 张*. A name of one character has nothing to show. */
export function maskName(name: string): string {
  const [first, second] = [...withoutWhiteSpace(name)];
  return first === undefined || second === undefined ? '*' : `${first}*`;
}

/** 13800000000 → 138****0000; area code and last four of a land line; anything shorter than 11 digits is hidden. */
export function maskPhone(phone: string): string {
  const digits = toHalfWidth(withoutWhiteSpace(phone))
    .replace(/^(\+|00)86-?/, '')
    .replace(/[-()]/g, '');
  return /^\d{11,12}$/.test(digits) ? `${digits.slice(0, 3)}****${digits.slice(-4)}` : '*'.repeat(11);
}

/** Last four digits of a bank or fund account of at least nine; a shorter one is hidden. */
export function maskAccount(account: string): string {
  const plain = toHalfWidth(withoutWhiteSpace(account)).replace(/-/g, '');
  return /^[0-9A-Za-z]{9,}$/.test(plain) ? `****${plain.slice(-4)}` : '****';
}

const CITY = '天津市';
const DISTRICT_NAMES = TIANJIN_REGIONS.map(({ name }) => name).filter(
  (name) => name !== CITY && name !== '市辖区' && name !== '县',
);
const PROVINCES =
  '北京市 河北省 山西省 内蒙古自治区 辽宁省 吉林省 黑龙江省 上海市 江苏省 浙江省 安徽省 福建省 江西省 山东省 河南省 湖北省 湖南省 广东省 广西壮族自治区 海南省 重庆市 四川省 贵州省 云南省 西藏自治区 陕西省 甘肃省 青海省 宁夏回族自治区 新疆维吾尔自治区 台湾省 香港特别行政区 澳门特别行政区'.split(
    ' ',
  );

/**
 * Down to the district in Tianjin, to the province elsewhere. Names are looked up, not guessed by their last character:
 * 阳光小区 ends like a district and is somebody's home.
 */
export function maskAddress(address: string): string {
  const plain = withoutWhiteSpace(address);
  const province = PROVINCES.find((name) => plain.startsWith(name));
  if (province !== undefined) return province + HIDDEN;
  const [city] = /^天津市?/.exec(plain) ?? [''];
  const rest = plain.slice(city.length).replace(/^(市辖区|县)/, '');
  const district = DISTRICT_NAMES.find((name) => rest.startsWith(name));
  return (city === '' ? '' : CITY) + (district ?? '') + HIDDEN;
}

/** An amount in yuan → the name of its band, in Chinese. What is not a plain number is hidden: its unit would be a guess. */
export function maskAmount(amount: string, bands: readonly AmountBand[] = AMOUNT_BANDS): string {
  const plain = toHalfWidth(withoutWhiteSpace(amount));
  if (!/^-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?$/.test(plain)) return HIDDEN;
  return toAmountBand(Number(plain.replaceAll(',', '')), bands)?.zh ?? HIDDEN;
}
