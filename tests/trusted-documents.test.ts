/** A bank that is held to its registered operations, from the officer's command to the departments that are not asked. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { request } from 'undici';
import { operationId } from '../gateway/operations/registered-store.ts';
import type { PersonaName } from '../schema/sandbox-tokens.ts';
import type { Platform } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';

const REGISTERED = 'query Name($code: CreditCode!) { creditSubject(code: $code) { name tax { status } } }';
const VALID = 'query Other($code: CreditCode!) { creditSubject(code: $code) { code tax { status } } }';
const run = promisify(execFile);
const root = join(import.meta.dirname, '..');

let platform: Platform;
let folder: string;

beforeAll(async () => {
  platform = await startPlatform();
  folder = await mkdtemp(join(tmpdir(), 'jinxin-registered-'));
});
afterAll(async () => {
  await platform.close();
  await rm(folder, { recursive: true });
});

async function register(...args: string[]) {
  const url = await platform.databaseUrl('platform');
  const script = join(root, 'scripts/operations-register.ts');
  return run(process.execPath, ['--import', 'tsx', script, ...args], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', JINXIN_PLATFORM_URL: url },
  }).then(
    ({ stdout }) => ({ code: 0, text: stdout }),
    (error: { stdout: string; stderr: string }) => ({ code: 1, text: error.stdout + error.stderr }),
  );
}

async function post(body: object, as: PersonaName = 'bank-a') {
  const response = await request(platform.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await platform.token(as)}` },
    body: JSON.stringify(body),
  });
  return { status: response.statusCode, body: await response.body.text() };
}

describe('a bank that is held to its registered operations', () => {
  const variables = () => ({ code: platform.population[0]?.code });
  let refused: string;

  it('is so by one command, which shows first what it registers', async () => {
    const file = join(folder, 'name.graphql');
    await writeFile(file, REGISTERED);
    const { code, text } = await register('--consumer', 'bank-a', '--only', file);
    expect({ code, text }).toMatchObject({ code: 0 });
    expect(text).toContain(operationId(REGISTERED));
    expect(text).toMatch(/cost\s+6/);
    expect(text).toMatch(/creditSubject\.tax\.status\s+│\s+allow/);
    expect((await register('list')).text).toMatch(
      new RegExp(`^bank-a\tonly\t${operationId(REGISTERED)}\tName\t`),
    );
  });

  it('registers nothing that the gateway would refuse', async () => {
    const good = join(folder, 'good.graphql');
    const bad = join(folder, 'bad.graphql');
    await writeFile(good, VALID);
    await writeFile(bad, `{ ${'creditSubject { id } '.repeat(30)} }`);
    const { code, text } = await register('--consumer', 'bank-a', good, bad);
    expect(code).toBe(1);
    expect(text).toContain('rootFields');
    expect((await register('list')).text.trim().split('\n')).toHaveLength(1);
  });

  it('is answered what is registered, by text or by id', async () => {
    const until = Date.now() + 2_000;
    while ((await post({ query: VALID, variables: variables() })).status !== 403)
      if (Date.now() > until) throw new Error('the gateway did not read what was registered');
    const answers = await Promise.all([
      post({ query: REGISTERED, variables: variables() }),
      post({ documentId: operationId(REGISTERED), variables: variables() }),
      post({ documentId: `sha256:${operationId(REGISTERED)}`, variables: variables() }),
      post({
        extensions: { persistedQuery: { version: 1, sha256Hash: operationId(REGISTERED) } },
        variables: variables(),
      }),
    ]);
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(JSON.parse(body)).toMatchObject({
        data: { creditSubject: { name: platform.population[0]?.name } },
      });
    }
  });

  it('is refused everything else in the same words, and no department is asked', async () => {
    const before = platform.simulators.calls();
    const answers = await Promise.all(
      [
        { query: VALID, variables: variables() },
        { query: '{ creditSubject(code: "wrong") { nope } }' },
        { query: '{ not graphql' },
        { query: '{ __schema { types { name } } }' },
        { documentId: operationId(VALID), variables: variables() },
        { extensions: { persistedQuery: { version: 1, sha256Hash: operationId(VALID) } }, query: VALID },
      ].map((body) => post(body)),
    );
    refused = answers[0]?.body ?? '';
    expect(refused).toContain('OPERATION_NOT_REGISTERED');
    expect(answers.map(({ status, body }) => [status, body])).toEqual(answers.map(() => [403, refused]));
    expect(Object.values(platform.callsSince(before)).every((calls) => calls === 0)).toBe(true);
  });

  it('is alone in that: another bank asks what it likes', async () => {
    expect((await post({ query: VALID, variables: variables() }, 'bank-b')).status).toBe(200);
    expect((await post({ documentId: operationId(REGISTERED) }, 'bank-b')).body).toBe(refused);
  });

  it('loses what is withdrawn within a second', async () => {
    const { code } = await register('withdraw', '--consumer', 'bank-a', operationId(REGISTERED));
    expect(code).toBe(0);
    const at = Date.now();
    while ((await post({ query: REGISTERED, variables: variables() })).status !== 403)
      if (Date.now() > at + 5_000) throw new Error('what was withdrawn still runs');
    expect(Date.now() - at).toBeLessThan(5_000);
  });

  it('may ask what it likes again when it is released', async () => {
    await register('release', '--consumer', 'bank-a');
    const until = Date.now() + 2_000;
    let status = 0;
    while (status !== 200 && Date.now() < until)
      ({ status } = await post({ query: VALID, variables: variables() }));
    expect(status).toBe(200);
  });
});
