/** One POST to one subgraph: signed, bounded by the deadline, capped in size. */
import { context, propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import { isUtf8 } from 'node:buffer';
import type { KeyObject } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Pool } from 'undici';
import { z } from 'zod';
import type { Principal } from '../../schema/principal.ts';
import { isData } from './program/own.ts';
import { DEADLINE_HEADER, PRINCIPAL_HEADER, signPrincipal } from '../../schema/principal.ts';
import type { Grace } from './entity-cache.ts';

export interface SubgraphAnswer {
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly errors: readonly SubgraphErrorBody[];
  /**
   * Seconds for which each entity may be kept, those of several variables one after the other; empty where the subgraph says
   * nothing.
   */
  readonly maxAge: readonly number[];
  /** How long beyond that each may stand in for a fresh one; left out where none ever may. */
  readonly grace?: readonly Grace[];
}

export type SubgraphErrorBody = z.infer<typeof errorSchema>;

export interface Transport {
  send(subgraph: string, request: SubgraphRequest): Promise<SubgraphAnswer>;
  close(): Promise<void>;
}

export interface SubgraphRequest {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Variables that hold representations, each as JSON text. */
  readonly representations?: ReadonlyMap<string, readonly string[]>;
  readonly principal: Principal;
  /** Catalogue items that the principal was granted for this fetch. */
  readonly items: readonly string[];
  /** Ends the request: its client left, or its time is up. */
  readonly signal: AbortSignal;
  /** `performance.now()` at which its time is up; the subgraph is told how much is left. */
  readonly deadline: number;
}

/** The subgraph gave no usable answer: what it would have said is unknown. */
export class SubgraphUnreachableError extends Error {
  constructor(subgraph: string, fact: string, cause?: unknown) {
    super(`subgraph ${subgraph} ${fact}`, cause === undefined ? undefined : { cause });
    this.name = 'SubgraphUnreachableError';
  }
}

const MOST_BYTES = 32 * 1024 * 1024;
const tracer = trace.getTracer('jinxin.gateway');

const errorSchema = z.looseObject({
  message: z.string().default(''),
  path: z.array(z.union([z.string(), z.number()])).nullish(),
  extensions: z.record(z.string(), z.unknown()).nullish(),
});
const errorsSchema = z.array(errorSchema).nullish();
const graceSchema = z.object({
  whileRevalidating: z.number().nonnegative(),
  onError: z.number().nonnegative(),
});
const hintsSchema = z
  .looseObject({
    jinxin: z
      .looseObject({ maxAge: z.array(z.number().nonnegative()), grace: z.array(graceSchema).optional() })
      .optional(),
  })
  .nullish();

/**
 * `urls`: subgraph → endpoint. Without `signingKey` requests go out unsigned, to plain subgraphs that ask for no signature.
 * One pool per origin and subgraph: a slow department must not use up the connections of another.
 */
