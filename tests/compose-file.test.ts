/** docker-compose.yml against the Compose schema (fixtures/compose-spec.md says where it is from) and our own rules. */
import { describe, expect, it } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import addFormats from 'ajv-formats';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { findComposeBreaches } from './compose-file-rules.ts';

const root = new URL('../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
const compose = parse(read('docker-compose.yml'), { merge: true }) as Services;

type Services = {
  services: Record<string, { image: string; command?: string[]; environment?: Record<string, unknown> }>;
};

const validate = compileSchema(JSON.parse(read('tests/fixtures/compose-spec.json')) as object);

describe('docker-compose.yml', () => {
  it('is a Compose file', () => {
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('keeps our own rules', () => {
    expect(findComposeBreaches(compose)).toEqual([]);
  });

  it('runs everything that the product consists of, and our three roles from one image', () => {
    expect(Object.keys(compose.services).sort()).toEqual([
      'gateway',
      'jaeger',
      'mariadb',
      'otel-collector',
      'postgres',
      'redis',
      'simulators',
      'subgraphs',
    ]);
    const ours = Object.entries(compose.services).filter(([, { image }]) => image.startsWith('jinxin:'));
    expect(ours.map(([name, { command }]) => [name, command?.[0]])).toEqual([
      ['gateway', 'gateway'],
      ['subgraphs', 'subgraphs'],
      ['simulators', 'simulators'],
    ]);
    expect(new Set(ours.map(([, { image }]) => image)).size).toBe(1);
  });

  it('gives the private key to the gateway alone', () => {
    const holders = Object.entries(compose.services).filter(
      ([, { environment }]) => environment && 'JINXIN_GATEWAY_PRIVATE_KEY' in environment,
    );
    expect(holders.map(([name]) => name)).toEqual(['gateway']);
  });

  it('mounts only files that are in the repository, and names only stages that the Dockerfile copies', () => {
    expect(() => parse(read('docker/otel-collector.yaml')) as unknown).not.toThrow();
    const dockerfile = read('Dockerfile');
    for (const folder of ['schema', 'adapters', 'gateway', 'subgraphs', 'simulators'])
      expect(dockerfile).toContain(`COPY ${folder} ${folder}`);
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK /m);
    expect(dockerfile).not.toMatch(/:latest|^FROM [^:\s]+(\s|$)/m);
  });
});

describe('the Compose schema', () => {
  it.each([
    ['a key that there is not', { services: { a: { image: 'x:1.0', helthcheck: {} } } }],
    [
      'a duration that is none',
      { services: { a: { image: 'x:1.0', healthcheck: { test: 'x', interval: 'soon' } } } },
    ],
    ['a port that is none', { services: { a: { image: 'x:1.0', ports: ['localhost'] } } }],
    ['a top level that there is not', { service: {} }],
  ])('refuses %s', (_, file) => {
    expect(validate(file)).toBe(false);
  });
});

describe('our rules', () => {
  const sound = {
    image: 'redis:7.4.2-bookworm',
    read_only: true,
    security_opt: ['no-new-privileges:true'],
    healthcheck: { test: ['CMD', 'true'] },
    deploy: { resources: { limits: { cpus: '1.0', memory: '1G' } } },
  };

  it('find nothing wrong with a sound service', () => {
    expect(findComposeBreaches({ services: { a: sound } })).toEqual([]);
  });

  it.each([
    [{ image: 'redis' }, 'image redis is not pinned'],
    [{ image: 'redis:latest' }, 'image redis:latest is not pinned'],
    [{ image: 'registry.example:5000/redis' }, 'image registry.example:5000/redis is not pinned'],
    [{ healthcheck: { test: ['CMD', 'true'], disable: true } }, 'has no health check'],
    [{ ports: ['6379:6379'] }, 'port 6379:6379 is open to the network'],
    [{ ports: ['0.0.0.0:6379:6379'] }, 'port 0.0.0.0:6379:6379 is open to the network'],
    [{ deploy: undefined }, 'has no limits of CPU and memory'],
    [{ read_only: false }, 'can write to its own image'],
    [{ privileged: true }, 'is privileged'],
    [{ security_opt: [] }, 'may gain privileges'],
    [{ depends_on: ['b'] }, 'does not wait until b is healthy'],
    [{ depends_on: { b: { condition: 'service_started' } } }, 'does not wait until b is healthy'],
    [{ environment: { A_PASSWORD: 'secret' } }, 'A_PASSWORD must read ${NAME:?why}'],
    [{ environment: { A_PASSWORD: '${A:-secret}' } }, 'A_PASSWORD must read ${NAME:?why}'],
    [{ environment: { URL: 'redis://:secret@redis/0' } }, 'URL holds a password'],
    [{ environment: { URL: 'http://x/${A_TOKEN:-t}' } }, 'URL has a default for a secret: ${A_TOKEN:-t}'],
    [{ image: 'jinxin:0.1.0', command: ['sleep'] }, 'sleep is not a role of our image'],
  ])('%j → %s', (change, breach) => {
    expect(findComposeBreaches({ services: { a: { ...sound, ...change } } })).toContain(`a: ${breach}`);
  });
});

/** The schema says 2019-09 and writes draft-04's `id`, which only names positions and is left out here. */
function compileSchema(schema: object) {
  const ajv = new Ajv2019({ strict: false, allErrors: true });
  addFormats.default(ajv);
  // The formats of Compose, not of JSON Schema: 1h30m5s, 127.0.0.1:${PORT:-4000}:4000.
  const port = /^(?:[\d.]+:)?(?:(?:\d+|\$\{[^}]+\})(?:-\d+)?:)?\d+(?:-\d+)?(?:\/[a-z]+)?$/;
  ajv.addFormat('duration', /^(?=.)(?:\d+(?:\.\d+)?(?:us|ms|s|m|h))+$/);
  ajv.addFormat('ports', port);
  ajv.addFormat('expose', /^\d+(?:-\d+)?(?:\/[a-z]+)?$/);
  ajv.addFormat('subnet_ip_address', /^[\d.:a-f]+\/\d+$/);
  const text = JSON.stringify(schema, (key, value: unknown) =>
    (key === 'id' && typeof value === 'string') || key === '$schema' ? undefined : value,
  );
  return ajv.compile(JSON.parse(text) as object);
}
