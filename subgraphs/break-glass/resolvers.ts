import type { Logger } from 'pino';
import { createHash, randomUUID } from 'node:crypto';
import { isLegacyError } from '../../adapters/adapter.ts';
import type { Catalogue } from '../../schema/catalogue.ts';
import { createError } from '../../schema/errors.ts';
import type { ResolverContext, Resolvers } from '../define.ts';
import { invalidCursor, readCursor, readFirst, toCursor } from '../pages.ts';
import type { Request, Rules } from './rules.ts';
import { findBreach, isPlainText } from './rules.ts';
import type { Position, Register, Release, Verdict } from './source.ts';

export interface BreakGlassLoaders {
  readonly register: Register;
  readonly rules: Rules;
  readonly catalogue: Catalogue;
  readonly log: Logger;
}
type Context = ResolverContext<BreakGlassLoaders>;

interface BreakGlassInput extends Request {
  readonly subject: string;
}
interface ReviewArguments {
  readonly id: string;
  readonly verdict: Verdict;
  readonly note: string;
}
interface PageArguments {
  readonly first: number | null;
  readonly after?: string | null;
}

const MOST_SUBJECTS = 1_000;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const resolvers: Resolvers<BreakGlassLoaders> = {
  Query: {
    openBreakGlass(_, asked: PageArguments, context) {
      assertAuditor(context);
      const { register } = context.loaders;
      return readPage(asked, 'unreviewed', context, {
        read: (page) => register.unreviewed(page, context.call),
        placeOf: ({ reviewDueAt: at, id }) => ({ at, id }),
      }).catch(toPublicError);
    },
    myBreakGlass(_, asked: PageArguments, context) {
      const { id: officer } = officerOf(context);
      const { register } = context.loaders;
      return readPage(asked, ['own', officer], context, {
        read: (page) => register.own(officer, page, context.call),
        placeOf: ({ openedAt: at, id }) => ({ at, id }),
      }).catch(toPublicError);
    },
    activeBreakGlass(
      _,
      asked: { consumer: string; subjects: readonly string[] },
      { loaders, call }: Context,
    ) {
      if (asked.subjects.length > MOST_SUBJECTS)
        throw createError('INVALID_INPUT', { detail: `subjects holds more than ${MOST_SUBJECTS}.` });
      return loaders.register
        .active({ officer: asked.consumer, subjects: asked.subjects }, call)
        .catch(toPublicError);
    },
  },
  Mutation: {
    breakGlass: (_, { input }: { input: BreakGlassInput }, context) =>
      open(input, context).catch(toPublicError),
    closeBreakGlass: (_, { id }: { id: string }, context) => close(id, context).catch(toPublicError),
    reviewBreakGlass: (_, asked: ReviewArguments, context) => review(asked, context).catch(toPublicError),
  },
};

async function open(input: BreakGlassInput, context: Context) {
  const { loaders, clock, call, subjectIds } = context;
  const { register, rules, catalogue, log } = loaders;
  const officer = officerOf(context);
  if (subjectIds.open(input.subject) === null) throw invalid('input.subject', 'is not a subject');
  const breach = findBreach(input, rules, catalogue, officer.department);
  if (breach) throw invalid(`input.${breach.attribute}`, breach.rule);
  const now = clock.now();
  const id = randomUUID();
  const reason = input.reason.trim();
  const release = {
    id,
    subject: input.subject,
    officer: officer.id,
    department: officer.department,
    items: input.items,
    reason,
    reasonDigest: `sm3:${createHash('sm3').update(id).update('\0').update(reason).digest('hex')}`,
    openedAt: toMoment(now),
    expiresAt: toMoment(now + input.minutes * 60_000),
    reviewDueAt: toMoment(now + rules.reviewWithin),
  };
  const limits = { mostOpen: rules.open.most, barredSince: toMoment(now - rules.barredFor) };
  const refusal = await register.open(release, limits, call);
  // Neither the reason nor the subject stands in a log: the register has both, and the digest leads to it.
  const { subject: _, reason: __, ...told } = release;
  if (refusal) {
    log.warn({ breakGlass: told, refusal }, 'an emergency access was refused');
    throw createError('FORBIDDEN', { extensions: { item: 'break-glass.open', reason: refusal } });
  }
  log.warn({ breakGlass: told }, 'an emergency access was opened: it has to be reviewed');
  return toShown(
    { ...release, closedAt: null, verdict: null, note: null, reviewedBy: null, reviewedAt: null },
    now,
  );
}

