/** The profiler of another Node process: SIGUSR1 opens its inspector on the usual port, as it does for any Node. */
import process from 'node:process';
import { request, WebSocket } from 'undici';
import { z } from 'zod';

export interface Inspector {
  startProfile(): Promise<void>;
  stopProfile(): Promise<CpuProfile>;
  close(): void;
}

export type CpuProfile = z.infer<typeof profileSchema>;

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
      children: z.array(z.number()).optional(),
    }),
  ),
  samples: z.array(z.number()),
  /** Microseconds since the sample before. */
  timeDeltas: z.array(z.number()),
});
const targetsSchema = z.tuple([z.object({ webSocketDebuggerUrl: z.url() })]).rest(z.unknown());
const replySchema = z.object({
  id: z.number().optional(),
  result: z.unknown().optional(),
  error: z.unknown().optional(),
});

const PORT = 9_229;
const SAMPLE_MICROSECONDS = 500;

export async function openInspector(pid: number): Promise<Inspector> {
  process.kill(pid, 'SIGUSR1');
  const socket = new WebSocket(await findTarget());
  await new Promise<void>((opened, failed) => {
    socket.addEventListener('open', () => opened());
    socket.addEventListener('error', () => failed(new Error('the inspector cannot be reached')));
  });
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  socket.addEventListener('message', ({ data }: { data: unknown }) => {
    const { id, result, error } = replySchema.parse(JSON.parse(String(data)));
    const caller = waiting.get(id ?? -1);
    if (error === undefined) caller?.resolve(result);
    else caller?.reject(new Error(`the inspector refused: ${JSON.stringify(error)}`));
  });
  let calls = 0;
  const call = (method: string, params: object = {}) =>
    new Promise<unknown>((resolve, reject) => {
      const id = ++calls;
      waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ id, method, params }));
    });
  return {
    async startProfile() {
      await call('Profiler.enable');
      await call('Profiler.setSamplingInterval', { interval: SAMPLE_MICROSECONDS });
      await call('Profiler.start');
    },
    async stopProfile() {
      const { profile } = z.object({ profile: profileSchema }).parse(await call('Profiler.stop'));
      return profile;
    },
    close: () => socket.close(),
  };
}

async function findTarget(): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      const { body } = await request(`http://127.0.0.1:${PORT}/json/list`);
      return targetsSchema.parse(await body.json())[0].webSocketDebuggerUrl;
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
