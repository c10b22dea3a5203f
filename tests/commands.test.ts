/** The product's commands as a newcomer types them: real processes, real signals. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { freePort } from '../adapters/postgres/free-port.ts';
import { EXAMPLES } from '../gateway/http/explorer/examples.ts';
import { generatePopulation } from '../simulators/population/registrations.ts';
import { startPlainSubgraphs } from './kit/plain-subgraphs.ts';

const ROOT = join(import.meta.dirname, '..');
const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) {
    try {
      // npm's children too: it leads a process group of its own.
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // No such group: it is not npm, or has ended meanwhile.
      child.kill('SIGKILL');
    }
  }
  running.clear();
});

interface Command {
  readonly child: ChildProcess;
  /** Everything printed so far, both streams. */
  output(): string;
  /** Last line of standard output, which --json makes one object. */
  json(): unknown;
  /** Resolves when the output matches; rejects with the output when the process ends first. */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
  ended(): Promise<{ code: number | null; ms: number }>;
}

function run(
  script: string,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Command {
  return launch([process.execPath, '--import', 'tsx', script, ...args], environment, false);
}

function runNpm(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Command {
  return launch(['npm', ...args], environment, true);
}

function launch(
  [command = '', ...args]: readonly string[],
  environment: Readonly<Record<string, string>>,
  leadsGroup: boolean,
): Command {
  const startedAt = performance.now();
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: leadsGroup,
  });
  running.add(child);
  let text = '';
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString('utf8')));
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      for (const listener of listeners) listener();
    });
  const exit = once(child, 'close').then(() => {
    running.delete(child);
    for (const listener of listeners) listener();
    return { code: child.exitCode, ms: performance.now() - startedAt };
  });
  return {
    child,
    output: () => text,
    json: () => JSON.parse(printed.trim().split('\n').at(-1) ?? '') as unknown,
    ended: () => exit,
    prints: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(text);
          if (match) resolve(match);
          else if (child.exitCode !== null)
            reject(new Error(`ended without printing ${String(pattern)}:\n${text}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
  };
}

describe('npm start', () => {
  it('comes to the ready line with a sample check, answers a check and a fault, and leaves nothing behind', async () => {
    const port = await freePort();
    const environment = { PORT: String(port), JINXIN_CONTROL_PORT: String(await freePort()) };
    const start = run('scripts/start.ts', ['--scale', '60'], environment);
    const [, url] = await start.prints(/^Jinxin ready: (\S+)$/m);
    expect(url).toBe(`http://127.0.0.1:${port}/graphql`);
    for (const shown of ['天津津信样例（集团）有限公司', 'RECOMMEND', 'creditCheck', 'eyJ'])
      expect(start.output()).toContain(shown);

    const check = run('scripts/check.ts', ['天津津信样例 (集团) 有限公司', '--json'], environment);
    expect((await check.ended()).code).toBe(0);
    expect(JSON.parse(check.output())).toMatchObject({
      subject: { code: '91120101MA9TYN016Y' },
      completeness: 1,
      sources: expect.arrayContaining([
        expect.objectContaining({ department: expect.any(String), status: expect.any(String) }),
      ]),
    });

    const monitoring = run(
      'scripts/check.ts',
      ['91120101MA9TYN016Y', '--purpose', 'LOAN_MONITORING', '--product', 'xyd-monitoring'],
      environment,
    );
    expect([(await monitoring.ended()).code, monitoring.output()]).toEqual([
      1,
      expect.stringContaining('CONSENT_REQUIRED'),
    ]);
    const owner = run('scripts/check.ts', ['91120101MA9TYN016Y', '--as', 'company-owner'], environment);
    expect([(await owner.ended()).code, owner.output()]).toEqual([0, expect.stringContaining('RECOMMEND')]);
    const refused = run('scripts/check.ts', ['91120101MA9TYN016Y', '--as', 'bank-b', '--json'], environment);
    expect((await refused.ended()).code).toBe(1);
    expect(refused.output()).toContain('这不表示清白');
    expect(refused.json()).toEqual({
      subject: { code: '91120101MA9TYN016Y', name: '天津津信样例（集团）有限公司' },
      sources: null,
      completeness: null,
      assessment: null,
      errors: [
        {
          code: 'CONSENT_REQUIRED',
          message: expect.stringContaining('consent'),
          paths: expect.arrayContaining(['creditCheck.sources', 'creditCheck.assessment']),
        },
      ],
    });

    const control = { JINXIN_CONTROL_URL: `http://127.0.0.1:${environment.JINXIN_CONTROL_PORT}` };
    const fault = run('scripts/fault.ts', ['courts', 'refuse', '--for', '30s'], control);
    expect((await fault.ended()).code).toBe(0);
    const wrong = run('scripts/fault.ts', ['courts', 'nonsense'], control);
    expect([(await wrong.ended()).code, wrong.output()]).toEqual([1, expect.stringContaining('refuse')]);

    const page = await request(url ?? '', { headers: { accept: 'text/html' } });
    expect([page.statusCode, (await page.body.text()).includes('津信')]).toEqual([200, true]);
    const metrics = await (await request((url ?? '').replace('graphql', 'metrics'))).body.text();
    for (const name of [
      'jinxin_legacy_calls_total',
      'jinxin_gateway_cache_entities_total',
      'jinxin_gateway_request_seconds',
    ])
      expect(metrics).toContain(name);

    const stoppedAt = performance.now();
    start.child.kill('SIGINT');
    expect((await start.ended()).code).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(50_000);
    await expect(request(url ?? '')).rejects.toThrow();
  }, 120_000);

  it('says clearly that its port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const start = run('scripts/start.ts', [], { PORT: String(port) });
    expect((await start.ended()).code).toBe(1);
    expect(start.output()).toContain(`Port ${port} is taken`);
    // The way out that it proposes is another port, not the taken one.
    expect(start.output()).toContain(`PORT=${port + 100} npm start`);
    server.close();
  }, 60_000);

  it.each([
    ['--scale abc', ['--scale', 'abc'], {}, '--scale'],
    ['--faults 2', ['--faults', '2'], {}, '--faults'],
    ['PORT=http', [], { PORT: 'http' }, 'PORT must be a port'],
    ['a population that is not there', ['--population', 'nowhere.csv'], {}, 'no such file'],
  ])(
    'refuses %s before it starts anything',
    async (_, args, environment, reason) => {
      const start = run('scripts/start.ts', args, environment);
      expect((await start.ended()).code).toBe(1);
      expect(start.output()).toContain(reason);
      expect(start.output()).not.toContain('PostgreSQL');
    },
    60_000,
  );
});

