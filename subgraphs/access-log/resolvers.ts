import { isLegacyError } from '../../adapters/adapter.ts';
import { createError } from '../../schema/errors.ts';
import type { ResolverContext, Resolvers } from '../define.ts';
import { toShownCount } from '../counts.ts';
import { invalidCursor, readCursor, readFirst, toCursor } from '../pages.ts';
import type { AccessEntry, AccessResult } from './entries.ts';
import { toEntry } from './entries.ts';
import type { ExtendAccessDelayInput } from './input.ts';
import { assertExtensible, invalid, readFilter, readMoment, readMonth, readReason } from './input.ts';
import type { Names } from './names.ts';
import type { AccessLog, AuditFilter, LoggedRecord } from './source.ts';
import type { Visibility } from './visibility.ts';

export interface AccessLogLoaders {
  readonly accessLog: AccessLog;
  readonly visibility: Visibility;
  readonly names: Names;
}
type Context = ResolverContext<AccessLogLoaders>;

/**
 * Which subject's list it is, is found by looking the entry up: a digest of the platform's own id of a subject would let two
 * consumers find out that they speak of the same person.
 */
const OWN_LIST = 'own';

interface OwnArguments {
  readonly first: number | null;
  readonly after?: string | null;
  readonly result?: AccessResult | null;
  readonly withOwn: boolean | null;
}
interface AuditArguments {
  readonly filter: AuditFilter;
  readonly first: number | null;
  readonly after?: string | null;
}

export const resolvers: Resolvers<AccessLogLoaders> = {
  Query: {
    auditRecords: (_, asked: AuditArguments, context) => readAudit(asked, context).catch(toPublicError),
    accessStatistics: (_, { month }: { month: string }, context) =>
      countAccesses(month, context).catch(toPublicError),
  },
  Mutation: {
    extendAccessDelay: (_, { input }: { input: ExtendAccessDelayInput }, context) =>
      extend(input, context).catch(toPublicError),
  },
  CreditSubject: {
    __resolveReference: (reference: { id: string }) => ({ id: reference.id }),
    accessLog: ({ id }: { id: string }, asked: OwnArguments, context) =>
      readOwn(id, asked, context).catch(toPublicError),
  },
  Accessor: { kind: ({ kind }: AccessEntry['who']) => kind.toUpperCase() },
};

async function readOwn(subject: string, asked: OwnArguments, { loaders, principal, call }: Context) {
  const { accessLog, visibility, names } = loaders;
  if (principal.kind !== 'subject' || !principal.subjects.includes(subject))
    throw createError('FORBIDDEN', { extensions: { item: 'access-log.own', reason: 'NOT_SELF' } });
  const first = readFirst(asked.first);
  const cursor = readCursor(asked.after, OWN_LIST);
  const after = cursor && (await accessLog.positionOf(subject, { at: cursor.at, id: cursor.key }, call));
  // A list that begins nowhere would be empty, and empty says that nobody looked.
  if (cursor && !after) throw invalidCursor();
  const found = await accessLog.own(
    {
      subject,
      after,
      limit: first + 1,
      result: asked.result == null ? null : asked.result === 'ATTEMPTED' ? 'INTENDED' : asked.result,
      withoutAccount: asked.withOwn === false ? principal.id : null,
    },
    call,
  );
  const entries = found.slice(0, first).map((one) => toEntry(one, visibility, names));
  const last = entries.at(-1);
  return {
    entries,
    next: found.length > first && last ? toCursor({ at: last.at, key: last.id }, OWN_LIST) : null,
  };
}

async function readAudit(asked: AuditArguments, { loaders, principal, clock, call }: Context) {
  assertAuditor(principal, 'access-log.audit');
  const first = readFirst(asked.first);
  const filter = readFilter(asked.filter, clock.now());
  const cursor = readCursor(asked.after, filter);
  if (cursor && !/^\d{1,18}$/.test(cursor.key)) throw invalidCursor();
  const after = cursor && { seq: cursor.key };
  const found = await loaders.accessLog.all({ filter, after, limit: first + 1 }, call);
  const page = found.slice(0, first);
  const last = page.at(-1);
  return {
    records: page.map((one) => ({
      ...one.record,
      at: one.at,
      position: one.seq,
      hash: one.hash,
      kind: one.record.principal.kind.toUpperCase(),
      consumer: one.record.principal.id,
      department: one.record.principal.department ?? null,
      shownFrom: new Date(shownFrom(one, loaders.visibility)).toISOString(),
    })),
    next: found.length > first && last ? toCursor({ at: last.at, key: last.seq }, filter) : null,
  };
}

/** Whole calendar months and nothing else: of two periods that overlap the difference could be a single record. */
async function countAccesses(month: string, { loaders, principal, call }: Context) {
  const { from, until } = readMonth(month);
  const tallies = await loaders.accessLog.count(from, until, call);
  return tallies.map(({ purpose, result, count }) => ({
    purpose,
    result: result === 'INTENDED' ? 'ATTEMPTED' : result,
    ...toShownCount(count, principal.kind === 'auditor'),
  }));
}

async function extend(input: ExtendAccessDelayInput, { loaders, principal, clock, call }: Context) {
  assertAuditor(principal, 'access-log.extend');
  const reason = readReason(input.reason);
  const until = readMoment(input.until, 'input.until');
  const at = readMoment(input.at, 'input.at');
  const found = /^[\w-]{1,64}$/.test(input.record)
    ? await loaders.accessLog.one({ at, id: input.record }, call)
    : null;
  if (!found) throw invalid('input.record', 'names no record of that moment');
  const now = clock.now();
  const { delay = null } = loaders.visibility.ruleOf(found.record.purpose);
  const record = { at: Date.parse(found.at), shownFrom: shownFrom(found, loaders.visibility) };
  assertExtensible(record, delay, Date.parse(until), now);
  const extension = {
    record: found.record.id,
    until,
    reason,
    extendedBy: principal.id,
    extendedAt: new Date(now).toISOString(),
  };
  await loaders.accessLog.extend(extension, call);
  return extension;
}

/** Milliseconds since the epoch from which on the subject reads of it. */
function shownFrom({ record, at, extendedUntil }: LoggedRecord, visibility: Visibility): number {
  const delay = visibility.ruleOf(record.purpose).delay?.for ?? 0;
  return Math.max(Date.parse(at) + delay, extendedUntil === null ? 0 : Date.parse(extendedUntil));
}

function assertAuditor({ kind, purpose }: Context['principal'], item: string): void {
  if (kind !== 'auditor' || purpose !== 'AUDIT')
    throw createError('FORBIDDEN', { extensions: { item, reason: 'NOT_GRANTED' } });
}

/** A log that cannot be read never says that nobody looked. */
function toPublicError(error: unknown): never {
  throw isLegacyError(error) ? createError('DEPARTMENT_UNAVAILABLE') : error;
}
