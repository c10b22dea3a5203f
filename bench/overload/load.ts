/** Requests at a rate that does not care for answers, or as many at once as are answered. */
import { Agent, request } from 'undici';
import { issueSandboxToken } from '../../schema/sandbox-tokens.ts';
import { sandboxBytes } from '../../schema/keys.ts';
import { createSubjectIds } from '../../schema/subject-id.ts';

export interface Answered {
  readonly status: number;
  readonly ms: number;
  readonly hasRetryAfter: boolean;
}

export interface Load {
  /** So many requests a second, for so long. */
  open(query: string, perSecond: number, seconds: number): Promise<readonly Answered[]>;
  /** So many at once, for so long; requests answered with 200 a second. */
  closed(query: string, clients: number, seconds: number): Promise<number>;
  close(): Promise<void>;
}

const TICK_MS = 2;

/** `connections`: more than the server's backlog at once are reset by the kernel. */
export async function createLoad(url: string, connections = 1_024): Promise<Load> {
  const dispatcher = new Agent({ connections, pipelining: 1 });
  const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${await issueSandboxToken('bank-a', subjectIds)}`,
  };

  async function ask(query: string): Promise<Answered> {
    const startedAt = performance.now();
    const response = await request(url, {
      method: 'POST',
      dispatcher,
      headers,
      body: JSON.stringify({ query }),
    });
    await response.body.dump();
    return {
      status: response.statusCode,
      ms: performance.now() - startedAt,
      hasRetryAfter: response.headers['retry-after'] !== undefined,
    };
  }

  return {
    async open(query, perSecond, seconds) {
      const startedAt = performance.now();
      const asked: Promise<Answered>[] = [];
      for (let passed = 0; passed < seconds; passed = (performance.now() - startedAt) / 1_000) {
        while (asked.length < passed * perSecond) asked.push(ask(query));
        await new Promise((resolve) => setTimeout(resolve, TICK_MS));
      }
      return Promise.all(asked);
    },
    async closed(query, clients, seconds) {
      const startedAt = performance.now();
      let good = 0;
      const client = async () => {
        while (performance.now() - startedAt < seconds * 1_000)
          if ((await ask(query)).status === 200) good += 1;
      };
      await Promise.all(Array.from({ length: clients }, client));
      return good / ((performance.now() - startedAt) / 1_000);
    },
    close: () => dispatcher.destroy(),
  };
}
