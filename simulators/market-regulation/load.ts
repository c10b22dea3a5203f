/** Fills the exchange database: base tables, how many rows each view has of each subject, read-only roles. */
import type pg from 'pg';
import type { Registration } from '../population/registrations.ts';
import type { Row, SubjectRecords } from './records.ts';
import { deregisteredCompanies, recordsOf, recordsOfDeregistered } from './records.ts';
import type { View } from './views.ts';
import {
  ABNORMAL,
  CHANGES,
  PROVIDER,
  REGISTRATION,
  SERIOUS,
  SPOT_CHECKS,
  SYSTEM_COLUMNS,
  VIEWS,
} from './views.ts';

const PARTS: readonly (readonly [View, keyof SubjectRecords])[] = [
  [REGISTRATION, 'registrations'],
  [CHANGES, 'changes'],
  [ABNORMAL, 'abnormal'],
  [SERIOUS, 'serious'],
  [SPOT_CHECKS, 'spotChecks'],
];

/** `today`: YYYY-MM-DD. What stood in the database is replaced. */
export async function loadRegister(
  control: pg.Client,
  { population, seed, today }: { population: readonly Registration[]; seed: string; today: string },
): Promise<void> {
  const subjects = [
    ...population.map((registration, place) => recordsOf(registration, place, seed, today)),
    ...deregisteredCompanies(population.length).map((registration, at) =>
      recordsOfDeregistered(registration, at, seed, today),
    ),
  ];
  await control.query('DROP SCHEMA IF EXISTS base CASCADE; CREATE SCHEMA base');
  for (const [view, part] of PARTS)
    await loadTable(
      control,
      view,
      subjects.flatMap((subject) => subject[part]),
    );
  const counts = VIEWS.map(
    ({ name, table }) => `SELECT '${name}', "统一社会信用代码", count(*) FROM base."${table}" GROUP BY 2`,
  );
  await control.query(`
    CREATE TABLE base."对账" ("视图" text, "统一社会信用代码" text, "行数" bigint);
    INSERT INTO base."对账" ${counts.join(' UNION ALL ')};
    CREATE INDEX ON base."对账" ("统一社会信用代码");
    CREATE TABLE base."批次" ("数据提供方" text);
    INSERT INTO base."批次" VALUES ('${PROVIDER}');
    ANALYZE`);
}

async function loadTable(control: pg.Client, { table, columns }: View, rows: readonly Row[]): Promise<void> {
  await control.query(`CREATE TABLE base."${table}" ("ROW_ID" text, "S_EXT_SEQUENCE" bigint, "S_EXT_TIMESTAMP" timestamptz,
    "S_EXT_FLAG" text, "主体身份代码" text, "统一社会信用代码" text, ${columns.map((column) => `"${column}" text`).join(', ')}, "最新" boolean)`);
  const lastOf = new Map(rows.map(({ key }, at) => [key, at]));
  const values = [
    rows.map((_, at) => `R${String(at + 1).padStart(10, '0')}`),
    rows.map((_, at) => at + 1),
    rows.map(({ flag }) => flag),
    rows.map(({ key }) => key),
    rows.map(({ code }) => code),
    ...columns.map((column) => rows.map(({ cells }) => cells[column] ?? null)),
    rows.map(({ key }, at) => lastOf.get(key) === at),
  ];
  const types = ['text', 'bigint', 'text', 'text', 'text', ...columns.map(() => 'text'), 'boolean'];
  const names = [...SYSTEM_COLUMNS.filter((column) => column !== 'S_EXT_TIMESTAMP'), ...columns, '最新'];
  const list = names.map((column) => `"${column}"`).join(', ');
  const arrays = types.map((type, at) => `$${at + 1}::${type}[]`).join(', ');
  await control.query(
    `INSERT INTO base."${table}" (${list}, "S_EXT_TIMESTAMP") SELECT u.*, now() FROM unnest(${arrays}) AS u`,
    values,
  );
  await control.query(`CREATE UNIQUE INDEX ON base."${table}" ("S_EXT_SEQUENCE");
    CREATE INDEX ON base."${table}" ("统一社会信用代码");
    CREATE INDEX ON base."${table}" ("主体身份代码")`);
}
