/** The stubs, seen from the bench. */
import { request } from 'undici';
import { z } from 'zod';
import { join } from 'node:path';
import { startProcess } from './process.ts';

export interface Subgraphs {
  /** Where a subgraph is; `hinted`: one that says how long its entities may be kept. */
  urlOf(subgraph: string, hinted: boolean): string;
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
    urlOf: (subgraph, hinted) => `${origins[subgraph] ?? ''}/${hinted ? 'hinted' : 'plain'}`,
    collector,
    async counts() {
      const { body } = await request(`${collector}/counts`);
      return countsSchema.parse(await body.json());
    },
    stop: () => stub.stop(),
  };
}
