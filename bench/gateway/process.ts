/** A process of the bench: pinned where that is possible, and what the kernel knows of it. */
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { request } from 'undici';

export interface BenchProcess {
  readonly pid: number;
  /** The first line that it printed. */
  firstLine(): Promise<string>;
  stop(): Promise<void>;
}

/** The contestant under load has a core of its own; whoever loads it, and the subgraphs, have the others. */
const CONTESTANT_CORES = '0';
const ALL_CORES = `0-${availableParallelism() - 1}`;
const OTHER_CORES = `1-${availableParallelism() - 1}`;
export const isPinned = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;
/** USER_HZ: 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10;

const running = new Set<ChildProcess>();
// Whoever ends us, nothing is left behind; a signal alone would not come past here.
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** This process loads: it leaves the contestants' core. */
export function pinSelf(): void {
  if (isPinned) spawnSync('taskset', ['-a', '-cp', OTHER_CORES, String(process.pid)]);
}

/** A contestant that has started has one core from now on, all its threads. */
export function pinContestant({ pid }: BenchProcess): void {
  if (isPinned) spawnSync('taskset', ['-a', '-cp', CONTESTANT_CORES, String(pid)]);
}

/** `role`: a contestant may start on every core, and is pinned when it is up. */
export function startProcess(
  args: readonly string[],
  options: {
    readonly role: 'contestant' | 'other';
    readonly environment?: Readonly<Record<string, string>>;
    readonly cwd?: string;
  },
): BenchProcess {
  const cores = options.role === 'contestant' ? ALL_CORES : OTHER_CORES;
  const [command = '', ...rest] = [...(isPinned ? ['taskset', '-c', cores] : []), process.execPath, ...args];
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    // Only what is named: a variable of whoever started the bench would be a setting of one contestant and not of another.
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      NODE_ENV: 'production',
      ...options.environment,
    },
  });
  running.add(child);
  let said = '';
  let complained = '';
  const firstLine = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      if (said.includes('\n')) return;
      said += chunk.toString();
      if (said.includes('\n')) resolve(said.slice(0, said.indexOf('\n')));
    });
    child.stderr.on(
      'data',
      (chunk: Buffer) => (complained = `${complained}${chunk.toString()}`.slice(-4_000)),
    );
    child.once('exit', (code) => {
      running.delete(child);
      reject(new Error(`${args.join(' ')} ended (${String(code)}): ${said}${complained}`));
    });
  });
  // Not everybody waits for it.
  firstLine.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    firstLine: () => firstLine,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Resolves when a GraphQL endpoint answers; rejects with its last words when the process ended instead. */
export async function untilAnswers(url: string, of: BenchProcess): Promise<void> {
  let end: unknown = null;
  of.firstLine().catch((error: unknown) => (end = error));
  for (const until = Date.now() + 60_000; ;) {
    const isUp = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ __typename }"}',
      reset: true,
    }).then(
      async ({ statusCode, body }) => (await body.dump(), statusCode === 200),
      () => false,
    );
    if (isUp) return;
    if (end) throw end instanceof Error ? end : new Error('a process of the bench ended');
    if (Date.now() > until) throw new Error(`${url} did not come up within a minute`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** CPU time that a process and its threads have used, in milliseconds, user and system; /proc/[pid]/stat, fields 14 and 15. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

/** The most memory that it ever held, in MB. */
export const peakRssMbOf = (pid: number) => statusOf(pid, /VmHWM:\s+(\d+) kB/);
export const rssMbOf = (pid: number) => statusOf(pid, /VmRSS:\s+(\d+) kB/);

function statusOf(pid: number, line: RegExp): number {
  const [, kilobytes = 'NaN'] = line.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_024;
}
