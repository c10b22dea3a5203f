/** One bank and its companies: rounds of granting, asking and withdrawing, by a schedule that follows from the seed. */
import { SignJWT } from 'jose';
import { setTimeout as delay } from 'node:timers/promises';
import type { Agent } from 'undici';
import { request } from 'undici';
import { sandboxKey } from '../../../schema/keys.ts';
import { sandboxIssuer } from '../../../schema/sandbox-tokens.ts';
import type { SubjectIds } from '../../../schema/subject-id.ts';
import type { Random } from '../../../simulators/population/random.ts';

export interface Round {
  readonly withdrawals: number;
  /** Withdrawals during which a question about the subject was under way. */
  readonly interleavings: number;
  /** Fields that arrived after the withdrawal of their consent was acknowledged. */
  readonly afterRevocation: number;
  /** Withdrawn consents that had opened the field before. */
  readonly seen: number;
}

interface Answer {
  readonly data: Readonly<Record<string, unknown>> | null | undefined;
  readonly errors: readonly { readonly extensions?: { readonly code?: string } }[];
  /** `performance.now()` when the question was sent, and when the first bytes of its answer came. */
  readonly sentAt: number;
  readonly arrivedAt: number;
}
/** From an acknowledgement until the next permission is sent. */
interface Closed {
  readonly code: string;
  readonly from: number;
  until: number;
}
interface Question extends Answer {
  readonly codes: readonly string[];
  readonly shown: readonly string[];
}

const DAY_MS = 86_400_000;
const PLAIN = 'query ($code: CreditCode!) { creditSubject(code: $code) { code tax { grade status } } }';
const LIST = 'query ($codes: [CreditCode!]!) { creditSubjects(codes: $codes) { code tax { grade status } } }';
const GRANT = 'mutation ($input: GrantConsentInput!) { grantConsent(input: $input) { id } }';

export async function createLane(parts: {
  readonly name: string;
  readonly codes: readonly string[];
  readonly urls: readonly [string, string];
  readonly agent: Agent;
  readonly subjectIds: SubjectIds;
  readonly random: Random;
}): Promise<{ round(): Promise<Round> }> {
  const { name, codes, urls, agent, subjectIds, random } = parts;
  const consumer = `bank-${name}`;
  const bank = await issueToken(consumer, { kind: 'bank', purposes: ['LOAN_MONITORING'], subjects: [] });
  const owner = await issueToken(`owner-${name}`, {
    kind: 'subject',
    purposes: ['SELF_ACCESS'],
    subjects: codes.map((code) => subjectIds.ofOrganisation(code)),
  });

  return { round };

  async function round(): Promise<Round> {
    const questions: Question[] = [];
    const closed: Closed[] = [];
    const withdrawals: { code: string; sentAt: number; arrivedAt: number }[] = [];
    const consents = new Map<string, string>();
    await Promise.all(codes.map(async (code) => consents.set(code, await grant(code))));
    // Warms the caches of one gateway and of Redis, and shows that the consents do open something.
    questions.push(await askList());

    const paused = codes.filter(() => random.chance(0.4));
    await Promise.all([
      ...codes.map((code) =>
        after(random.int(0, 250), () => withdraw(code, paused.includes(code) ? 'pause' : 'revoke')),
      ),
      ...[1, 2].map(() => after(random.int(0, 600), async () => questions.push(await askList()))),
      ...codes
        .filter(() => random.chance(0.3))
        .map((code) => after(random.int(0, 600), async () => questions.push(await askPlain(code)))),
    ]);
    for (const url of urls) questions.push(await askList(url));

    await Promise.all(
      paused
        .map(async (code) => {
          await resume(code);
          await after(random.int(0, 100), () => withdraw(code, 'revoke'));
        })
        .concat(
          paused.length === 0
            ? []
            : [after(random.int(0, 300), async () => void questions.push(await askList()))],
        ),
    );
    questions.push(await askList());
    return judge(questions, closed, withdrawals);

    async function withdraw(code: string, verb: 'pause' | 'revoke'): Promise<void> {
      const acknowledged = await change(code, verb);
      withdrawals.push({ code, sentAt: acknowledged.sentAt, arrivedAt: acknowledged.arrivedAt });
      closed.push({ code, from: acknowledged.arrivedAt, until: Infinity });
    }

    async function resume(code: string): Promise<void> {
      const { sentAt } = await change(code, 'resume');
      for (const one of closed) if (one.code === code) one.until = Math.min(one.until, sentAt);
    }

    async function change(code: string, verb: 'pause' | 'resume' | 'revoke'): Promise<Answer> {
      const query = `mutation ($id: ID!) { ${verb}Consent(id: $id) { state } }`;
      const answer = await ask(agent, random.pick(urls), owner, {
        query,
        variables: { id: consents.get(code) },
      });
      if (!answer.data?.[`${verb}Consent`]) throw toFailure(verb, answer);
      return answer;
    }
  }

  async function grant(code: string): Promise<string> {
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    const now = Date.now();
    const answer = await ask(agent, random.pick(urls), owner, {
      query: GRANT,
      variables: {
        input: {
          subject: subjectIds.ofOrganisation(code),
          consumer,
          purpose: 'LOAN_MONITORING',
          items: ['tax.grade'],
          expiresAt: new Date(now + 60 * DAY_MS).toISOString(),
          periodFrom: day(now - 100 * DAY_MS),
          periodUntil: day(now),
          dataLifeDays: 7,
          frequency: { times: 5, per: 'MONTH' },
          // What is known of a sole trader is known of a person.
          acknowledgesPersonal: true,
        },
      },
    });
    const granted = answer.data?.['grantConsent'] as { id: string } | null | undefined;
    if (!granted) throw toFailure('grant', answer);
    return granted.id;
  }

  async function askList(url: string = random.pick(urls)): Promise<Question> {
    const answer = await ask(agent, url, bank, { query: LIST, variables: { codes } });
    return toQuestion(answer, codes, (answer.data?.['creditSubjects'] ?? []) as readonly Shown[]);
  }

  async function askPlain(code: string): Promise<Question> {
    const answer = await ask(agent, random.pick(urls), bank, { query: PLAIN, variables: { code } });
    return toQuestion(answer, [code], [(answer.data?.['creditSubject'] ?? null) as Shown]);
  }
}

