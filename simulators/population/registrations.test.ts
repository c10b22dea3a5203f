import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PopulationError, readPopulation } from './registrations.ts';

const HEADER = '企业名称,统一社会信用代码,注册日期,企业类型,注册资金,地区';

describe('a file of registrations', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'population-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const written = async (content: string | Buffer): Promise<string> => {
    const file = join(directory, 'population.csv');
    await writeFile(file, content);
    return file;
  };

  it('is read as it is written, with or without a byte order mark, with either line end', async () => {
    const rows = ['津信测试一店 二店,无,1979-05-01,N/A,"1,675.8505(万元人民币)",和平'];
    const expected = [
      {
        name: '津信测试一店 二店',
        code: '无',
        registeredOn: '1979-05-01',
        kind: 'N/A',
        capital: '1,675.8505(万元人民币)',
        district: '和平',
      },
    ];
    for (const text of [
      [HEADER, ...rows].join('\n'),
      `\ufeff${[HEADER, ...rows].join('\n')}\n`,
      `${[HEADER, ...rows].join('\r\n')}\r\n\r\n`,
    ]) {
      expect(await readPopulation(await written(text))).toEqual(expected);
    }
  });

  it('keeps shifted cells where they are, loses none that are over, and leaves missing ones empty', async () => {
    const lines = [
      HEADER,
      '津信测试公司,91120116MA9TYN024H,2008-09-25,样本甲,样本乙,滨海',
      '津信测试公司,91120116MA9TYN024H,2008-09-25,样本甲,样本乙,样本丙,滨海',
      '津信测试公司,91120116MA9TYN024H',
    ];
    const read = await readPopulation(await written(lines.join('\n')));
    expect(read.map(({ kind, capital, district }) => [kind, capital, district])).toEqual([
      ['样本甲', '样本乙', '滨海'],
      ['样本甲', '样本乙', '样本丙,滨海'],
      ['', '', ''],
    ]);
  });

  it.each([
    ['an empty file', ''],
    ['another header', 'name,code\n津信测试,无'],
    ['GBK bytes', Buffer.from([0xc6, 0xf3, 0xd2, 0xb5])],
    ['a quote that is never closed', `${HEADER}\n"津信测试,无`],
  ])('refuses %s with the name of the file', async (_, content) => {
    const file = await written(content);
    const reading = readPopulation(file);
    await expect(reading).rejects.toBeInstanceOf(PopulationError);
    await expect(reading).rejects.toThrow(file);
  });

  it('says so when there is no such file', async () => {
    await expect(readPopulation(join(directory, 'nothing.csv'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
