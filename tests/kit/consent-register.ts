/** One department and a register of consents, releases and states that answers as a test tells it. */
import { loadLaw } from '../../schema/law.ts';
import type { PlainSubgraphs } from './plain-subgraphs.ts';
import { startPlainSubgraphs } from './plain-subgraphs.ts';

const item = (id: string, category: string, use: readonly object[]) => ({
  id,
  name: { zh: id, en: id },
  category,
  publicity: use.length > 0 ? 'NOT_PUBLIC' : 'PUBLIC',
  sharing: 'CONDITIONAL',
  use,
  basis: ['test'],
  sensitivity: 'L3',
  retention: 60,
});
const withConsent = [{ principals: ['bank'], purposes: ['LOAN_ORIGINATION'], requires: 'CONSENT' }];
/** Of the items of the department `a` and the register `r`. */
export const CATALOGUE = {
  law: loadLaw(),
  catalogues: [
    {
      version: '1',
      items: [
        item('a.open', 'service', []),
        item('a.grade', 'grade', withConsent),
        item('a.income', 'income', withConsent),
        item('a.emergency', 'grade', [
          { principals: ['department'], purposes: ['EMERGENCY'], requires: 'BREAK_GLASS' },
        ]),
        item('r.manage', 'consent', [{ principals: ['operator'] }]),
      ],
    },
  ],
};

export interface Consent {
  readonly id: string;
  readonly subject: string;
  readonly items: readonly string[];
  readonly writtenItems: readonly string[];
  readonly givenBy: string;
  readonly expiresAt: string;
}

interface Asked {
  readonly ids: string[];
  readonly consumer: string;
  readonly request: string;
  readonly digest: string;
}

/** What the register says, set by each test, and what it was asked to confirm. */
export interface Told {
  consents: Consent[];
  releases: { id: string; subject: string; items: readonly string[]; expiresAt: string }[];
  states: { subject: string; state: string }[];
  failing: { activeConsents?: () => never; subjectStates?: () => never };
  onConfirm: (asked: Asked) => { held: string[]; refused: { id: string; reason: string }[] };
  confirmed: Asked[];
}

/** A register that knows nothing and confirms everything. */
export const nothingTold = (): Told => ({
  consents: [],
  releases: [],
  states: [],
  failing: {},
  onConfirm: ({ ids }) => ({ held: ids, refused: [] }),
  confirmed: [],
});

export const consent = (id: string, subject: string, change: Partial<Consent> = {}): Consent => ({
  id,
  subject,
  items: ['a.grade'],
  writtenItems: [],
  givenBy: 'SELF',
  expiresAt: new Date(Date.now() + 60_000).toISOString(),
  ...change,
});

export function startConsentRegister(told: Told): Promise<PlainSubgraphs> {
  return startPlainSubgraphs({
    a: {
      sdl: `type Subject @key(fields: "id") { id: ID! name: String @policy(policies: [["a.open"]])
              grade: String @policy(policies: [["a.grade"]]) income: String @policy(policies: [["a.income"]])
              secret: String @policy(policies: [["a.emergency"]]) }`,
      resolvers: {
        Subject: {
          __resolveReference: ({ id }: { id: string }) => ({
            id,
            name: 'n',
            grade: 'A',
            income: '1',
            secret: 's',
          }),
        },
      },
    },
    register: {
      sdl: `type Subject @key(fields: "id") { id: ID! }
            enum Purpose { LOAN_ORIGINATION LOAN_MONITORING EMERGENCY OFFICIAL_DUTY }
            type Active { id: ID! subject: ID! items: [String!]! writtenItems: [String!]! givenBy: String! expiresAt: String! }
            type Released { id: ID! subject: ID! items: [String!]! expiresAt: String! }
            type State { subject: ID! state: String! }
            type Refused { id: ID! reason: String! }
            type Confirmation { held: [ID!]! refused: [Refused!]! }
            scalar SubjectId
            type Query { subjects(ids: [ID!]!): [Subject!]!
              activeConsents(consumer: String!, purpose: Purpose!, subjects: [SubjectId!]!, request: String): [Active!]!
                @inaccessible @policy(policies: [["r.manage"]])
              activeBreakGlass(consumer: String!, subjects: [SubjectId!]!): [Released!]! @inaccessible @policy(policies: [["r.manage"]])
              subjectStates(subjects: [SubjectId!]!): [State!]! @inaccessible @policy(policies: [["r.manage"]]) }
            type Mutation { touch: Boolean @policy(policies: [["a.open"]])
              confirmConsents(ids: [ID!]!, consumer: String!, request: String!, digest: String!): Confirmation!
                @inaccessible @policy(policies: [["r.manage"]]) }`,
      resolvers: {
        Query: {
          subjects: (_: unknown, { ids }: { ids: string[] }) => ids.map((id) => ({ id })),
          activeConsents: () => told.failing.activeConsents?.() ?? told.consents,
          activeBreakGlass: () => told.releases,
          subjectStates: () => told.failing.subjectStates?.() ?? told.states,
        },
        Mutation: {
          confirmConsents: (_: unknown, asked: Asked) => {
            told.confirmed.push(asked);
            return told.onConfirm(asked);
          },
        },
      },
    },
  });
}
