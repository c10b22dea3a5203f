import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import type { Registration } from './registration.ts';

export type { Registration } from './registration.ts';
export { generatePopulation, SAMPLE_COMPANY } from './synthetic.ts';

const HEADER = ['企业名称', '统一社会信用代码', '注册日期', '企业类型', '注册资金', '地区'];

export class PopulationError extends Error {
  override readonly name = 'PopulationError';
}

/**
 * Reads a CSV file of registrations (UTF-8, with or without a byte order mark, header line as in HEADER).
 * Cells that stand in the wrong column because a name held a comma stay there, as they do in the real register; what
 * is over goes with the last column, so nothing is lost. Throws PopulationError when it is another kind of file.
 */
export async function readPopulation(file: string): Promise<Registration[]> {
  const rows = toRows(await readFile(file), file);
  const [header, ...records] = rows;
  if (header?.join() !== HEADER.join()) {
    throw new PopulationError(`${file}: the first line must be ${HEADER.join()}`);
  }
  return records.map(([name = '', code = '', registeredOn = '', kind = '', capital = '', ...district]) => ({
    name,
    code,
    registeredOn,
    kind,
    capital,
    district: district.join(),
  }));
}

function toRows(content: Buffer, file: string): string[][] {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    return parse(text, { relax_column_count: true, relax_quotes: true, skip_empty_lines: true });
  } catch (cause) {
    throw new PopulationError(`${file}: not a CSV file in UTF-8`, { cause });
  }
}
