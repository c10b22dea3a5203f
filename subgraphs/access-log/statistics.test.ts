import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { AuditRecord } from '../../gateway/evidence/audit-record.ts';
import type { Principal } from '../../schema/principal.ts';
import { appendRecords, createEvidenceTables, createRecord } from '../../tests/kit/evidence.ts';
import type { PlatformDepartment } from '../../tests/kit/platform-department.ts';
import { startPlatformDepartment } from '../../tests/kit/platform-department.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';

const operator: Principal = { kind: 'operator', id: 'operator', purpose: 'OPERATIONS', subjects: [] };
const auditor: Principal = { kind: 'auditor', id: 'auditor', purpose: 'AUDIT', subjects: [] };
const bank: Principal = { kind: 'bank', id: 'bank-a', purpose: 'LOAN_ORIGINATION', subjects: [] };
const COUNT =
  'query ($month: String!) { accessStatistics(month: $month) { purpose result count isWithheld } }';

let databases: TestDatabases;
let database: pg.Client;
let department: PlatformDepartment;
beforeAll(async () => {
  databases = createTestDatabases();
  const url = await databases.url('platform');
  database = new pg.Client({ connectionString: url });
  await database.connect();
  await createEvidenceTables(database);
  department = await startPlatformDepartment('access-log', { JINXIN_PLATFORM_URL: url });
  const times = (count: number, change: Partial<AuditRecord>) =>
    Array.from({ length: count }, () => createRecord(change));
  await appendRecords(database, [
    // The last moment of October in China, and the first of November.
    ...times(3, { at: '2026-10-31T15:59:59.999Z' }),
    ...times(12, { at: '2026-10-31T16:00:00.000Z' }),
    ...times(9, { at: '2026-11-20T00:00:00.000Z', purpose: 'INVESTIGATION' }),
    ...times(10, { at: '2026-11-20T00:00:00.000Z', result: 'DENIED', items: [] }),
  ]);
});
afterAll(async () => {
  await department.close();
  await database.end();
  await databases.close();
});

const countOf = async (principal: Principal, month: string) => {
  const reply = await department.ask(principal, COUNT, { month });
  return (
    reply.errors?.map(({ extensions }) => extensions['code']) ?? (reply.data.accessStatistics as unknown)
  );
};
const row = (purpose: string, result: string, count: number | null) => ({
  purpose,
  result,
  count,
  isWithheld: count === null,
});

describe('how often somebody looked', () => {
  it('is told to an operator from ten on; an auditor, who may read the records, is told every count', async () => {
    expect(await countOf(operator, '2026-11')).toEqual([
      row('INVESTIGATION', 'DISCLOSED', null),
      row('LOAN_ORIGINATION', 'DENIED', 10),
      row('LOAN_ORIGINATION', 'DISCLOSED', 12),
    ]);
    expect(await countOf(auditor, '2026-11')).toContainEqual(row('INVESTIGATION', 'DISCLOSED', 9));
    expect(await countOf(operator, '2026-10')).toEqual([row('LOAN_ORIGINATION', 'DISCLOSED', null)]);
  });

  it('is of a whole calendar month, so that no two counts differ by one record', async () => {
    for (const month of ['2026-11-20', '2026-13', '2026', '', '2026-11/2026-12'])
      expect(await countOf(operator, month)).toEqual(['INVALID_INPUT']);
  });

  it('is told to nobody else', async () => {
    expect(await countOf(bank, '2026-11')).toEqual(['FORBIDDEN']);
  });
});
