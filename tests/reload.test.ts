/** The supergraph changes under a running gateway: no request fails, none sees two graphs, and a bad one is not taken. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rename, writeFile } from 'node:fs/promises';
import { pino } from 'pino';
import { request } from 'undici';
import type { TestGateway } from './kit/gateway.ts';
import { startGateway } from './kit/gateway.ts';
import type { GraphName, TwoGraphs } from './kit/two-graphs.ts';
import { askWhich, hashOf, putGraph, readyWhen, startTwoGraphs } from './kit/two-graphs.ts';

const RELOADS = Number(process.env['JINXIN_TEST_RELOADS'] ?? 20);
const CLIENTS = 8;

let graphs: TwoGraphs;
let gateway: TestGateway;
const logged: string[] = [];

beforeAll(async () => {
  graphs = await startTwoGraphs({ latencyMs: 5 });
  gateway = await startGateway({
    supergraph: graphs.sdl.A,
    environment: { JINXIN_SUPERGRAPH_POLL_MS: '10', JINXIN_REQUESTS_PER_SECOND: '1000000' },
    log: pino({ level: 'info' }, { write: (line: string) => void logged.push(line) }),
  });
}, 60_000);

afterAll(async () => {
  await gateway.close();
  await graphs.close();
});

async function serve(graph: GraphName): Promise<void> {
  await putGraph(gateway, graphs.sdl[graph]);
  await readyWhen(gateway.url, ({ hash, reason }) => hash === hashOf(graphs.sdl[graph]) && reason === null);
}

async function metrics(): Promise<string> {
  return (await request(new URL('/metrics', gateway.url))).body.text();
}

describe('a gateway whose supergraph changes', () => {
  it(
    'fails no request and mixes no two graphs in one answer',
    async () => {
      const seen: (GraphName | 'mixed' | null)[] = [];
      let isOver = false;
      const clients = Array.from({ length: CLIENTS }, async () => {
        while (!isOver) seen.push(await askWhich(gateway.url));
      });
      for (let reload = 1; reload <= RELOADS; reload++) await serve(reload % 2 === 1 ? 'B' : 'A');
      isOver = true;
      await Promise.all(clients);
      expect(seen.filter((graph) => graph === null)).toHaveLength(0);
      expect(seen.filter((graph) => graph === 'mixed')).toHaveLength(0);
      expect(new Set(seen)).toEqual(new Set(['A', 'B']));
    },
    60_000 + RELOADS * 10_000,
  );

  it('lets the old graphs go: what stays is one graph', async () => {
    expect(await metrics()).toContain('jinxin_gateway_supergraphs_open 1\n');
    const threads = () => process.report.getReport() as { workers?: unknown[] };
    expect(threads().workers ?? []).toHaveLength(1);
  });

  it('prepares what was asked lately before it serves a new one', async () => {
    logged.length = 0;
    await serve('B');
    const taken = logged.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(taken.find(({ msg }) => msg === 'a new supergraph is served')).toMatchObject({
      prepared: 1,
      refused: 0,
      left: 0,
    });
  });

  it('takes the last of changes in quick succession', async () => {
    const { A, B } = graphs.sdl;
    for (const text of [A, `${B}\n# 1`, `${A}\n# 2`, `${B}\n# 3`]) await putGraph(gateway, text);
    await readyWhen(gateway.url, ({ hash }) => hash === hashOf(`${B}\n# 3`));
    expect(await askWhich(gateway.url)).toBe('B');
  });

  it('does not load again what is written again', async () => {
    await serve('A');
    logged.length = 0;
    await putGraph(gateway, graphs.sdl.A);
    // The refusal of the next one is heard of after it: nothing was served in between.
    await putGraph(gateway, '');
    await readyWhen(gateway.url, ({ reason }) => reason === 'INVALID');
    await serve('A');
    expect(logged.join('')).not.toContain('a new supergraph is served');
  });
});

describe('a supergraph that cannot be served', () => {
  const half = (text: string) => text.slice(0, text.length / 2);
  const security = (text: string) =>
    text.replace(
      '@link(url: "https://specs.apollo.dev/join',
      '@link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)\n  @link(url: "https://specs.apollo.dev/join',
    );

  it.each<[string, string, (text: string) => string | Buffer]>([
    ['is half written', 'INVALID', half],
    ['is empty', 'INVALID', () => ''],
    ['is no GraphQL', 'INVALID', () => '<html>502</html>'],
    ['refers to a type that is not there', 'INVALID', (text) => text.replaceAll('type Node', 'type Nobody')],
    ['has a subgraph without an address', 'INVALID', (text) => text.replace(/url: "http:[^"]*"/, 'url: ""')],
    ['has rules that nobody here enforces', 'SECURITY', security],
    ['is no text', 'UNREADABLE', () => Buffer.from([0xff, 0xfe, 0x00])],
  ])('is not taken when it %s, and the old one says why', async (_, reason, spoil) => {
    await serve('A');
    logged.length = 0;
    await putGraph(gateway, spoil(graphs.sdl.B));
    const ready = await readyWhen(gateway.url, (answer) => answer.reason !== null);
    expect(ready).toEqual({ status: 200, hash: hashOf(graphs.sdl.A), reason });
    expect(await askWhich(gateway.url)).toBe('A');
    expect(await metrics()).toContain(`jinxin_gateway_supergraph_refused{reason="${reason}"} 1`);
    const told = logged.filter((line) => line.includes('is not taken'));
    expect(told).toHaveLength(1);
    expect(JSON.parse(told[0] ?? '')).toMatchObject({ reason, detail: expect.stringMatching(/.{10}/) });
    await serve('B');
    expect(await metrics()).not.toContain('jinxin_gateway_supergraph_refused{');
  });

  it('is missed while its file is away, and the old one goes on', async () => {
    await serve('A');
    const file = `${gateway.folder}/supergraph.graphql`;
    await rename(file, `${file}.away`);
    await readyWhen(gateway.url, ({ reason }) => reason === 'UNREADABLE');
    expect(await askWhich(gateway.url)).toBe('A');
    await rename(`${file}.away`, file);
    await readyWhen(gateway.url, ({ reason }) => reason === null);
  });

  it('is taken once it is written to its end, though it was written in place and in pieces', async () => {
    await serve('A');
    const text = graphs.sdl.B;
    const pieces = Array.from({ length: 10 }, (_, at) => text.slice(0, ((at + 1) * text.length) / 10));
    for (const piece of pieces) await writeFile(`${gateway.folder}/supergraph.graphql`, piece);
    await readyWhen(gateway.url, ({ hash }) => hash === hashOf(text));
    expect(await askWhich(gateway.url)).toBe('B');
  });
});
