/** Who asks what in the cache's harness. */
import type { Random } from '../../../simulators/population/random.ts';
import type { Question } from './gateway-core.ts';
import type { HarnessSubject } from './departments.ts';
import { createSubjects } from './files.ts';
import { findAccesses, readGraph } from './graph.ts';
import type { Asker, Oracle } from './oracle.ts';
import { SHAPES } from './shapes.ts';

export interface CacheWorld {
  readonly sdls: readonly { readonly name: string; readonly sdl: string }[];
  readonly supergraph: string;
  readonly catalogue: string;
  readonly seed: string;
}

const asker = (id: string, kind: string, purpose: string, more: Partial<Asker> = {}): Asker => ({
  id,
  kind,
  purpose,
  subjects: [],
  consents: {},
  releases: {},
  ...more,
});

/** Principals that differ from one another in one thing at a time; the same ids with other consents are other states. */
export function createCacheAskers(oracle: Oracle, subjects: readonly HarnessSubject[]): readonly Asker[] {
  const every = [...oracle.items.keys()];
  const ids = subjects.map(({ id }) => id);
  const all = Object.fromEntries(ids.map((id) => [id, every]));
  const [first = '', second = ''] = ids;
  return [
    asker('anonymous', 'public', 'PUBLIC_QUERY'),
    asker('bank-bare', 'bank', 'LOAN_ORIGINATION'),
    asker('bank-full', 'bank', 'LOAN_ORIGINATION', { consents: all }),
    asker('bank-one', 'bank', 'LOAN_ORIGINATION', { consents: { [first]: every } }),
    asker('bank-half', 'bank', 'LOAN_ORIGINATION', {
      consents: Object.fromEntries(ids.map((id) => [id, every.filter((_, at) => at % 2 === 0)])),
    }),
    asker('bank-watch', 'bank', 'LOAN_MONITORING', { consents: all }),
    asker('tax-duty', 'department', 'OFFICIAL_DUTY', { department: 'tax' }),
    asker('courts-duty', 'department', 'OFFICIAL_DUTY', { department: 'courts' }),
    asker('tax-look', 'department', 'INVESTIGATION', { department: 'tax' }),
    asker('self-first', 'subject', 'SELF_ACCESS', { subjects: [first] }),
    asker('self-second', 'subject', 'SELF_ACCESS', { subjects: [second] }),
    // One purpose, several kinds.
    asker('bank-public', 'bank', 'PUBLIC_QUERY', { consents: all }),
    asker('association', 'association', 'PUBLIC_QUERY'),
    asker('partner', 'partner', 'REGIONAL_EXCHANGE'),
    asker('auditor', 'auditor', 'AUDIT'),
  ];
}

/** The states that an asker's consents can be in: as given, and all revoked. */
export function revoked(one: Asker): Asker {
  return { ...one, consents: {} };
}

const LAB_FIELDS = ['open', 'consented', 'masked', 'own', 'duty', 'monitored', 'personal'];

export function createQuestions(
  { supergraph, seed }: CacheWorld,
  subjects: readonly HarnessSubject[],
  random: Random,
  count: number,
): readonly Question[] {
  const graph = readGraph(supergraph);
  const accesses = findAccesses(graph).filter(
    ({ isOpen, operation, steps }) => isOpen && operation === 'query' && steps.length > 0,
  );
  const shapes = Object.keys(SHAPES).filter((name) => name !== '_entities and _service');
  const some = () => random.pick(subjects);
  const others = createSubjects(`${seed} others`, 1);
  return Array.from({ length: count }, (_, at): Question => {
    if (at % 3 === 0) {
      const shape = SHAPES[random.pick(shapes)];
      const shaped = shape?.(
        {
          graph,
          values: {
            CreditCode: some().code,
            '[CreditCode]': [some().code, (random.chance(0.2) ? others[0] : some())?.code],
            SubjectId: some().id,
            '[SubjectId]': [some().id],
            CitizenId: '120101190001010016',
          },
        },
        random.pick(accesses),
      );
      if (!shaped) throw new Error('a shape is missing');
      return { query: shaped.query, variables: shaped.variables, operationName: shaped.operationName };
    }
    return at % 3 === 1 ? labQuestion(random, some) : twoOperations(random, some);
  });
}

/** The lab alone or beside real departments: by list or by code, with arguments from variables. */
function labQuestion(random: Random, some: () => HarnessSubject): Question {
  const fields = LAB_FIELDS.filter(() => random.chance(0.4));
  const chosen = fields.length > 0 ? fields : [random.pick(LAB_FIELDS)];
  const lab = chosen.map((field) => (field === 'open' ? 'open(unit: $unit)' : field)).join(' ');
  const declared = chosen.includes('open') ? ', $unit: String' : '';
  const unit = chosen.includes('open') ? { unit: random.pick(['a', 'b', 'c']) } : {};
  const beside = random.pick(['', 'tax { status grade isGradeA }', 'courts { status }', 'name']);
  if (random.chance(0.5))
    return {
      query: `query ($code: CreditCode!${declared}) { creditSubject(code: $code) { ${beside} lab { ${lab} } } }`,
      variables: { code: some().code, ...unit },
      operationName: null,
    };
  return {
    query: `query ($codes: [CreditCode!]!${declared}) { creditSubjects(codes: $codes) { id ${beside} lab { ${lab} } } }`,
    variables: { codes: [some().code, some().code, some().code], ...unit },
    operationName: null,
  };
}

/** One document, two operations: which one is asked for stands in its name only. */
function twoOperations(random: Random, some: () => HarnessSubject): Question {
  const { code } = some();
  const operation = (name: string, fields: string) =>
    `query ${name} { creditSubject(code: "${code}") { ${fields} } }`;
  return {
    query: `${operation('One', 'lab { open consented masked }')} ${operation('Two', 'lab { duty own monitored masked } publicSecurity { legalRepresentativeCheck }')}`,
    variables: {},
    operationName: random.pick(['One', 'Two']),
  };
}
