/** Tax records → the bureau's nightly files, with their flag files, whole or spoilt. */
import iconv from 'iconv-lite';
import { createHash } from 'node:crypto';
import type { TaxRecords } from './records.ts';

export type FileFault = 'duplicate-rows' | 'missing-rows' | 'foreign-row' | 'schema-drift' | 'wrong-encoding';

export type Files = ReadonlyMap<string, Buffer>;

const GRADES = '纳税人名称|纳税人识别号|评价年度|评价等级|评价机关|年度纳税额';
const VIOLATIONS =
  '纳税人名称|纳税人识别号|案件性质|主要违法事实|处理处罚情况|处罚决定文书号|决定机关|决定日期|公布日期|停止公布日期|异议标志';
/** Bytes of 纳税人识别号, 名称, 法定代表人, 证件号码, 税种, 欠税余额, 当期新增, 公告机关, 公告文号, 公告日期, 异议标志. */
const ARREARS = [20, 80, 30, 18, 20, 18, 18, 60, 40, 8, 1];

/** 纳税信用等级 (NSXYDJ), 欠税公告 (QSGG, fixed width, its flag file still with MD5) and 重大税收违法 (ZDSSWF). `date`: YYYY-MM-DD. */
export function makeTaxFiles(records: TaxRecords, date: string, fault: FileFault | null): Files {
  const day = date.replaceAll('-', '');
  const line = (values: readonly string[]) => values.map((value) => value.replaceAll('|', ' ')).join('|');
  return new Map([
    ...fileAndFlag(`NSXYDJ_${day}.txt`, 'SM3', GRADES, records.grades.map(line), fault),
    ...fileAndFlag(`QSGG_${day}.txt`, 'MD5', null, records.arrears.map(toFixedWidth), fault),
    ...fileAndFlag(`ZDSSWF_${day}.txt`, 'SM3', VIOLATIONS, records.violations.map(line), fault),
  ]);
}

/** `header` null: the file has none. A spoilt file's flag is that of the spoilt content, save for the rows that are missing. */
export function fileAndFlag(
  name: string,
  algorithm: 'SM3' | 'MD5',
  header: string | null,
  lines: readonly string[],
  fault: FileFault | null = null,
): readonly (readonly [string, Buffer])[] {
  const written = spoil(lines, fault);
  const all =
    header === null ? written : [fault === 'schema-drift' ? `${header}|备用字段` : header, ...written];
  const content = iconv.encode(
    all.map((line) => `${line}\r\n`).join(''),
    fault === 'wrong-encoding' ? 'utf8' : 'gb18030',
  );
  const digest = createHash(algorithm.toLowerCase()).update(content).digest('hex');
  const said = fault === 'missing-rows' ? lines.length : written.length;
  const flag = `BYTES=${content.length}\r\nLINES=${said}\r\n${algorithm}=${digest}\r\n`;
  return [
    [name, content],
    [`${name}.ok`, Buffer.from(flag, 'latin1')],
  ];
}

function spoil(lines: readonly string[], fault: FileFault | null): readonly string[] {
  if (fault === 'duplicate-rows') return lines.flatMap((line) => [line, line]);
  if (fault === 'missing-rows') return lines.slice(0, Math.floor(lines.length / 2));
  if (fault === 'schema-drift') return lines.map((line) => `${line}|`);
  // An old 15-digit tax number: whoever it is, it is none of the companies that are asked for.
  if (fault === 'foreign-row')
    return [...lines, ...lines.slice(0, 1).map((line) => line.replace(CODE, toOldNumber))];
  return lines;
}

const CODE = /[0-9A-HJ-NPQRTUWXY]{18}/;
const toOldNumber = (code: string) => '120101000101001'.padEnd(code.length);

function toFixedWidth(values: readonly string[]): string {
  return values.map((value, at) => toBytes(value, ARREARS[at] ?? 0)).join('');
}

/** Padded with spaces to `bytes` bytes of GB18030; what is too long loses whole characters. */
function toBytes(text: string, bytes: number): string {
  const characters = [...text];
  while (iconv.encode(characters.join(''), 'gb18030').length > bytes) characters.pop();
  const kept = characters.join('');
  return kept + ' '.repeat(bytes - iconv.encode(kept, 'gb18030').length);
}
