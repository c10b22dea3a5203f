/**
 * The courts' credit query: one question per subject answers with all kinds of records at once, a column tells which.
 * Legacy row ↔ our types.
 */
import type { LegacyRow } from '../../adapters/adapter.ts';
import { isLegacyError, LegacyError } from '../../adapters/adapter.ts';
import { createResilientAdapter } from '../../adapters/resilient.ts';
import { createSoapAdapter } from '../../adapters/soap/adapter.ts';
import { normaliseOrganisationCode } from '../../schema/identifiers/organisation-code.ts';
import type { OpenedSubject } from '../../schema/subject-id.ts';
import type { ConnectContext, Source } from '../define.ts';
import type { Found, ReadSubjects } from '../loader.ts';
import { groupRows, toFoundWithout } from '../loader.ts';
import type { CourtFacts } from './facts.ts';
import { hasAny, NO_FACTS } from './facts.ts';
import { dayInChina } from '../../schema/china-time.ts';
import { isPublished, lastDayOf } from './publication.ts';
import type { CourtRow } from './rows.ts';
import { parseCourtRow } from './rows.ts';

export const SYSTEM = '法院信用信息查询服务';

export interface CourtsSettings {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly deadlineMs: number;
  readonly coolDownMs: number;
}

export interface CourtsSource extends Source {
  readonly read: ReadSubjects<CourtFacts>;
}

/**
 * Questions at a time. The query takes one subject each, and at 200 ms an answer a portfolio of a hundred takes four rounds:
 * half of the deadline is left for further pages.
 */
const CONCURRENCY = 32;

export function createCourtsSource({
  settings,
  clock,
  observer,
}: ConnectContext<CourtsSettings>): CourtsSource {
  const soap = createSoapAdapter(
    {
      system: SYSTEM,
      url: settings.url,
      user: settings.user,
      password: settings.password,
      // It declares UTF-8 and writes GBK.
      bytes: 'gbk',
      sender: '天津市公共信用信息平台',
      pageSize: 10,
      maxRows: 500,
      maxBytes: 1024 * 1024,
      connections: CONCURRENCY,
    },
    { clock },
  );
  const adapter = createResilientAdapter(
    soap,
    {
      deadlineMs: settings.deadlineMs,
      concurrency: CONCURRENCY,
      // Two portfolios of the largest size may wait; a third one is told so at once.
      queue: 200,
      breaker: { failures: 5, coolDownMs: settings.coolDownMs },
      // A query changes nothing.
      isSafeToRetry: () => true,
    },
    { clock, observer },
  );

  async function readOne(subject: OpenedSubject, context: Parameters<ReadSubjects<CourtFacts>>[1]) {
    if (subject.kind === 'NATURAL_PERSON')
      throw new LegacyError('refused', SYSTEM, 'is not asked about persons');
    try {
      const fields = { cardNum: subject.code, orgCode: subject.code.slice(8, 17) };
      const { rows, asOf } = await adapter.call({ item: 'XYXX_CX', fields }, context);
      const { facts, ...left } = toCourtFacts(rows, subject.code, dayInChina(clock.now()));
      if (left.foreign > 0) observer.foreignRows(SYSTEM, left.foreign);
      if (left.quarantined > 0) observer.quarantined(SYSTEM, left.quarantined);
      const found: Found<CourtFacts> = { found: hasAny(facts), facts, asOf };
      return toFoundWithout(SYSTEM, found, left);
    } catch (error) {
      if (isLegacyError(error)) return error;
      throw error;
    }
  }

  return {
    read(subjects, context) {
      return Promise.all(subjects.map((subject) => readOne(subject, context)));
    },
    close: () => adapter.close(),
  };
}

/**
 * The rows of the subject with this 统一社会信用代码, as they may be shown on `today` (YYYY-MM-DD).
 * `own`: rows of the subject; `foreign`: rows that name another; `quarantined`: adverse rows without a document, of which
 * `undocumented` are in force. Foreign and quarantined ones are left out.
 * Throws LegacyError malformed for a row that cannot be read, or that does not say whose it is.
 */
export function toCourtFacts(
  rows: readonly LegacyRow[],
  code: string,
  today: string,
): {
  readonly facts: CourtFacts;
  readonly own: number;
  readonly foreign: number;
  readonly quarantined: number;
  readonly undocumented: number;
} {
  let foreign = 0;
  let quarantined = 0;
  let undocumented = 0;
  const own =
    groupRows(
      rows,
      [code],
      (row) => ownerOf(row, code),
      (count) => (foreign = count),
    ).get(code) ?? [];
  let facts = NO_FACTS;
  for (const row of withoutRepeats(own)) {
    const parsed = parseCourtRow(row);
    if (!parsed) throw new LegacyError('malformed', SYSTEM, 'sent a record that cannot be read');
    if (parsed.xxlb === '01' && parsed.gistId === null) {
      quarantined += 1;
      if (isPublished(termOf(parsed), today)) undocumented += 1;
    } else facts = withRecord(facts, parsed, today);
  }
  return { facts, own: own.length, foreign, quarantined, undocumented };
}

