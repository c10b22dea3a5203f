/** D1 登记管理部门 and D2 机构类别 of GB 32100-2015, with the additions of its amendment 1 (A, N). */
const DEPARTMENTS = {
  '1': {
    zh: '机构编制',
    categories: { '1': '机关', '2': '事业单位', '3': '编办直接管理机构编制的群众团体', '9': '其他' },
  },
  '2': { zh: '外交', categories: { '1': '外国常驻新闻机构', '9': '其他' } },
  '3': {
    zh: '司法行政',
    categories: {
      '1': '律师执业机构',
      '2': '公证处',
      '3': '基层法律服务所',
      '4': '司法鉴定机构',
      '5': '仲裁委员会',
      '9': '其他',
    },
  },
  '4': { zh: '文化', categories: { '1': '外国在华文化中心', '9': '其他' } },
  '5': { zh: '民政', categories: { '1': '社会团体', '2': '民办非企业单位', '3': '基金会', '9': '其他' } },
  '6': {
    zh: '旅游',
    categories: { '1': '外国旅游部门常驻代表机构', '2': '港澳台旅游部门常驻内地代表机构', '9': '其他' },
  },
  '7': { zh: '宗教', categories: { '1': '宗教活动场所', '2': '宗教院校', '9': '其他' } },
  '8': { zh: '工会', categories: { '1': '基层工会', '9': '其他' } },
  '9': { zh: '市场监管', categories: { '1': '企业', '2': '个体工商户', '3': '农民专业合作社', '9': '其他' } },
  A: { zh: '中央军委改革和编制办公室', categories: { '1': '军队事业单位', '9': '其他' } },
  N: {
    zh: '农业',
    categories: { '1': '组级集体经济组织', '2': '村级集体经济组织', '3': '乡镇级集体经济组织', '9': '其他' },
  },
  Y: { zh: '其他', categories: { '1': '其他' } },
} as const satisfies Record<string, { zh: string; categories: Record<string, string> }>;

export type Department = keyof typeof DEPARTMENTS;

export const isDepartment = (character: string): character is Department =>
  Object.hasOwn(DEPARTMENTS, character);

/** The categories that a department registers, as characters of D2. */
export const categoriesOf = (department: Department): readonly string[] =>
  Object.keys(DEPARTMENTS[department].categories);

/** The Chinese names of D1 and D2, or null for a pair that the standard does not have. */
export function creditCodeKind(
  department: string,
  category: string,
): { department: string; category: string } | null {
  if (!isDepartment(department)) return null;
  const { zh, categories } = DEPARTMENTS[department];
  const found = Object.entries(categories).find(([character]) => character === category);
  return found ? { department: zh, category: found[1] } : null;
}

/** Every pair D1, D2 of the standard. */
export const CREDIT_CODE_KINDS: readonly (readonly [department: Department, category: string])[] =
  Object.keys(DEPARTMENTS)
    .filter(isDepartment)
    .flatMap((department) => categoriesOf(department).map((category) => [department, category] as const));
