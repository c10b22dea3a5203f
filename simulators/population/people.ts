/** Synthetic people. Every one was born in 1900 and has a name that says it is made up, so none can be a real person. */
import { citizenIdCheckDigit, type CitizenId } from '../../schema/identifiers/citizen-id.ts';
import { TIANJIN_DISTRICTS } from '../../schema/identifiers/tianjin-regions.ts';
import { randomFor } from './random.ts';

export interface Person {
  readonly name: string;
  readonly citizenId: CitizenId;
}

const SURNAMES = [...'赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许', '欧阳', '司徒', '诸葛', '上官'];
const GIVEN_NAMES = '样本 测试 示例 虚拟 模拟 假名 试样 仿真 例样 试一 试二 试三 样甲 样乙 样丙 样丁'.split(
  ' ',
);

/** The legal representative (法定代表人) or operator (经营者) of a company; always the same one for a code and seed. */
export function legalRepresentativeOf(code: string, seed: string): Person {
  const random = randomFor(seed, code, 'legal representative');
  const { code: region } = random.pick(TIANJIN_DISTRICTS);
  const born = random.date('1900-01-01', '1900-12-31').replaceAll('-', '');
  const first17 = region + born + String(random.int(1, 999)).padStart(3, '0');
  const citizenId = (first17 + citizenIdCheckDigit(first17)) as CitizenId;
  return { citizenId, name: nameOfPerson(citizenId, seed) };
}

/** The name that the civil register has for a number. It follows from the number, so one person has one name in every system. */
export function nameOfPerson(citizenId: string, seed: string): string {
  const random = randomFor(seed, citizenId, 'name of a person');
  return random.pick(SURNAMES) + random.pick(GIVEN_NAMES);
}
