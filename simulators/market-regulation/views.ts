/**
 * The exchange database (前置机) of 天津市市场监督管理委员会: what its views show, in the words of the view.
 *
 * Every view but the last two begins with the same columns:
 * - "ROW_ID" text, unique within the view; "S_EXT_SEQUENCE" bigint, unique and growing; "S_EXT_TIMESTAMP" timestamptz;
 *   "S_EXT_FLAG" I inserted, U updated, D deleted
 * - "主体身份代码" text: the register's own key of the subject, which joins the views
 * - "统一社会信用代码" text: as it was written, "无" where there is none
 *
 * v_企业登记, one row per state of a registration: each 变更 adds a row of the same subject, and the one with the highest
 * S_EXT_SEQUENCE holds. Rows of some deregistered subjects are flagged D, others are gone altogether.
 * - "注册号" 13 or 15 digits or null; "企业名称"; "企业类型代码" 4 digits; "企业类型" text or "N/A"
 * - "注册资本" as written: "57(万元人民币)", "1,000(万美元)", "N/A"; "成立日期" YYYY-MM-DD
 * - "行政区划" region code of the domicile, abolished ones too, null where unknown; "登记机关"
 * - "登记状态" 1 存续 2 吊销未注销 3 注销 4 迁出 5 撤销 6 歇业 9 其他
 * - "法定代表人", "法定代表人证件号" (18 characters); "曾用名" divided by "；", null where there are none
 *
 * v_变更 "变更事项" 01 名称 02 住所 03 法定代表人 04 注册资本 05 经营范围 06 注销, "变更前", "变更后", "变更日期", "登记机关"
 * v_经营异常 "列入原因" 1–4, "列入决定文书号", "列入决定机关", "列入日期", "移出日期", "移出原因", "异议标识" 0/1
 * v_严重违法失信 "列入事由" text, "列入依据", and the others as in v_经营异常
 * v_抽查检查 "计划编号", "任务名称", "抽查类型" 1 定向 2 不定向, "检查机关", "检查日期", "检查结果" 1–8
 * v_对账 "视图", "统一社会信用代码", "行数": how many rows the exchange says that each view holds of a subject
 * v_批次 one row: "数据提供方", "数据时点" of the last nightly exchange
 */

export interface View {
  readonly name: string;
  /** Its table in the schema `base`, which has the view's columns and 最新 (whether the row is its subject's last one). */
  readonly table: string;
  readonly columns: readonly string[];
  /** The column that a drifted view calls otherwise. */
  readonly drifts: string;
}

export const SYSTEM_COLUMNS = [
  'ROW_ID',
  'S_EXT_SEQUENCE',
  'S_EXT_TIMESTAMP',
  'S_EXT_FLAG',
  '主体身份代码',
  '统一社会信用代码',
] as const;

export const REGISTRATION: View = {
  name: 'v_企业登记',
  table: '企业登记',
  columns: [
    '注册号',
    '企业名称',
    '企业类型代码',
    '企业类型',
    '注册资本',
    '成立日期',
    '行政区划',
    '登记机关',
    '登记状态',
    '法定代表人',
    '法定代表人证件号',
    '曾用名',
  ],
  drifts: '登记状态',
};

export const CHANGES: View = {
  name: 'v_变更',
  table: '变更',
  columns: ['变更事项', '变更前', '变更后', '变更日期', '登记机关'],
  drifts: '变更事项',
};

export const ABNORMAL: View = {
  name: 'v_经营异常',
  table: '经营异常',
  columns: ['列入原因', '列入决定文书号', '列入决定机关', '列入日期', '移出日期', '移出原因', '异议标识'],
  drifts: '移出日期',
};

export const SERIOUS: View = {
  name: 'v_严重违法失信',
  table: '严重违法失信',
  columns: [
    '列入事由',
    '列入依据',
    '列入决定文书号',
    '列入决定机关',
    '列入日期',
    '移出日期',
    '移出原因',
    '异议标识',
  ],
  drifts: '移出日期',
};

