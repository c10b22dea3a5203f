/** The regulator's exchange database: many subjects, one statement; rows told apart by whose they are, and counted. */
import { z } from 'zod';
import type { Adapter, LegacyRow } from '../../adapters/adapter.ts';
import { LegacyError } from '../../adapters/adapter.ts';
import type { SqlRequest } from '../../adapters/sql/request.ts';
import type { Clock } from '../../adapters/clock.ts';
import { dayInChina } from '../../schema/china-time.ts';
import type { DepartmentObserver, Source } from '../define.ts';
import type { Found, ReadSubjects } from '../loader.ts';
import { groupRows, toFoundWithout } from '../loader.ts';
import type { MarketRegulationFacts } from './facts.ts';
import { hasAny } from './facts.ts';
import { toAbnormal, toChange, toRegistration, toSerious, toSpotCheck } from './records.ts';
import type { DataView } from './rows.ts';
import * as rows from './rows.ts';

export const SYSTEM = '市场监管登记前置机';
/** Who writes the exchange; in Chinese, so that its name shows whether the characters survived the way. */
const PROVIDER = '天津市市场监督管理委员会';

export interface MarketRegulationSource extends Source {
  readonly read: ReadSubjects<MarketRegulationFacts>;
}

type Views = ReadonlyMap<string, readonly LegacyRow[]>;

export function createMarketRegulationSource({
  sql,
  clock,
  observer,
}: {
  sql: Adapter<SqlRequest>;
  clock: Clock;
  observer: DepartmentObserver;
}): MarketRegulationSource {
  return {
    async read(subjects, context) {
      const codes = subjects.map((subject) => (subject.kind === 'NATURAL_PERSON' ? '' : subject.code));
      const reply = await sql.call({ text: rows.EVERYTHING, values: [codes] }, context);
      const { answers, foreign, quarantined } = toAnswers(reply.rows, codes, dayInChina(clock.now()));
      if (foreign > 0) observer.foreignRows(SYSTEM, foreign);
      if (quarantined > 0) observer.quarantined(SYSTEM, quarantined);
      return answers;
    },
    close: () => sql.close(),
  };
}

/**
 * What one reply says of each code that was asked, in that order, as it may be shown on `today` (YYYY-MM-DD).
 * `foreign`: rows of other subjects, dropped; `quarantined`: adverse rows without a document, left out.
 * Throws LegacyError malformed where the reply as a whole cannot be trusted.
 */
export function toAnswers(
  reply: readonly LegacyRow[],
  codes: readonly string[],
  today: string,
): { answers: (Found<MarketRegulationFacts> | LegacyError)[]; foreign: number; quarantined: number } {
  let foreign = 0;
  let quarantined = 0;
  const views = toViews(reply);
  const asOf = toAsOf(views);
  const counts = toCounts(views);
  const owned = toOwned(views, codes, (count) => (foreign += count));
  const answers = codes.map((code) =>
    readOne(() => {
      const { facts, withoutDocument, inForce } = toFacts(owned(code), counts(code), code, today);
      quarantined += withoutDocument;
      // The exchange says how many rows each subject has, so that strangers' rows cannot stand for its own.
      const left = { own: 1, foreign: 0, undocumented: inForce };
      return toFoundWithout(SYSTEM, { found: hasAny(facts), facts, asOf }, left);
    }),
  );
  return { answers, foreign, quarantined };
}

/** The rows of one subject, read; `withoutDocument`: adverse ones that rest on none; `inForce`: those of them still in force. */
function toFacts(
  own: (view: DataView) => readonly LegacyRow[],
  count: (view: DataView) => number,
  code: string,
  today: string,
): { facts: MarketRegulationFacts; withoutDocument: number; inForce: number } {
  for (const view of rows.DATA_VIEWS)
    if (own(view).length !== count(view))
      throw malformed('sent another number of rows than it says there are');
  /** The latest first, as the exchange counts them: the same answer in whatever order the rows came. */
  const read = <Schema extends z.ZodType<{ readonly S_EXT_SEQUENCE: number }>>(
    schema: Schema,
    view: DataView,
  ) => parse(schema, own(view)).sort((one, other) => other.S_EXT_SEQUENCE - one.S_EXT_SEQUENCE);
  let withoutDocument = 0;
  let inForce = 0;
  /** Adverse is only what rests on a document with legal effect (天津市社会信用条例第十二条). */
  const documented = <Row extends { readonly 列入决定文书号: string | null }, Shown>(
    row: Row,
    toShown: (row: Row, documentNumber: string, today: string) => Shown | null,
  ): Shown[] => {
    const shown = toShown(row, row.列入决定文书号 ?? '', today);
    if (row.列入决定文书号 !== null) return shown === null ? [] : [shown];
    withoutDocument += 1;
    if (shown !== null) inForce += 1;
    return [];
  };
  const facts = {
    registration: toRegistration(read(rows.registrationSchema, 'v_企业登记'), code),
    changes: present(read(rows.changeSchema, 'v_变更'))
      .map(toChange)
      .sort(latestFirst((change) => change.changedOn)),
    abnormalOperations: read(rows.abnormalSchema, 'v_经营异常')
      .flatMap((row) => documented(row, toAbnormal))
      .sort(latestFirst((listing) => listing.decidedOn)),
    seriousViolations: read(rows.seriousSchema, 'v_严重违法失信')
      .flatMap((row) => documented(row, toSerious))
      .sort(latestFirst((listing) => listing.decidedOn)),
    spotChecks: present(read(rows.spotCheckSchema, 'v_抽查检查'))
      .map(toSpotCheck)
      .sort(latestFirst((check) => check.checkedOn)),
  };
  return { facts, withoutDocument, inForce };
}