/**
 * The code if the row is its, null if it is another's. Courts that were never changed over write the organisation code,
 * which is characters 9 to 17 of the new one. A masked number is a person's, or nobody's that could be told.
 */
function ownerOf(row: LegacyRow, code: string): string | null {
  const cardNum = row['cardNum'];
  const plain = typeof cardNum === 'string' ? normaliseOrganisationCode(cardNum) : '';
  if (plain === code || plain === code.slice(8, 17)) return code;
  if (/^[0-9A-Z*]{8,20}$/.test(plain) && !isMaskOf(plain, code)) return null;
  throw new LegacyError('malformed', SYSTEM, 'sent a record that does not say whose it is');
}

/** Whether what a mask leaves to be read is all of this code's: it may be the subject's own row then. */
function isMaskOf(masked: string, code: string): boolean {
  return [code, code.slice(8, 17)].some(
    (one) =>
      one.length === masked.length && [...masked].every((mark, at) => mark === '*' || mark === one[at]),
  );
}

/** When a listing is shown. */
function termOf(row: Extract<CourtRow, { readonly xxlb: '01' }>) {
  const publishedUntil = lastDayOf({
    publishedFrom: row.publishDate,
    kinds: row.disruptTypeName,
    extendedYears: row.extendYears,
  });
  return { publishedFrom: row.publishDate, publishedUntil, removedOn: row.removeDate };
}

function withoutRepeats(rows: readonly LegacyRow[]): Iterable<LegacyRow> {
  return new Map(rows.map((row) => [JSON.stringify(row), row])).values();
}

/** The facts with one more record, or as they were when it may not be shown. */
function withRecord(facts: CourtFacts, row: CourtRow, today: string): CourtFacts {
  // The case number says which court it was; the column beside it is typed by hand.
  const court = row.caseCode.court ?? row.courtName;
  const shared = { caseNumber: row.caseCode.text, court, filedOn: row.regDate };
  if (row.xxlb === '01') {
    if (row.gistId === null) return facts;
    const { removedOn, ...term } = termOf(row);
    if (!isPublished({ removedOn, ...term }, today)) return facts;
    const listing = {
      ...shared,
      documentNumber: row.gistId,
      authority: court,
      legalBasis: '最高人民法院关于公布失信被执行人名单信息的若干规定（法释〔2017〕7号）',
      decidedOn: row.publishDate,
      ...term,
      catalogueItem: 'courts.dishonest',
      underObjection: row.objection,
      kinds: row.disruptTypeName,
      duty: row.duty,
      performance: row.performance,
    };
    return { ...facts, dishonestListings: [...facts.dishonestListings, listing] };
  }
  if (row.xxlb === '02') {
    const restriction = {
      ...shared,
      // The order has no number of its own: it is known by its case.
      documentNumber: row.caseCode.text,
      authority: court,
      legalBasis: '最高人民法院关于限制被执行人高消费及有关消费的若干规定',
      decidedOn: row.orderDate,
      publishedFrom: row.orderDate,
      publishedUntil: null,
      catalogueItem: 'courts.consumption-restriction',
      underObjection: row.objection,
      restrictedPerson: row.businessEntity === '' ? null : row.businessEntity,
    };
    if (!isPublished({ ...restriction, removedOn: row.removeDate }, today)) return facts;
    return { ...facts, consumptionRestrictions: [...facts.consumptionRestrictions, restriction] };
  }
  if (row.xxlb === '03') {
    // A closed case is paid or settled: there is nothing left to show.
    if (row.caseState === '已结案') return facts;
    const enforcement = {
      ...shared,
      state: row.caseState === '执行中' ? ('IN_PROGRESS' as const) : ('TERMINATED_WITHOUT_ASSETS' as const),
      amount: row.execMoney,
      outstanding: Math.max(0, Math.round((row.execMoney - row.performedMoney) * 100) / 100),
      terminatedOn: row.closeDate,
    };
    return { ...facts, enforcementCases: [...facts.enforcementCases, enforcement] };
  }
  const { cause, role, judgeDate: decidedOn, docType: documentType, url: link } = row;
  const judgment = { caseNumber: shared.caseNumber, court, cause, role, decidedOn, documentType, link };
  return { ...facts, judgments: [...facts.judgments, judgment] };
}
