import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { composeSupergraph } from '../../schema/compose.ts';
import type { Supergraph } from './load.ts';
import { loadSupergraph, SupergraphError } from './load.ts';

const sdl = composeSupergraph([
  {
    name: 'tax',
    url: 'http://127.0.0.1:1/tax/graphql',
    sdl: `type Query { grade: String @policy(policies: [["tax.grade"]])  activeConsents: String @inaccessible  open: String }`,
  },
]);
const load = (text: string): Promise<Supergraph> => loadSupergraph(text, { log: pino({ level: 'silent' }) });

describe('a supergraph', () => {
  it('is loaded with its rules, which its own planner would have refused', async () => {
    const supergraph = await load(sdl);
    expect([...supergraph.requirements]).toEqual([['Query.grade', ['tax.grade']]]);
    expect([...supergraph.internal]).toEqual([['activeConsents', 'tax']]);
    expect(Object.keys(supergraph.apiSchema.getQueryType()?.getFields() ?? {})).toEqual(['grade', 'open']);
    await supergraph.close();
  });

  it.each([
    [
      'a security link that nobody here enforces',
      sdl.replace('policy/v0.1', 'requiresScopes/v0.1'),
      'not understood',
    ],
    ['a newer version of the rules', sdl.replace('policy/v0.1', 'policy/v0.2'), 'not understood'],
    [
      'rules under another name',
      sdl.replace('policy/v0.1", for', 'policy/v0.1", as: "rule", for'),
      'another name',
    ],
    [
      'rules that read OR',
      sdl.replace('[["tax.grade"]]', '[["tax.grade"], ["tax.other"]]'),
      'exactly one list',
    ],
    [
      'a rule on a whole type',
      sdl.replace('type Query', 'scalar Money @policy(policies: [["x.y"]])\n\ntype Query'),
      'on type Money',
    ],
    ['text that is not GraphQL', 'type Query {', 'not GraphQL'],
    ['a schema without subgraphs', 'type Query { a: String }', 'no subgraphs'],
  ])('is refused with %s', async (_, text, reason) => {
    await expect(load(text)).rejects.toThrow(reason);
  });

  it('is planned over in the planning thread only: nothing else of the gateway can make a plan', () => {
    const gateway = join(import.meta.dirname, '..');
    const planning = readdirSync(gateway, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .filter((file) =>
        /import \{[^}]*\} from '@apollo\/query-planner'|ApolloGateway\b/.test(
          readFileSync(join(gateway, file), 'utf8'),
        ),
      );
    expect(planning).toEqual([join('planning', 'thread.ts')]);
  });

  it('says that it was the supergraph', async () => {
    await expect(load('type Query { a: String }')).rejects.toBeInstanceOf(SupergraphError);
  });
});
