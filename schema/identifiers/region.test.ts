import { describe, expect, it } from '@jest/globals';
import { isCurrentRegion, parseRegion, toCurrentRegion } from './region.ts';
import { TIANJIN_DISTRICTS, TIANJIN_REGIONS } from './tianjin-regions.ts';

describe('region 行政区划', () => {
  it('has sixteen districts and no code twice', () => {
    expect(TIANJIN_DISTRICTS).toHaveLength(16);
    expect(new Set(TIANJIN_REGIONS.map(({ code }) => code)).size).toBe(TIANJIN_REGIONS.length);
  });

  it.each([
    ['120101', 'CURRENT', '和平区', '120101'],
    ['１２０１１９', 'CURRENT', '蓟州区', '120119'],
    ['120107', 'ABOLISHED', '塘沽区', '120116'],
    ['120108', 'ABOLISHED', '汉沽区', '120116'],
    ['120109', 'ABOLISHED', '大港区', '120116'],
    ['120221', 'ABOLISHED', '宁河县', '120117'],
    ['120222', 'ABOLISHED', '武清县', '120114'],
    ['120223', 'ABOLISHED', '静海县', '120118'],
    ['120224', 'ABOLISHED', '宝坻县', '120115'],
    ['120225', 'ABOLISHED', '蓟县', '120119'],
    ['120100', 'ABOLISHED', '市辖区', '120000'],
    ['120120', 'NON_STANDARD', '滨海高新区', '120116'],
  ])('reads %s as %s %s, today %s', (input, status, name, today) => {
    expect(parseRegion(input)).toMatchObject({ ok: true, value: { status, name } });
    expect(toCurrentRegion(input)?.code).toBe(today);
  });

  it.each([
    ['129999', 'UNKNOWN'],
    ['321191', 'OUTSIDE_TIANJIN'],
  ])('answers %s with %s and makes up neither name nor district', (input, status) => {
    expect(parseRegion(input)).toMatchObject({ ok: true, value: { status, name: null } });
    expect(toCurrentRegion(input)).toBeNull();
  });

  it.each(['', '12010', '1201011', '12010A', '天津市'])('refuses "%s"', (input) => {
    expect(parseRegion(input)).toMatchObject({ ok: false, code: 'FORMAT' });
  });

  it('leads every code of the table to one in force', () => {
    for (const { code } of TIANJIN_REGIONS) {
      expect(isCurrentRegion(toCurrentRegion(code)?.code ?? '')).toBe(true);
    }
  });
});
