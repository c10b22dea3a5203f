/**
 * The query service of 人社: one question per employer answers with social insurance and the wage-arrears list at once, a
 * column tells which. Legacy row ↔ our types.
 */
import { setMaxListeners } from 'node:events';
import type { CallContext, LegacyRow } from '../../adapters/adapter.ts';
import { isLegacyError, LegacyError } from '../../adapters/adapter.ts';
import { createResilientAdapter } from '../../adapters/resilient.ts';
import { createRestAdapter } from '../../adapters/rest/adapter.ts';
import { dayInChina } from '../../schema/china-time.ts';
import { toPlainCode } from '../../schema/identifiers/plain-text.ts';
import type { OpenedSubject } from '../../schema/subject-id.ts';
import type { ConnectContext, Source } from '../define.ts';
import type { Found, ReadSubjects } from '../loader.ts';
import { groupRows, toFoundWithout } from '../loader.ts';
import type { HumanResourcesFacts, WageArrears } from './facts.ts';
import { hasAny, NO_FACTS, toCountBand } from './facts.ts';
import type { InsuranceRow, WageArrearsRow } from './rows.ts';
import { parseRow } from './rows.ts';

export const SYSTEM = '人社信用信息查询接口';

export interface HumanResourcesSettings {
  readonly url: string;
  readonly appKey: string;
  readonly appSecret: string;
  /** 32 hex digits. */
  readonly bodyKey: string;
  readonly perSecond: number;
  readonly deadlineMs: number;
  readonly coolDownMs: number;
}

export interface HumanResourcesSource extends Source {
  readonly read: ReadSubjects<HumanResourcesFacts>;
}

/** A listing is published for three years (人社部令第45号). */
const LISTED_YEARS = 3;

export function createHumanResourcesSource({
  settings,
  clock,
  observer,
}: ConnectContext<HumanResourcesSettings>): HumanResourcesSource {
  const rest = createRestAdapter(
    {
      system: SYSTEM,
      url: settings.url,
      appKey: settings.appKey,
      appSecret: settings.appSecret,
      bodyKey: Buffer.from(settings.bodyKey, 'hex'),
      maxRows: 100,
      maxBytes: 256 * 1024,
    },
    { clock },
  );
  const adapter = createResilientAdapter(
    rest,
    {
      deadlineMs: settings.deadlineMs,
      // The throttle bounds the rate; this bounds what piles up when the service is slow.
      concurrency: 16,
      queue: 200,
      // What the department grants; a call too many is answered 429 and helps nobody.
      throttle: { perSecond: settings.perSecond, burst: settings.perSecond },
      breaker: { failures: 5, coolDownMs: settings.coolDownMs },
      // No retry: it would take another caller's place in the five a second.
    },
    { clock, observer },
  );

  async function readOne(subject: OpenedSubject, context: CallContext) {
    if (subject.kind === 'NATURAL_PERSON')
      throw new LegacyError('refused', SYSTEM, 'is not asked about persons');
    try {
      const { rows, asOf } = await adapter.call(
        { path: '/query', fields: { AAB003: subject.code } },
        context,
      );
      const { facts, ...left } = toFacts(rows, subject.code, dayInChina(clock.now()));
      if (left.foreign > 0) observer.foreignRows(SYSTEM, left.foreign);
      if (left.quarantined > 0) observer.quarantined(SYSTEM, left.quarantined);
      const found: Found<HumanResourcesFacts> = { found: hasAny(facts), facts, asOf };
      return toFoundWithout(SYSTEM, found, left);
    } catch (error) {
      if (isLegacyError(error)) return error;
      throw error;
    }
  }

  return {
    read(subjects, context) {
      // One listener for each subject of a portfolio, all gone with the request: no leak to be warned of.
      setMaxListeners(0, context.signal);
      return Promise.all(subjects.map((subject) => readOne(subject, context)));
    },
    close: () => adapter.close(),
  };
}

/**
 * The rows of the employer with this 统一社会信用代码, as they may be shown on `today` (YYYY-MM-DD).
 * `own`: rows of the employer; `foreign`: rows that name another; `quarantined`: listings without a document, of which
 * `undocumented` are in force. Foreign and quarantined ones are left out.
 * Throws LegacyError malformed for a row that cannot be read, that does not say whose it is, or that contradicts another.
 */