export function createTransport(options: {
  urls: ReadonlyMap<string, string>;
  signingKey: KeyObject | null;
  connections: number;
}): Transport {
  const pools = new Map<string, { pool: Pool; path: string }>();
  for (const [name, url] of options.urls) {
    const { origin, pathname, search } = new URL(url);
    const pool = new Pool(origin, {
      connections: options.connections,
      pipelining: 1,
      bodyTimeout: 0,
      headersTimeout: 0,
    });
    pools.set(name, { pool, path: pathname + search });
  }

  async function post(subgraph: string, request: SubgraphRequest): Promise<unknown> {
    const target = pools.get(subgraph);
    if (!target) throw new SubgraphUnreachableError(subgraph, 'has no address');
    const body = toBody(request);
    const left = Math.max(1, Math.floor(request.deadline - performance.now()));
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      accept: 'application/json',
      [DEADLINE_HEADER]: String(left),
    };
    if (options.signingKey)
      headers[PRINCIPAL_HEADER] = signPrincipal(
        options.signingKey,
        { ...request, subgraph },
        body,
        Date.now(),
      );
    propagation.inject(context.active(), headers);
    const { signal } = request;
    const response = await target.pool.request({ method: 'POST', path: target.path, headers, body, signal });
    // We accept no coding: what comes packed all the same has no bound, and we would have to guess how often it is packed.
    if (response.headers['content-encoding'] !== undefined) {
      // What breaks off is told to whoever reads, and nobody does.
      response.body.on('error', () => {}).destroy();
      throw new SubgraphUnreachableError(subgraph, 'answered in a coding that was not asked for');
    }
    const text = await readCapped(response.body, subgraph);
    // GraphQL over HTTP: a subgraph may answer errors with 4xx and a GraphQL body; anything unlike it fails below.
    if (response.statusCode >= 500 && !text.startsWith('{'))
      throw new SubgraphUnreachableError(subgraph, `answered with status ${response.statusCode}`);
    return parseJson(text, subgraph);
  }

  return {
    send(subgraph, request) {
      return tracer.startActiveSpan(`fetch ${subgraph}`, async (span) => {
        try {
          return readAnswer(await post(subgraph, request), subgraph);
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR });
          if (error instanceof SubgraphUnreachableError) throw error;
          throw new SubgraphUnreachableError(subgraph, 'could not be reached', error);
        } finally {
          span.end();
        }
      });
    },
    async close() {
      await Promise.all([...pools.values()].map(({ pool }) => pool.destroy()));
    },
  };
}

/** Representations come as text already: they are not read only to be written again. */
function toBody({ query, variables, representations }: SubgraphRequest): string {
  const fields = Object.entries(variables).map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  );
  for (const [name, texts] of representations ?? [])
    fields.push(`${JSON.stringify(name)}:[${texts.join(',')}]`);
  return `{"query":${JSON.stringify(query)},"variables":{${fields.join(',')}}}`;
}

/** A schema would copy the data, which is most of it and unknown all the same: it is looked at here, the rest is parsed. */
function readAnswer(answer: unknown, subgraph: string): SubgraphAnswer {
  if (!isData(answer)) throw new SubgraphUnreachableError(subgraph, 'did not answer with GraphQL');
  const [data, told] = [answer['data'], answer['errors']];
  const errors = told === undefined ? NO_ERRORS : errorsSchema.safeParse(told).data;
  const hints = answer['extensions'] === undefined ? NO_HINTS : readHints(answer['extensions']);
  if (errors === undefined || hints === null || !(data === undefined || data === null || isData(data)))
    throw new SubgraphUnreachableError(subgraph, 'did not answer with GraphQL');
  if (data === undefined && !errors?.length)
    throw new SubgraphUnreachableError(subgraph, 'answered with neither data nor errors');
  return { data: data ?? null, errors: errors ?? NO_ERRORS, ...hints };
}

const NO_ERRORS: readonly never[] = [];
type Hints = Pick<SubgraphAnswer, 'maxAge' | 'grace'>;
const NO_HINTS: Hints = { maxAge: [] };

/** Null for what is no hint of ours. */
function readHints(extensions: unknown): Hints | null {
  const parsed = hintsSchema.safeParse(extensions);
  if (!parsed.success) return null;
  const { maxAge = [], grace = [] } = parsed.data?.jinxin ?? {};
  return { maxAge, grace };
}

/** The parser's own error quotes the text, which may be about somebody: it goes no further. */
function parseJson(text: string, subgraph: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new SubgraphUnreachableError(subgraph, 'did not answer with JSON');
  }
}

function readCapped(body: Readable, subgraph: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    body.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > MOST_BYTES)
        body.destroy(new SubgraphUnreachableError(subgraph, 'answered with more than the cap'));
    });
    body.on('error', reject);
    let isWhole = false;
    body.on('end', () => {
      isWhole = true;
      const whole = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, bytes);
      // Read loosely it would be somebody's name with a sign in it that nobody wrote.
      if (isUtf8(whole)) resolve(whole.toString('utf8'));
      else reject(new SubgraphUnreachableError(subgraph, 'did not answer in UTF-8'));
    });
    body.on('close', () => {
      if (!isWhole) reject(new SubgraphUnreachableError(subgraph, 'broke off its answer'));
    });
  });
}
