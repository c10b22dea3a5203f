/** The stubs, seen from the bench. */
import { request } from 'undici';
import { z } from 'zod';
import { join } from 'node:path';
import { startProcess } from './process.ts';
import type { StubKind } from './stubs/answers.ts';

export interface Subgraphs {
  /** Where a subgraph is that answers in this way. */
  urlOf(subgraph: string, kind: StubKind): string;
  /** The collector for traces. */
  readonly collector: string;
  counts(): Promise<Counts>;
  stop(): Promise<void>;
}

export interface Counts {
  readonly calls: number;
  readonly representations: number;
}

const countsSchema = z.object({ calls: z.number(), representations: z.number() });

export async function startSubgraphs(): Promise<Subgraphs> {
  const stub = startProcess(['--import', 'tsx', join(import.meta.dirname, 'stubs/main.ts')], {
    role: 'other',
  });
  const origins = z.record(z.string(), z.string()).parse(JSON.parse(await stub.firstLine()));
  const collector = origins['control'] ?? '';
  return {
    urlOf: (subgraph, kind) => `${origins[subgraph] ?? ''}/${kind}`,
    collector,
    async counts() {
      const { body } = await request(`${collector}/counts`);
      return countsSchema.parse(await body.json());
    },
    stop: () => stub.stop(),
  };
}
