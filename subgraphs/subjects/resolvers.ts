import { isLegacyError } from '../../adapters/adapter.ts';
import { createError } from '../../schema/errors.ts';
import type { OpenedSubject } from '../../schema/subject-id.ts';
import type { ResolverContext, Resolvers } from '../define.ts';
import type { SubjectLoaders } from './loaders.ts';
import { isNameOf, nameOf } from './persons.ts';

type Context = ResolverContext<SubjectLoaders>;

const MOST_CODES = 100;
const MOST_STATES = 1_000;
/** 注销 and 撤销登记 end an organisation; one whose licence was revoked (吊销) still exists until it is struck off. */
const ENDED: ReadonlySet<string> = new Set(['DEREGISTERED', 'CANCELLED']);
const MOST_MATCHES = 50;
const LONGEST_NAME = 200;

export const resolvers: Resolvers<SubjectLoaders> = {
  Query: {
    creditSubject: (_, { code }: { code: string }, context) => subjectWith(code, context),
    creditSubjects(_, { codes }: { codes: readonly string[] }, context) {
      if (codes.length > MOST_CODES)
        throw createError('INVALID_INPUT', { detail: `codes holds more than ${MOST_CODES}.` });
      return codes.map((code) => subjectWith(code, context));
    },
    async searchCreditSubjects(_, { name, first }: { name: string; first: number | null }, { loaders }) {
      if (first === null || first < 1 || first > MOST_MATCHES)
        throw createError('INVALID_INPUT', { detail: `first must be 1 to ${MOST_MATCHES}.` });
      if (name.trim() === '' || name.length > LONGEST_NAME)
        throw createError('INVALID_INPUT', { detail: `name must have 1 to ${LONGEST_NAME} characters.` });
      const matches = await loaders.search(name, first).catch(toPublicError);
      return matches.map(({ subjectId, score, explanation }) => ({
        subject: { id: subjectId },
        score,
        explanation,
      }));
    },
    async creditPerson(_, { identity }: { identity: PersonIdentityInput }, { loaders, subjectIds }) {
      if (identity.name.length > LONGEST_NAME)
        throw createError('INVALID_INPUT', { detail: `name must have 1 to ${LONGEST_NAME} characters.` });
      const id = subjectIds.ofPerson(identity.idNumber);
      const { identities } = await loaders.person.load(id).catch(toPublicError);
      return isNameOf(identity.name, identities, subjectIds) ? { id } : null;
    },
    async subjectStates(_, { subjects }: { subjects: readonly string[] }, context) {
      if (subjects.length > MOST_STATES)
        throw createError('INVALID_INPUT', { detail: `subjects holds more than ${MOST_STATES}.` });
      const known = await Promise.all(subjects.map((id) => lookUp(id, context)));
      return subjects.flatMap((subject, at) =>
        ENDED.has(known[at]?.state ?? '') ? [{ subject, state: 'DEREGISTERED' }] : [],
      );
    },
  },
  CreditSubject: {
    __resolveReference: (reference: { id: string }, { subjectIds }: Context) =>
      subjectIds.open(reference.id) === null ? null : { id: reference.id },
    kind: ({ id }: { id: string }, _, { subjectIds }) => subjectIds.open(id)?.kind ?? null,
    code: ({ id }: { id: string }, _, { subjectIds }) => codeOf(subjectIds.open(id)),
    name: async ({ id }: { id: string }, _, context) => (await lookUp(id, context))?.name ?? null,
    formerNames: async ({ id }: { id: string }, _, context) =>
      (await lookUp(id, context))?.formerNames ?? null,
    legalRepresentativeIdentity: async ({ id }: { id: string }, _, context) =>
      (await lookUp(id, context))?.identity ?? null,
    person: ({ id }: { id: string }, _, { subjectIds }) =>
      subjectIds.open(id)?.kind === 'NATURAL_PERSON' ? { id } : null,
    registerForAssessment: ({ id }: { id: string }, _, { loaders, subjectIds }) =>
      codeOf(subjectIds.open(id)) === null ? null : loaders.forAssessment(id),
  },
  Person: {
    async name({ id }: { id: string }, _, { loaders, subjectIds }) {
      const { identities } = await loaders.person.load(id).catch(toPublicError);
      return nameOf(identities, subjectIds);
    },
    idNumber({ id }: { id: string }, _, { subjectIds }) {
      const opened = subjectIds.open(id);
      return opened?.kind === 'NATURAL_PERSON' ? opened.citizenId : null;
    },
  },
};

/** `idNumber` in its normal form. */
interface PersonIdentityInput {
  readonly name: string;
  readonly idNumber: string;
}

async function subjectWith(code: string, context: Context): Promise<{ readonly id: string } | null> {
  const id = context.subjectIds.ofOrganisation(code);
  return (await lookUp(id, context)) === null ? null : { id };
}

/** The register keeps no natural persons; a person is not looked up. */
async function lookUp(id: string, { loaders, subjectIds }: Context) {
  if (codeOf(subjectIds.open(id)) === null) return null;
  const { subject } = await loaders.subject.load(id).catch(toPublicError);
  return subject;
}

function codeOf(opened: OpenedSubject | null): string | null {
  return opened !== null && opened.kind !== 'NATURAL_PERSON' ? opened.code : null;
}

/** Not to be reached is not the same as not to be there: never a null. */
function toPublicError(error: unknown): never {
  throw isLegacyError(error) ? createError('DEPARTMENT_UNAVAILABLE') : error;
}