async function close(id: string, context: Context) {
  const { loaders, clock, call } = context;
  const officer = officerOf(context);
  const closed = ID.test(id) ? await loaders.register.close(id, officer.id, call) : null;
  if (!closed) throw invalid('id', 'names no emergency access of yours that is open');
  loaders.log.warn({ id: closed.id, officer: officer.id }, 'an emergency access was closed');
  return toShown(closed, clock.now());
}

async function review({ id, verdict, note }: ReviewArguments, context: Context) {
  const { loaders, principal, clock, call } = context;
  assertAuditor(context);
  if (!isPlainText(note, loaders.rules.reason)) {
    const { least, most } = loaders.rules.reason;
    throw invalid('note', `must be ${least} to ${most} printable characters`);
  }
  const asked = { verdict, note: note.trim(), by: principal.id };
  const reviewed = ID.test(id) ? await loaders.register.review(id, asked, call) : null;
  if (!reviewed)
    throw invalid('id', 'names nothing to review: it is reviewed already, is your own, or is not over yet');
  loaders.log.warn(
    { id: reviewed.id, verdict, reviewedBy: principal.id },
    'an emergency access was reviewed',
  );
  return toShown(reviewed, clock.now());
}

async function readPage(
  asked: PageArguments,
  list: unknown,
  { clock }: Context,
  of: {
    read(page: { after: Position | null; limit: number }): Promise<readonly Release[]>;
    placeOf(release: Release): Position;
  },
) {
  const first = readFirst(asked.first);
  const cursor = readCursor(asked.after, list);
  if (cursor && !ID.test(cursor.key)) throw invalidCursor();
  const after = cursor && { at: cursor.at, id: cursor.key };
  const found = await of.read({ after, limit: first + 1 });
  const now = clock.now();
  const page = found.slice(0, first);
  const last = page.at(-1);
  const place = found.length > first && last ? of.placeOf(last) : null;
  return {
    releases: page.map((release) => toShown(release, now)),
    next: place && toCursor({ at: place.at, key: place.id }, list),
  };
}

/** `now` in ms. */
function toShown(release: Release, now: number) {
  const isOver = Date.parse(release.expiresAt) <= now;
  return {
    ...release,
    state: release.closedAt !== null ? 'CLOSED' : isOver ? 'EXPIRED' : 'OPEN',
    overdue: release.verdict === null && Date.parse(release.reviewDueAt) <= now,
  };
}

function officerOf({ principal }: Context): { readonly id: string; readonly department: string } {
  const { kind, purpose, id, department } = principal;
  if (kind !== 'department' || purpose !== 'EMERGENCY' || department === undefined)
    throw createError('FORBIDDEN', { extensions: { item: 'break-glass.open', reason: 'NOT_GRANTED' } });
  return { id, department };
}

function assertAuditor({ principal: { kind, purpose } }: Context): void {
  if (kind !== 'auditor' || purpose !== 'AUDIT')
    throw createError('FORBIDDEN', { extensions: { item: 'break-glass.review', reason: 'NOT_GRANTED' } });
}

const toMoment = (ms: number): string => new Date(ms).toISOString();

function invalid(attribute: string, rule: string) {
  return createError('INVALID_INPUT', { detail: `${attribute} ${rule}.`, extensions: { attribute } });
}

/** A register that cannot be read releases nothing, and does not say that there is nothing. */
function toPublicError(error: unknown): never {
  throw isLegacyError(error) ? createError('DEPARTMENT_UNAVAILABLE') : error;
}
