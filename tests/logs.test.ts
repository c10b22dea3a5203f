/** The logs tell an operator what happened, as JSON, and nobody’s personal data. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { legalRepresentativeOf } from '../simulators/population/people.ts';
import { FAULTS } from '../simulators/simulator.ts';
import type { Platform } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';

const lines: string[] = [];
let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform({
    scale: 80,
    onLog: (line) => lines.push(line),
    environment: { JINXIN_SOFT_DEADLINE_MS: '400' },
  });
}, 60_000);
afterAll(() => platform.close());

it('hold no ID number, no name of a person, no token and no query, whatever goes wrong', async () => {
  const [, company] = platform.population;
  const code = company?.code ?? '';
  const person = legalRepresentativeOf(code, 'test');
  const query = `{ creditCheck(input: { subject: "${code}" }) { completeness sources { status } } creditSubject(code: "${code}") { publicSecurity { legalRepresentativeCheck } courts { status } } }`;
  for (const department of platform.simulators.departments)
    for (const fault of FAULTS.filter((one) =>
      platform.simulators.get(department).faults.includes(one),
    ).slice(0, 6)) {
      await platform.simulators.setFault(department, fault);
      const next = platform.population[2 + (lines.length % 70)]?.code ?? code;
      await platform.ask({ as: 'bank-a', query: query.replaceAll(code, next) });
      await platform.simulators.setFault(department, null);
    }
  await platform.ask({ as: 'bank-a', query });
  await platform.ask({ query: `{ creditSubject(code: "${person.citizenId}") { name } }` });
  await platform.ask({ query: '{ nope', headers: { authorization: `Bearer ${person.citizenId}` } });
  await platform.ask({
    as: 'bank-b',
    query: `{ searchCreditSubjects(name: "${person.name}${person.citizenId}") { score } }`,
  });

  const look =
    'query ($identity: PersonIdentityInput!) { creditPerson(identity: $identity) { id person { name idNumber } } }';
  const identities = [
    { name: person.name, idNumber: person.citizenId },
    { name: `${person.name}某`, idNumber: person.citizenId },
    { name: person.citizenId, idNumber: person.name },
    person.citizenId,
  ];
  for (const identity of identities)
    await platform.ask({ as: 'bank-a', query: look, variables: { identity } });
  const literal = `{ name: "${person.name}", idNumber: "${person.citizenId}" }`;
  await platform.ask({ as: 'bank-a', query: `{ creditPerson(identity: ${literal}) { id } }` });
  await platform.simulators.setFault('market-regulation', 'refuse');
  await platform.ask({ as: 'bank-b', query: look, variables: { identity: identities[0] } });
  await platform.simulators.setFault('market-regulation', null);

  const text = lines.join('\n');
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines)
    expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number), msg: expect.any(String) });
  const people = platform.population.map(({ code: one }) => legalRepresentativeOf(one, 'test'));
  const told = people.filter(({ citizenId, name }) => text.includes(citizenId) || text.includes(`"${name}"`));
  expect(told).toEqual([]);
  // Any 18 characters that read as an ID number of somebody born in 1900, as all synthetic people are.
  expect(text.match(/\b\d{6}1900\d{7}[\dX]\b/g)).toBeNull();
  expect(text.match(/eyJ[\w-]{20,}/g)).toBeNull();
  expect(text).not.toContain('creditCheck(');
}, 120_000);
