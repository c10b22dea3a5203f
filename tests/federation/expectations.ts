/** What a case, and what the oracle, expect of an answer. Data are compared as text: the order of fields is part of the answer. */
import { expect } from '@jest/globals';
import type { ExecutionResult } from 'graphql';
import { Kind, parse, visit } from 'graphql';
import { isErrorCode } from '../../schema/errors.ts';
import type { Answer } from './federation.ts';
import type { Case } from './graph-file.ts';
import type { SubgraphCall } from './subgraph-server.ts';

type Path = readonly (string | number)[];

export function expectCase(one: Case, answer: Answer, calls: readonly SubgraphCall[]): void {
  if (one.refused !== undefined) {
    const [error] = answer.errors ?? [];
    expect({ data: answer.data ?? null, code: error?.extensions?.code }).toEqual({
      data: null,
      code: one.refused,
    });
    expect(calls).toEqual([]);
    return;
  }
  if (one.data !== undefined) expect(toText(answer.data)).toBe(toText(one.data));
  if (one.data !== undefined || one.errors) expectErrors(one.errors ?? {}, answer);
  if (one.calls) expect(countOf(calls.map(({ subgraph }) => subgraph))).toEqual(withoutNone(one.calls));
  if (one.order) expect(calls.map(({ subgraph }) => subgraph)).toEqual(one.order);
  for (const [subgraph, expected] of Object.entries(one.representations ?? {})) {
    const sent = calls.filter((call) => call.subgraph === subgraph).flatMap(representationsOf);
    if (typeof expected === 'number') expect(sent.length).toBe(expected);
    else expect(sent.map(toSortedText).sort()).toEqual(expected.map(toSortedText).sort());
  }
}

/** These errors, and no others. */
export function expectErrors(errors: NonNullable<Case['errors']>, answer: Answer): void {
  expect(toErrorList(answer)).toEqual(listOf(errors));
}

/** The case itself says what the oracle says: where it does not, the case is wrong. */
export function expectTrue({ data, errors = {} }: Case, oracle: ExecutionResult): void {
  if (data === undefined) return;
  const paths = Object.keys(errors).map((path) => ({ path: path.split('.') }));
  expect({ ofCase: toText(data) }).toEqual({ ofCase: toText(oracle.data) });
  expect({ ofCase: nullsOf({ data, errors: paths }) }).toEqual({ ofCase: nullsOf(oracle) });
}

/**
 * The same data, and an error behind each of the same nulls. Of two null siblings that take their parent with them graphql-js
 * tells one, and does not say which: so errors are compared by the null that they ended in.
 */
export function expectAsOracle(answer: Answer, oracle: ExecutionResult): void {
  expect(toText(answer.data)).toBe(toText(oracle.data));
  expect(nullsOf(answer)).toEqual(nullsOf(oracle));
}

/** Where the data is null for the sake of an error, each once. */
export function nullsOf({
  data,
  errors,
}: {
  readonly data?: unknown;
  readonly errors?: readonly { readonly path?: Path | undefined }[];
}): readonly string[] {
  return [...new Set((errors ?? []).map(({ path }) => dotted(nullAbove(data, path ?? []))))].sort();
}

function nullAbove(data: unknown, path: Path): Path {
  let value = data;
  for (let at = 0; at < path.length; at++) {
    if (typeof value !== 'object' || value === null) return path.slice(0, at);
    value = (value as Record<string | number, unknown>)[path[at] as string | number];
  }
  return path;
}

function toErrorList({ errors }: Answer): readonly string[] {
  return (errors ?? [])
    .map(({ message, path, extensions }) => {
      const code = extensions?.code;
      return `${dotted(path ?? [])}: ${isErrorCode(code) ? code : message}`;
    })
    .sort();
}

function listOf(errors: NonNullable<Case['errors']>): readonly string[] {
  return Object.entries(errors)
    .flatMap(([path, told]) => [told].flat().map((one) => `${path}: ${one}`))
    .sort();
}

/** What is asked of `_entities`, under whatever alias, with whatever variable. */
function representationsOf({ query, variables }: SubgraphCall): readonly unknown[] {
  const names: string[] = [];
  visit(parse(query), {
    Field({ name, arguments: given }) {
      const value = given?.find((argument) => argument.name.value === 'representations')?.value;
      if (name.value === '_entities' && value?.kind === Kind.VARIABLE) names.push(value.name.value);
    },
  });
  return names.flatMap((name) => variables[name] as readonly unknown[]);
}

function countOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function withoutNone(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, number]) => number > 0));
}

const dotted = (path: Path): string => path.join('.');
const toText = (value: unknown): string => JSON.stringify(value, null, 1) ?? 'nothing';

function toSortedText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
