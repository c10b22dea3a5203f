/** A gateway in a process of its own, over one subgraph that answers at once: what is measured is the gateway's thread. */
import { composeServices } from '@apollo/composition';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parse } from 'graphql';

export interface GatewayProcess {
  readonly url: string;
  /** What it has spent on processors so far; seconds. NaN where the system does not tell. */
  cpuSeconds(): number;
  close(): Promise<void>;
}

/** By the default weights a list has ten entries: three levels of them are a bulk query. */
export const CHECK = '{ check { id name status items { id name status } } }';
export const BULK = '{ bulk { id items { id items { id name status } } } }';

const leaf = (id: number) => ({ id: String(id), name: `name ${id}`, status: 'OK' });
const list = <T>(make: (at: number) => T) => Array.from({ length: 10 }, (_, at) => make(at));
const ANSWERS = {
  check: JSON.stringify({ data: { check: { ...leaf(0), items: list(leaf) } } }),
  bulk: JSON.stringify({
    data: { bulk: list((at) => ({ id: at, items: list((id) => ({ id, items: list(leaf) })) })) },
  }),
};

export async function startGatewayProcess(): Promise<GatewayProcess> {
  const subgraph = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end(body.includes('bulk') ? ANSWERS.bulk : ANSWERS.check);
    });
  });
  await new Promise<void>((resolve) => subgraph.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(subgraph.address() as AddressInfo).port}/graphql`;
  const composed = composeServices([
    {
      name: 'stub',
      url,
      typeDefs: parse(`type Query { check: Item bulk: [Item!] }
                       type Item { id: ID! name: String status: String items: [Item!] }`),
    },
  ]);
  if (composed.errors) throw new Error(composed.errors.map(({ message }) => message).join('\n'));
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-overload-'));
  const supergraph = join(folder, 'supergraph.graphql');
  await writeFile(supergraph, composed.supergraphSdl);
  const main = join(import.meta.dirname, '../../gateway/main.ts');
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', main, '--supergraph', supergraph, '--listen', '127.0.0.1:0'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, JINXIN_ISSUER: 'sandbox', JINXIN_REQUESTS_PER_SECOND: '1000000' },
    },
  );
  const ended = once(child, 'exit');
  const close = async () => {
    child.kill('SIGTERM');
    await ended;
    subgraph.closeAllConnections();
    subgraph.close();
    await rm(folder, { recursive: true });
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const [ready] = /http:\/\/[^"]+\/graphql/.exec(line.includes('gateway ready') ? line : '') ?? [];
    if (ready === undefined) continue;
    // What it says later is read as well, so that it never waits for us.
    child.stdout.resume();
    return { url: ready, cpuSeconds: () => cpuSecondsOf(child.pid ?? 0), close };
  }
  await close();
  throw new Error('the gateway did not start');
}

function cpuSecondsOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    // In hundredths: user and system.
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return NaN;
  }
}