type Shown = { readonly code: string; readonly tax: { readonly grade: string | null } | null } | null;

function toQuestion(answer: Answer, codes: readonly string[], subjects: readonly Shown[]): Question {
  return { ...answer, codes, shown: subjects.flatMap((one) => (one?.tax?.grade ? [one.code] : [])) };
}

function judge(
  questions: readonly Question[],
  closed: readonly Closed[],
  withdrawals: readonly { code: string; sentAt: number; arrivedAt: number }[],
): Round {
  const isUnderWay = ({ code, sentAt, arrivedAt }: { code: string; sentAt: number; arrivedAt: number }) =>
    questions.some(
      (question) =>
        question.codes.includes(code) && question.sentAt < arrivedAt && question.arrivedAt > sentAt,
    );
  const wasSeen = ({ code, arrivedAt }: { code: string; arrivedAt: number }) =>
    questions.some((question) => question.shown.includes(code) && question.arrivedAt < arrivedAt);
  const isLate = (code: string, arrivedAt: number) =>
    closed.some((one) => one.code === code && one.from < arrivedAt && arrivedAt < one.until);
  return {
    withdrawals: withdrawals.length,
    interleavings: withdrawals.filter(isUnderWay).length,
    seen: withdrawals.filter(wasSeen).length,
    afterRevocation: questions.reduce(
      (sum, { shown, arrivedAt }) => sum + shown.filter((code) => isLate(code, arrivedAt)).length,
      0,
    ),
  };
}

export async function ask(
  agent: Agent,
  url: string,
  token: string,
  body: { readonly query: string; readonly variables: object },
): Promise<Answer> {
  const sentAt = performance.now();
  const response = await request(url, {
    dispatcher: agent,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  const arrivedAt = performance.now();
  const { data, errors = [] } = (await response.body.json()) as Partial<Pick<Answer, 'data' | 'errors'>>;
  return { data, errors, sentAt, arrivedAt };
}

const after = async <T>(ms: number, work: () => Promise<T>): Promise<T> => {
  await delay(ms);
  return work();
};

const toFailure = (what: string, { errors }: Answer) =>
  new Error(`could not ${what}: ${errors.map(({ extensions }) => extensions?.code ?? '?').join(', ')}`);

/** A token of the sandbox's issuer, whose key is public knowledge. */
function issueToken(subject: string, jinxin: object): Promise<string> {
  return new SignJWT({ jinxin: { ...jinxin } })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'sandbox-1' })
    .setSubject(subject)
    .setIssuer(sandboxIssuer.issuer)
    .setAudience(sandboxIssuer.audience)
    .setIssuedAt()
    .setExpirationTime('1d')
    .sign(sandboxKey('issuer'));
}