/** One subject whose rows cannot be read costs its own answer only. */
function readOne<T>(read: () => T): T | LegacyError {
  try {
    return read();
  } catch (error) {
    if (error instanceof LegacyError) return error;
    throw error;
  }
}

function toViews(reply: readonly LegacyRow[]): Views {
  const views = new Map<string, LegacyRow[]>();
  for (const { view, record } of parse(rows.envelopeSchema, reply)) {
    const others = views.get(view);
    if (others) others.push(record);
    else views.set(view, [record]);
  }
  return views;
}

function toAsOf(views: Views): string {
  const [batch, ...more] = z.array(rows.batchSchema).safeParse(views.get('v_批次') ?? []).data ?? [];
  if (!batch || more.length > 0) throw malformed('does not say as of when its rows hold');
  if (batch.数据提供方 !== PROVIDER) throw malformed('answered in another character set');
  return batch.数据时点;
}

/** How many rows the exchange says that it has, by subject and view. */
function toCounts(views: Views): (code: string) => (view: DataView) => number {
  const counts = new Map<string, number>();
  for (const count of parse(rows.countSchema, views.get('v_对账') ?? []))
    counts.set(`${count.统一社会信用代码} ${count.视图}`, count.行数);
  return (code) => (view) => counts.get(`${code} ${view}`) ?? 0;
}

/** Rows of each subject that was asked about; those of others are dropped and counted. A row that was sent twice is one. */
function toOwned(
  views: Views,
  codes: readonly string[],
  onForeign: (count: number) => void,
): (code: string) => (view: DataView) => readonly LegacyRow[] {
  const keys = new Map<string, Set<string>>();
  for (const row of views.get('v_企业登记') ?? []) {
    const { 统一社会信用代码: code, 主体身份代码: key } = ownerOf(row);
    keys.set(code, (keys.get(code) ?? new Set()).add(key));
  }
  const keyOf = (row: LegacyRow): string | null => {
    const { 统一社会信用代码: code, 主体身份代码: key } = ownerOf(row);
    // Filed under the key of one subject with the code of another: it is not known whose it is, so it is nobody's here.
    return keys.get(code)?.has(key) === false ? null : code;
  };
  const groups = new Map(
    rows.DATA_VIEWS.map(
      (view) => [view, groupRows(once(views.get(view) ?? []), codes, keyOf, onForeign)] as const,
    ),
  );
  return (code) => (view) => groups.get(view)?.get(code) ?? [];
}

function once(all: readonly LegacyRow[]): readonly LegacyRow[] {
  const byId = new Map<string, LegacyRow>();
  for (const row of all) {
    const { ROW_ID: id } = ownerOf(row);
    const other = byId.get(id);
    if (other && JSON.stringify(other) !== JSON.stringify(row))
      throw malformed('sent two rows under one number');
    byId.set(id, row);
  }
  return [...byId.values()];
}

const ownerOf = (row: LegacyRow) => {
  const owner = rows.ownerSchema.safeParse(row);
  if (!owner.success) throw malformed('sent a row that does not say whose it is');
  return owner.data;
};

/** Rows of the same shape, or malformed. The columns that do not fit are named, never what stood in them. */
function parse<Schema extends z.ZodType>(schema: Schema, all: readonly LegacyRow[]): z.infer<Schema>[] {
  const parsed = z.array(schema).safeParse(all);
  if (parsed.success) return parsed.data;
  const columns = [...new Set(parsed.error.issues.map(({ path }) => path.slice(1).join('.')))];
  throw malformed(`answered rows of another shape (${columns.join(', ')})`);
}

const present = <Row extends { readonly S_EXT_FLAG: string }>(all: readonly Row[]): Row[] =>
  all.filter(({ S_EXT_FLAG }) => S_EXT_FLAG !== 'D');
const latestFirst =
  <T>(dateOf: (record: T) => string) =>
  (one: T, other: T): number =>
    dateOf(other).localeCompare(dateOf(one));
const malformed = (fact: string): LegacyError => new LegacyError('malformed', SYSTEM, fact);