export const SPOT_CHECKS: View = {
  name: 'v_抽查检查',
  table: '抽查检查',
  columns: ['计划编号', '任务名称', '抽查类型', '检查机关', '检查日期', '检查结果'],
  drifts: '检查结果',
};

export const VIEWS: readonly View[] = [REGISTRATION, CHANGES, ABNORMAL, SERIOUS, SPOT_CHECKS];

export const PROVIDER = '天津市市场监督管理委员会';

export const VIEW_FAULTS = [
  'wrong-encoding',
  'duplicate-rows',
  'missing-rows',
  'foreign-row',
  'schema-drift',
] as const;
export type ViewFault = (typeof VIEW_FAULTS)[number];

export const VIEWS_DROPPED = `DROP VIEW IF EXISTS ${[...VIEWS.map(({ name }) => name), 'v_对账', 'v_批次']
  .map((name) => `"${name}"`)
  .join(', ')}`;

/** Makes the views anew, spoiled or sound; `stranger` is the code of the subject whose rows stray into others' answers. */
export function viewsSql(fault: ViewFault | null, stranger: string): string {
  const data = VIEWS.map((view) => {
    const select = `SELECT ${selected(view, fault)} FROM base."${view.table}" t`;
    const create = `CREATE VIEW "${view.name}" AS ${select}`;
    if (fault === 'missing-rows') return `${create} WHERE NOT t."最新"`;
    if (fault === 'duplicate-rows') return `${create} UNION ALL ${select}`;
    if (fault === 'foreign-row' && view === ABNORMAL)
      return `${create} UNION ALL ${strangerRows(view, stranger)}`;
    return create;
  });
  const control = `CREATE VIEW "v_对账" AS SELECT "视图", "统一社会信用代码", "行数" FROM base."对账"`;
  // Each night's exchange is done by six in the morning, China Standard Time.
  const batch = `CREATE VIEW "v_批次" AS SELECT ${fault === 'wrong-encoding' ? mangled('"数据提供方"') : '"数据提供方"'} AS "数据提供方",
    (date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai' - interval '6 hours') + interval '6 hours') AT TIME ZONE 'Asia/Shanghai' AS "数据时点"
    FROM base."批次"`;
  return [VIEWS_DROPPED, ...data, control, batch].join(';\n');
}

function selected(view: View, fault: ViewFault | null): string {
  const system = SYSTEM_COLUMNS.map((column) => `t."${column}"`);
  const own = view.columns.map((column) => {
    const value = fault === 'wrong-encoding' ? mangled(`t."${column}"`) : `t."${column}"`;
    return `${value} AS "${fault === 'schema-drift' && column === view.drifts ? `${column}新` : column}"`;
  });
  return [...system, ...own, ...(fault === 'schema-drift' ? [`'1'::text AS "备用1"`] : [])].join(', ');
}

/** UTF-8 read as Latin-1, as a gateway with the wrong locale passes it on: 天 → å¤©. */
function mangled(column: string): string {
  return `convert_from(convert_to(${column}, 'UTF8'), 'LATIN1')`;
}

/** For every subject one row that is filed under its key and says another subject's code. */
function strangerRows(view: View, stranger: string): string {
  const values: Readonly<Record<string, string>> = {
    列入原因: '4',
    列入决定文书号: '津市监异列〔2026〕9999号',
    列入决定机关: PROVIDER,
    列入日期: '2026-01-05',
    异议标识: '0',
  };
  const own = view.columns.map((column) => (values[column] === undefined ? 'NULL' : `'${values[column]}'`));
  const system = `'F' || t."ROW_ID", t."S_EXT_SEQUENCE", t."S_EXT_TIMESTAMP", 'I', t."主体身份代码", '${stranger}'`;
  return `SELECT ${[system, ...own].join(', ')} FROM base."${REGISTRATION.table}" t WHERE t."最新"`;
}
