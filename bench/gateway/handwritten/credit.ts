/** The three questions about companies by hand: the register, then every department at once, then the assessment. */
import { BLOCK, DEPARTMENTS } from '../graphs/credit.ts';
import type { Ask } from './fetch.ts';

type Variables = Readonly<Record<string, unknown>>;
type Company = Record<string, unknown> & { id?: string };

const entities = (selection: string) =>
  `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Company { ${selection} } } }`;
const BLOCKS = DEPARTMENTS.map((name) => ({ name, query: entities(`${name} ${BLOCK}`) }));
const TAX = [{ name: DEPARTMENTS[0], query: entities(`${DEPARTMENTS[0]} { status score }`) }];
const ASSESSMENT = entities('assessment { score grade complete }');

export async function answerCheck(ask: Ask, { code }: Variables) {
  const { company } = (await ask(
    'register',
    'query ($code: String!) { company(code: $code) { id code name status } }',
    { code },
  )) as { company: Company };
  await addBlocks(ask, [company], BLOCKS);
  const required = Object.fromEntries(
    DEPARTMENTS.map((name) => [name, { score: (company[name] as { score: number }).score }]),
  );
  const { _entities } = await ask('assessment', ASSESSMENT, {
    r: [{ __typename: 'Company', id: company.id, ...required }],
  });
  Object.assign(company, (_entities as readonly object[])[0]);
  return { company: withoutId(company) };
}

export async function answerPoint(ask: Ask, { code }: Variables) {
  const query = 'query ($code: String!) { company(code: $code) { id code name } }';
  const { company } = (await ask('register', query, { code })) as { company: Company };
  await addBlocks(ask, [company], TAX);
  return { company: withoutId(company) };
}

export async function answerMany(ask: Ask, { codes }: Variables) {
  const query = 'query ($codes: [String!]!) { companies(codes: $codes) { id code name } }';
  const { companies } = (await ask('register', query, { codes })) as { companies: Company[] };
  await addBlocks(ask, companies, BLOCKS);
  return { companies: companies.map(withoutId) };
}

async function addBlocks(
  ask: Ask,
  companies: readonly Company[],
  blocks: readonly { readonly name: string; readonly query: string }[],
): Promise<void> {
  const r = companies.map(({ id }) => ({ __typename: 'Company', id }));
  const answers = await Promise.all(blocks.map(({ name, query }) => ask(name, query, { r })));
  for (const { _entities } of answers)
    (_entities as readonly object[]).forEach((entity, at) => Object.assign(companies[at] as Company, entity));
}

/** It was asked for the departments' sake. */
function withoutId(company: Company): Company {
  delete company.id;
  return company;
}
