/**
 * The departments' answers as the graph hands them over (`@requires`), read once at the border. Anything that is not a
 * well-formed answer is an unknown one: UNAVAILABLE, without facts.
 */
import { z } from 'zod';

const statusSchema = z.enum(['OK', 'NONE_FOUND', 'PENDING', 'TIMEOUT', 'UNAVAILABLE', 'STALE']);
export type Status = z.infer<typeof statusSchema>;

const factsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));
export type Facts = Readonly<z.infer<typeof factsSchema>>;

/** What one department said for an assessment. `facts` are null unless the status says that they are known. */
export interface SourceFacts {
  readonly department: string;
  readonly status: Status;
  readonly asOf: string | null;
  readonly elapsedMs: number | null;
  readonly findings: number | null;
  readonly facts: Facts | null;
}

const departmentFacts = z.object({
  status: statusSchema,
  asOf: z.string().nullish(),
  elapsedMs: z.number().nullish(),
  findings: z.number().int().nullish(),
  facts: factsSchema.nullish(),
});

/** Department → the field of CreditSubject that leads to its block. */
const BLOCKS: Readonly<Record<string, string>> = {
  'market-regulation': 'marketRegulation',
  tax: 'tax',
  courts: 'courts',
  'human-resources': 'humanResources',
  'public-security': 'publicSecurity',
};

const referenceSchema = z.object({
  subject: z.looseObject({ id: z.string() }),
  product: z.string(),
});

/** A CreditCheck as it comes back from the gateway: which one, and what was said for it. */
export interface CheckReference {
  readonly subjectId: string;
  readonly product: string;
  /** How the register answered whether there is such a subject. */
  readonly register: Status;
  /** One entry for each of `departments`, in their order. */
  answersOf(departments: readonly string[]): readonly SourceFacts[];
}

/** Throws ZodError for a representation without the fields of its key. */
export function toCheckReference(representation: unknown): CheckReference {
  const { subject, product } = referenceSchema.parse(representation);
  return {
    subjectId: subject.id,
    product,
    // The register's "none" is an answer in itself and needs no facts.
    register: departmentFacts.safeParse(subject['registerForAssessment']).data?.status ?? 'UNAVAILABLE',
    answersOf: (departments) =>
      departments.map((department) => {
        const block = z.looseObject({}).safeParse(subject[BLOCKS[department] ?? '']);
        return toSourceFacts(department, block.data?.['forAssessment']);
      }),
  };
}

/** True when the department has answered: with records, with none, or with older ones than it should. */
export const isKnown = ({ facts }: SourceFacts): boolean => facts !== null;

function toSourceFacts(department: string, input: unknown): SourceFacts {
  const parsed = departmentFacts.safeParse(input);
  // A null block is a department that could not be reached at all.
  if (!parsed.success)
    return { department, status: 'UNAVAILABLE', asOf: null, elapsedMs: null, findings: null, facts: null };
  const { status, asOf = null, elapsedMs = null, findings = null, facts = null } = parsed.data;
  const hasAnswered = status === 'OK' || status === 'NONE_FOUND' || status === 'STALE';
  return {
    department,
    // Answered, it says, but without the facts: that is no answer.
    status: hasAnswered && facts === null ? 'UNAVAILABLE' : status,
    asOf,
    elapsedMs,
    findings: hasAnswered && facts !== null ? findings : null,
    facts: hasAnswered ? facts : null,
  };
}
