/** A made-up population, for everybody who has no file of registrations: marked codes, marked names, real people nowhere. */
import { TIANJIN_REGIONS, type RegionRow } from '../../schema/identifiers/tianjin-regions.ts';
import { CREDIT_CODE_ALPHABET, makeCreditCode } from '../../schema/identifiers/unified-social-credit-code.ts';
import { toCurrentRegion } from '../../schema/identifiers/region.ts';
import { randomFor, type Random } from './random.ts';
import type { Registration } from './registration.ts';
import { capitalAsWritten, inBrackets, SHOPS, SYLLABLES, TRADES } from './synthetic-words.ts';

/** The company that guides and examples speak of; always the first. */
export const SAMPLE_COMPANY: Registration = {
  name: '天津津信样例（集团）有限公司',
  code: makeCreditCode({ department: '9', category: '1', region: '120101', body8: 'MA9TYN01' }),
  registeredOn: '2016-03-01',
  kind: '有限责任公司',
  capital: '1,000(万元人民币)',
  district: '和平',
};

/** More would need bodies without the mark TYN. */
const MOST = 31 ** 4 - 1;

const CITY: RegionRow['code'] = '120000';
const WEIGHTED_REGIONS: readonly RegionRow[] = TIANJIN_REGIONS.flatMap((row) => {
  if (row.status === 'NON_STANDARD' || row.code === '120100' || row.code === '120200') return [];
  return Array.from({ length: row.code === '120116' ? 6 : row.status === 'CURRENT' ? 2 : 1 }, () => row);
});

/**
 * `size` companies. Each follows from the seed and its place alone, so a larger population begins with the smaller one.
 * Throws RangeError above 923,520, where the marked codes end.
 */
export function generatePopulation({ size, seed }: { size: number; seed: string }): Registration[] {
  if (!Number.isInteger(size) || size < 0 || size > MOST) throw new RangeError(`size must be 0 to ${MOST}`);
  return Array.from({ length: size }, (_, place) =>
    place === 0 ? SAMPLE_COMPANY : madeUpCompany(place, randomFor(seed, String(place), 'registration')),
  );
}

function madeUpCompany(place: number, random: Random): Registration {
  const region = random.pick(WEIGHTED_REGIONS);
  const { category, kind, name } = random.pick(FORMS)(random, wordFor(place), districtName(region));
  return {
    name,
    code: makeCreditCode({ department: '9', category, region: region.code, body8: bodyFor(place + 1) }),
    registeredOn: random.date('1979-05-01', '2025-06-30'),
    kind: random.chance(0.6) ? 'N/A' : kind,
    capital: category === '1' ? capitalAsWritten(random) : 'N/A',
    district: districtAsWritten(random, region),
  };
}

type Form = (
  random: Random,
  word: string,
  district: string,
) => { category: string; kind: string; name: string };

const limited: Form = (random, word) => ({
  category: '1',
  kind: '有限责任公司',
  name: random.pick([
    `天津津信测试${word}${random.pick(TRADES)}有限公司`,
    `天津津信测试${word}${inBrackets(random, '集团')}有限公司`,
    `津信测试${word}${inBrackets(random, '天津')}${random.pick(TRADES)}有限公司`,
    `津信测试${word}${random.pick(TRADES)}${inBrackets(random, '天津')}有限责任公司`,
    `天津津信测试${word}JX${random.pick(TRADES)}有限公司`,
  ]),
});
const joint: Form = (random, word) => ({
  category: '1',
  kind: '股份有限公司',
  name: `天津津信测试${word}${random.pick(TRADES)}股份有限公司`,
});
const branch: Form = (random, word, district) => ({
  category: '1',
  kind: '集体分支机构(非法人)',
  name: `天津津信测试${word}${random.pick(TRADES)}公司${random.pick(['', ' ', '　'])}${district}分公司`,
});
const soleTrader: Form = (random, word, district) => ({
  category: '2',
  kind: '个体工商户',
  name: `天津市${district}津信测试${word}${random.pick(SHOPS)}`,
});
const cooperative: Form = (_, word, district) => ({
  category: '3',
  kind: '农民专业合作经济组织',
  name: `天津市${district}津信测试${word}种植农民专业合作社`,
});
/** About the shares of the real register: mostly companies, some sole traders, few cooperatives. */
const FORMS: readonly Form[] = [
  ...Array.from({ length: 14 }, () => limited),
  joint,
  branch,
  branch,
  soleTrader,
  soleTrader,
  cooperative,
];

const districtName = (region: RegionRow): string =>
  region.code === CITY ? '' : (toCurrentRegion(region.code)?.name ?? region.name);

/** The column 地区: a district without 区, or a zone, or nothing. */
function districtAsWritten(random: Random, region: RegionRow): string {
  if (region.code === CITY) return random.pick(['和平', '河西', '自贸区', 'N/A']);
  const current = toCurrentRegion(region.code);
  if (current?.code === '120116') return random.pick(['滨海', '滨海', '滨海', '滨海', '保税区', '自贸区']);
  return current?.name.replace(/区$/, '') ?? 'N/A';
}

/** 1 → MA9TYN01 … in base 31; the mark TYN stays at its place whatever the number. */
function bodyFor(number: number): string {
  const digit = (power: number, first: number): string =>
    CREDIT_CODE_ALPHABET.charAt((Math.floor(number / 31 ** power) + first) % 31);
  return `M${digit(3, 10)}${digit(2, 9)}TYN${digit(1, 0)}${digit(0, 0)}`;
}

/** A word that no other place has: its syllables are the place in base n, each shifted by the one before, so that neighbours look different. */
function wordFor(place: number): string {
  const base = SYLLABLES.length;
  let word = '';
  let shift = 0;
  for (let rest = place + base; rest > 0; rest = Math.floor(rest / base)) {
    const at = (rest + shift) % base;
    word += SYLLABLES[at] ?? '';
    shift = at * 7;
  }
  return word;
}
