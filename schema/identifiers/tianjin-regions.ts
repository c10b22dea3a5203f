/** Tianjin in GB/T 2260: today's codes, those that were abolished and still arrive, and zone codes that never were in the standard. */
export interface RegionRow {
  readonly code: string;
  readonly name: string;
  readonly status: 'CURRENT' | 'ABOLISHED' | 'NON_STANDARD';
  /** Today's code for the same place; null for a zone whose ground lies in several districts. */
  readonly becameCode: string | null;
  /** Year of abolition; null where it does not apply or is not on record. */
  readonly abolishedIn: number | null;
}

const current = (code: string, name: string): RegionRow => ({
  code,
  name,
  status: 'CURRENT',
  becameCode: code,
  abolishedIn: null,
});
const abolished = (
  code: string,
  name: string,
  becameCode: string,
  abolishedIn: number | null,
): RegionRow => ({
  code,
  name,
  status: 'ABOLISHED',
  becameCode,
  abolishedIn,
});
const nonStandard = (code: string, name: string, becameCode: string | null): RegionRow => ({
  code,
  name,
  status: 'NON_STANDARD',
  becameCode,
  abolishedIn: null,
});

export const TIANJIN = '120000';

export const TIANJIN_REGIONS: readonly RegionRow[] = [
  current(TIANJIN, '天津市'),
  current('120101', '和平区'),
  current('120102', '河东区'),
  current('120103', '河西区'),
  current('120104', '南开区'),
  current('120105', '河北区'),
  current('120106', '红桥区'),
  current('120110', '东丽区'),
  current('120111', '西青区'),
  current('120112', '津南区'),
  current('120113', '北辰区'),
  current('120114', '武清区'),
  current('120115', '宝坻区'),
  current('120116', '滨海新区'),
  current('120117', '宁河区'),
  current('120118', '静海区'),
  current('120119', '蓟州区'),
  abolished('120100', '市辖区', TIANJIN, null),
  abolished('120107', '塘沽区', '120116', 2009),
  abolished('120108', '汉沽区', '120116', 2009),
  abolished('120109', '大港区', '120116', 2009),
  abolished('120200', '县', TIANJIN, 2016),
  // Registries went on giving out the county codes for years: in 2019 companies of 武清 still got 120222.
  abolished('120221', '宁河县', '120117', 2015),
  abolished('120222', '武清县', '120114', 2000),
  abolished('120223', '静海县', '120118', 2015),
  abolished('120224', '宝坻县', '120115', 2001),
  abolished('120225', '蓟县', '120119', 2016),
  nonStandard('120120', '滨海高新区', '120116'),
  // 海河教育园区 keeps a registry of its own on the ground of 津南.
  nonStandard('120195', '海河教育园区', '120112'),
];

/** The sixteen districts of today, without the city itself. */
export const TIANJIN_DISTRICTS: readonly RegionRow[] = TIANJIN_REGIONS.filter(
  ({ code, status }) => status === 'CURRENT' && code !== TIANJIN,
);
