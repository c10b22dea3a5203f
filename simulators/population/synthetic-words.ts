import type { Random } from './random.ts';

/** Words for made-up companies. No syllable begins a trade, so two different words never make one name. */
export const SYLLABLES = [
  ...'海棠河岸星云月晴岚松柏竹梅兰荷枫桐杏樱桃鹤鹭雁鲸鹿麟龙凤珊瑚琥珀璃晶玉琼瑶雪霜露虹霞',
];
export const TRADES =
  '商贸 科技 建筑工程 物流 机械制造 食品 化工 服装 文化传播 软件 环保设备 物业管理 汽车配件 电子元件 国际贸易 新能源'.split(
    ' ',
  );
export const SHOPS = '小吃店 便利店 理发店 五金店 服装店 面馆 修理部 水果店'.split(' ');

/** Both kinds of brackets, the tortoise shell ones and none, about as often as in the real register. */
export function inBrackets(random: Random, word: string): string {
  return random.pick([`（${word}）`, `（${word}）`, `(${word})`, `(${word})`, `〔${word}〕`, word]);
}

/** 注册资金 as it is really written. */
export function capitalAsWritten(random: Random): string {
  const tens = random.int(1, 500) * 10;
  const amount = tens.toLocaleString('en-US');
  return random.pick([
    `${random.int(1, 99)}(万元人民币)`,
    `${amount}(万元人民币)`,
    `${amount}(万元人民币)`,
    `${amount}.${random.int(1, 9999)}(万元人民币)`,
    `${amount}(万元)`,
    `${tens}万人民币`,
    `${random.int(1, 99)}.${random.int(1, 9)}人民币元`,
    `${amount}(万美元)`,
    `${amount}(万港币)`,
    'N/A',
    'N/A',
  ]);
}