export function toFacts(
  rows: readonly LegacyRow[],
  code: string,
  today: string,
): {
  readonly facts: HumanResourcesFacts;
  readonly own: number;
  readonly foreign: number;
  readonly quarantined: number;
  readonly undocumented: number;
} {
  let foreign = 0;
  const groups = groupRows(rows, [code], ownerOf, (count) => (foreign = count));
  const own = (groups.get(code) ?? []).map((row) => {
    const parsed = parseRow(row);
    if (!parsed) throw new LegacyError('malformed', SYSTEM, 'sent a record that cannot be read');
    return parsed;
  });
  const listings = own.filter((row): row is WageArrearsRow => row.YWLB === '2');
  const hasDocument = ({ LRWH }: WageArrearsRow) => LRWH !== null && LRWH !== '';
  const documented = listings.filter(hasDocument);
  return {
    facts: {
      ...toInsurance(own.filter((row): row is InsuranceRow => row.YWLB === '1')),
      wageArrears: documented.filter((row) => isPublished(row, today)).map(toWageArrears),
    },
    own: own.length,
    foreign,
    quarantined: listings.length - documented.length,
    undocumented: listings.filter((row) => !hasDocument(row) && isPublished(row, today)).length,
  };
}

/** Whose a row is. Old entries are written in full width or lower case. */
function ownerOf({ AAB003 }: LegacyRow): string {
  const plain = typeof AAB003 === 'string' ? toPlainCode(AAB003) : '';
  if (/^[0-9A-Z]{18}$/.test(plain)) return plain;
  throw new LegacyError('malformed', SYSTEM, 'sent a record that does not say whose it is');
}

function toInsurance(rows: readonly InsuranceRow[]): Omit<HumanResourcesFacts, 'wageArrears'> {
  if (rows.length === 0) return NO_FACTS;
  if (new Set(rows.map(({ AAE140 }) => AAE140)).size < rows.length)
    throw new LegacyError('malformed', SYSTEM, 'says two different things of one insurance');
  // An employer pays for old age under one of two kinds; who has neither is only insured against injury, and counts nobody.
  const oldAge =
    rows.find(({ AAE140 }) => AAE140 === 'OLD_AGE') ?? rows.find(({ AAE140 }) => AAE140 === 'OLD_AGE_PUBLIC');
  return {
    insuredCount: oldAge?.AAB119 ?? null,
    insuredCountBand: oldAge ? toCountBand(oldAge.AAB119) : null,
    continuousMonths: oldAge?.AAE202 ?? null,
    hasSocialInsuranceArrears: rows.some(({ AAE114 }) => AAE114 === 'OWED'),
    insurances: rows.map(({ AAE140: kind, AAC008: state, AAE003: paidThrough, AAE114: payment }) => ({
      kind,
      state,
      paidThrough,
      payment,
    })),
  };
}

function toWageArrears(row: WageArrearsRow): WageArrears {
  return {
    documentNumber: row.LRWH ?? '',
    authority: row.LRJG,
    legalBasis: row.LRYJ,
    decidedOn: row.LRRQ,
    publishedFrom: row.LRRQ,
    publishedUntil: lastDayOf(row.LRRQ),
    catalogueItem: 'human-resources.wage-arrears',
    underObjection: row.YYBZ,
    workers: row.SJRS,
    amount: row.SJJE,
    responsiblePerson: row.ZRR === '' ? null : row.ZRR,
  };
}

/** Listed, not over, and not taken off after repair. */
const isPublished = ({ LRRQ, YCRQ }: WageArrearsRow, today: string): boolean =>
  LRRQ <= today && today <= lastDayOf(LRRQ) && (YCRQ === null || today < YCRQ);

/** A period of years ends on the day of the same date; for 29 February, on the last of that month. */
function lastDayOf(listedOn: string): string {
  const [year = 0, month = 1, day = 1] = listedOn.split('-').map(Number);
  const lastOfMonth = new Date(Date.UTC(year + LISTED_YEARS, month, 0)).getUTCDate();
  const end = Date.UTC(year + LISTED_YEARS, month - 1, Math.min(day, lastOfMonth));
  return new Date(end).toISOString().slice(0, 10);
}
