/** A graph with its cases, as a YAML file that a person can review; README.md beside it tells the format. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** `!error boom` in the data: whoever resolves that value fails with this message. */
export class Failure {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

const count = z.number().int().nonnegative();
/** A JSON body, or a body as text, whatever it is; with a status of its own where it is not 200. */
const replySchema = z.union([
  z.strictObject({ status: count.default(200), text: z.string() }),
  z.strictObject({ status: count.default(200), json: z.unknown() }),
]);

const caseSchema = z.strictObject({
  name: z.string(),
  operation: z.string(),
  operationName: z.string().optional(),
  variables: z.record(z.string(), z.unknown()).default({}),
  /** Without it, the answer is the oracle's. */
  data: z.unknown().optional(),
  /** Path, dotted → code of the closed table, or the message of a subgraph's own error; several where there are several. */
  errors: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
  /** The whole request is refused with this code. */
  refused: z.string().optional(),
  /** Requests to each subgraph; one that is not named gets none. */
  calls: z.record(z.string(), count).optional(),
  /** Subgraphs in the order in which they were asked. */
  order: z.array(z.string()).optional(),
  /** What a subgraph was told of the entities that it was asked for, or how many there were; order is not looked at. */
  representations: z.record(z.string(), z.union([count, z.array(z.unknown())])).optional(),
  /** What a subgraph answers instead of the truth. */
  replies: z.record(z.string(), replySchema).default({}),
  /** Subgraphs that cut every connection. */
  down: z.array(z.string()).default([]),
  /** Subgraphs that answer after the others. */
  slow: z.array(z.string()).default([]),
  /** What is told at once of an operation with @defer; `data` is all of it, when it is there. */
  initial: z.unknown().optional(),
  /** Labels of what is told later. */
  labels: z.array(z.string()).optional(),
  /** Subgraphs that do not answer before something was told. */
  held: z.array(z.string()).default([]),
  /** Things that a subgraph does not know when it is asked for the entity. */
  missing: z.record(z.string(), z.array(z.string())).default({}),
  /** false: no oracle can say, or it would say something else, for the reason given there. */
  oracle: z.boolean().optional(),
});

const behaviourSchema = z.union([
  z.literal(['find', 'where', 'echo', 'set', 'add']),
  z.strictObject({ times: z.record(z.string(), z.record(z.string(), z.number())) }),
  z.strictObject({ first: z.string() }),
]);

const graphSchema = z.strictObject({
  about: z.string(),
  subgraphs: z.record(z.string(), z.string()),
  /** A supergraph that no composition would make: these texts stand for those in the composed one. */
  supergraph: z.record(z.string(), z.string()).default({}),
  fields: z.record(z.string(), behaviourSchema).default({}),
  data: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  cases: z.array(caseSchema).default([]),
});

export type Graph = z.infer<typeof graphSchema> & { readonly name: string };
export type Case = Graph['cases'][number];
export type Behaviour = z.infer<typeof behaviourSchema>;
export type Reply = z.infer<typeof replySchema>;

const HERE = import.meta.dirname;

/** All of cases/. */
export function readGraphs(): readonly Graph[] {
  return readdirSync(join(HERE, 'cases'))
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => readGraph(`cases/${file}`));
}

/** `file` is relative to this folder. */
export function readGraph(file: string): Graph {
  const text = readFileSync(join(HERE, file), 'utf8');
  const parsed = graphSchema.safeParse(parse(text, { customTags: [FAILURE] }));
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
  return { ...parsed.data, name: basename(file, '.yaml') };
}

const FAILURE = { tag: '!error', resolve: (message: string) => new Failure(message) };
