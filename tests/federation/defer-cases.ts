/** Operations with @defer: what is told at once, what is told later, and that all of it is what one answer would have been. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kind, parse, print, visit } from 'graphql';
import { expectErrors } from './expectations.ts';
import type { Answer, AnswerPart, Federation } from './federation.ts';
import { startFederation } from './federation.ts';
import { readGraph } from './graph-file.ts';

const graph = readGraph('defer.yaml');

describe('deferred fragments', () => {
  let federation: Federation;
  beforeAll(async () => {
    federation = await startFederation(graph);
  });
  afterAll(async () => {
    await federation.close();
  });

  it.each(graph.cases)('$name', async (one) => {
    const parts: AnswerPart[] = [];
    for await (const part of federation.askInParts(one, federation.world(), one)) parts.push(part);
    const later = parts.flatMap(({ incremental }) => incremental ?? []);
    const merged = toMerged(parts);
    if (one.initial !== undefined) expect(parts[0]?.data).toEqual(one.initial);
    if (one.labels) expect(later.map(({ label }) => label ?? '').sort()).toEqual([...one.labels].sort());
    if (one.data !== undefined) expect(merged.data).toEqual(one.data);
    expectErrors(one.errors ?? {}, merged);
    expect(parts.map(({ hasNext }) => hasNext ?? false)).toEqual(parts.map((_, at) => at < parts.length - 1));
    if (one.oracle === false) return;
    const whole = { ...one, operation: withoutDefer(one.operation), world: federation.world() };
    expect(merged.data).toEqual(toPlain((await federation.oracle.answer(whole)).data));
  });
});

/** All parts as one answer. */
function toMerged(parts: readonly AnswerPart[]): Answer {
  const later = parts.flatMap(({ incremental }) => incremental ?? []);
  const whole = { data: structuredClone(parts[0]?.data) };
  for (const { path, data } of later) {
    let target: unknown = whole.data;
    for (const key of path) target = (target as Record<string | number, unknown>)[key];
    mergeInto(target, data);
  }
  return { ...whole, errors: [...parts, ...later].flatMap(({ errors }) => errors ?? []) };
}

function mergeInto(target: unknown, source: unknown): void {
  if (typeof target !== 'object' || target === null || typeof source !== 'object' || source === null) return;
  for (const [key, value] of Object.entries(source)) {
    const there = (target as Record<string, unknown>)[key];
    if (typeof there === 'object' && there !== null) mergeInto(there, value);
    else (target as Record<string, unknown>)[key] = value;
  }
}

/** graphql-js 16 knows no @defer. */
function withoutDefer(operation: string): string {
  return print(
    visit(parse(operation), {
      [Kind.DIRECTIVE]: (directive: { name: { value: string } }) =>
        directive.name.value === 'defer' ? null : undefined,
    }),
  );
}

const toPlain = (data: unknown): unknown => JSON.parse(JSON.stringify(data)) as unknown;
