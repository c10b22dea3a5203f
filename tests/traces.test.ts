/** One trace from the bank's request through the gateway and the subgraphs to each legacy call. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { legalRepresentativeOf } from '../simulators/population/people.ts';
import type { Platform } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
let platform: Platform;
beforeAll(async () => {
  provider.register();
  platform = await startPlatform({ scale: 30 });
}, 60_000);
afterAll(async () => {
  await platform.close();
  await provider.shutdown();
});

it('holds operation, fetches, subgraphs and legacy calls, and nothing that names a subject', async () => {
  exporter.reset();
  const code = platform.population[5]?.code ?? '';
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  await platform.ask({
    as: 'bank-a',
    query: '{ creditCheck(input: { subject: "CODE" }) { completeness } }'.replace('CODE', code),
    headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
  });
  const spans = exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
  const parentOf = (id: string | undefined) => spans.find((span) => span.spanContext().spanId === id);
  const legacy = spans.filter(({ name }) => name.startsWith('legacy '));
  const paths = legacy.map((span) => {
    const subgraph = parentOf(span.parentSpanContext?.spanId);
    const fetch = parentOf(subgraph?.parentSpanContext?.spanId);
    return [subgraph?.name, fetch?.name];
  });
  for (const department of ['courts', 'human-resources', 'market-regulation', 'public-security', 'tax'])
    expect(paths).toContainEqual([`subgraph ${department}`, `fetch ${department}`]);
  expect(spans.filter(({ name }) => name === 'operation')).toHaveLength(1);
  const told = JSON.stringify(spans.map(({ name, attributes, events }) => ({ name, attributes, events })));
  expect(told).not.toContain(code);
  expect(told).not.toContain('bank-a');
});

it('holds of a look-up neither name nor number nor any id of the person, in no attribute, event or address', async () => {
  exporter.reset();
  const { name, citizenId } = legalRepresentativeOf(platform.population[5]?.code ?? '', 'test');
  const { data } = await platform.ask({
    as: 'bank-a',
    query:
      'query ($identity: PersonIdentityInput!) { creditPerson(identity: $identity) { id person { name } } }',
    variables: { identity: { name, idNumber: citizenId } },
  });
  const id = data.creditPerson.id as string;
  const spans = exporter.getFinishedSpans();
  expect(spans.map((span) => span.name)).toEqual(expect.arrayContaining(['fetch subjects', 'fetch consent']));
  const told = JSON.stringify(
    spans.map((span) => [span.name, span.attributes, span.events, span.status, span.links]),
  );
  for (const secret of [name, citizenId, id, id.slice(3), citizenId.slice(0, 10)])
    expect(told).not.toContain(secret);
  expect(told).not.toMatch(/P\d+-[\w-]{20,}/);
});