describe('the explorer’s examples', () => {
  it('ask for companies that npm start makes up', () => {
    const codes = generatePopulation({ size: 2_000, seed: 'jinxin' }).map(({ code }) => code);
    const asked =
      JSON.stringify(EXAMPLES.map(({ variables }) => variables)).match(/9\d{7}MA9TYN\w{4}/g) ?? [];
    expect(asked.length).toBeGreaterThan(3);
    expect(codes).toEqual(expect.arrayContaining(asked));
  });
});

describe('npm run check', () => {
  it.each([
    ['91120101MA9TYN016X', 'INVALID_CREDIT_CODE', 'CHECK_DIGIT'],
    ['91120101MA9TYNO16Y', 'INVALID_CREDIT_CODE', 'did you mean 91120101MA9TYN016Y'],
    ['91120101MA9TYN016Y', 'ENDPOINT_UNREACHABLE', 'npm start'],
  ])(
    'says of %s with nobody listening: %s, as words and as JSON',
    async (subject, code, words) => {
      const environment = { PORT: String(await freePort()) };
      const check = run('scripts/check.ts', [subject, '--json'], environment);
      expect((await check.ended()).code).toBe(1);
      expect(check.output()).toContain(words);
      expect(check.json()).toMatchObject({ sources: null, errors: [{ code }] });
    },
    60_000,
  );
});

describe('npm run gateway', () => {
  it('serves any supergraph, is ready only when it can answer, and goes when told to', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'jinxin-test-'));
    const subgraphs = await startPlainSubgraphs({
      hello: { sdl: 'type Query { hello: String }', resolvers: { Query: { hello: () => 'world' } } },
    });
    const file = join(folder, 'supergraph.graphql');
    await writeFile(file, subgraphs.supergraph);
    const port = await freePort();
    const gateway = run('gateway/main.ts', ['--supergraph', file, '--listen', `127.0.0.1:${port}`]);
    await gateway.prints(/gateway ready/);
    const at = (path: string) => request(`http://127.0.0.1:${port}${path}`);
    expect((await at('/health/live')).statusCode).toBe(200);
    expect((await at('/health/ready')).statusCode).toBe(200);
    const answer = await request(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ hello }"}',
    });
    expect(await answer.body.json()).toEqual({ data: { hello: 'world' } });
    const toldAt = performance.now();
    // As npm and a terminal do together: the second signal must not cut the first one short.
    gateway.child.kill('SIGTERM');
    gateway.child.kill('SIGINT');
    gateway.child.kill('SIGINT');
    expect((await gateway.ended()).code).toBe(0);
    expect(performance.now() - toldAt).toBeLessThan(10_000);
    await subgraphs.close();
    await rm(folder, { recursive: true });
  }, 60_000);

  it('ends when npm alone is told to, and leaves no process', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'jinxin-test-'));
    const subgraphs = await startPlainSubgraphs({
      hello: { sdl: 'type Query { hello: String }', resolvers: { Query: { hello: () => 'world' } } },
    });
    const file = join(folder, 'supergraph.graphql');
    await writeFile(file, subgraphs.supergraph);
    const port = await freePort();
    const args = ['run', 'gateway', '--', '--supergraph', file, '--listen', `127.0.0.1:${port}`];
    const npm = runNpm(args);
    const [, pid] = await npm.prints(/"pid":(\d+).*gateway ready/);
    npm.child.kill('SIGTERM');
    await npm.ended();
    expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
    await subgraphs.close();
    await rm(folder, { recursive: true });
  }, 60_000);

  it.each([
    ['a file that is not there', [], 'no such file'],
    ['an address that is none', ['--listen', 'nowhere'], 'HOST:PORT'],
  ])(
    'refuses %s with a reason',
    async (_, args, reason) => {
      const gateway = run('gateway/main.ts', ['--supergraph', '/nowhere/supergraph.graphql', ...args]);
      expect((await gateway.ended()).code).toBe(1);
      expect(gateway.output()).toContain(reason);
    },
    60_000,
  );
});

describe('npm run token', () => {
  it('prints a token for each persona, refuses others, and refuses production', async () => {
    const token = run('scripts/token.ts', ['partner-hebei']);
    expect((await token.ended()).code).toBe(0);
    expect(token.output().trim()).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    const nobody = run('scripts/token.ts', ['nobody']);
    expect([(await nobody.ended()).code, nobody.output()]).toEqual([2, expect.stringContaining('bank-a')]);
    const production = run('scripts/token.ts', ['bank-a'], { JINXIN_ENVIRONMENT: 'production' });
    expect((await production.ended()).code).toBe(1);
  }, 60_000);
});
