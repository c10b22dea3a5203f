/** A CPU profile → how long each module and each function was itself at work. Pure. */
import type { CpuProfile } from './inspector.ts';

export interface SelfTime {
  readonly name: string;
  readonly ms: number;
}

/** Longest first. Ours are told by file, other people's by package. `busyMs` leaves out what was idle. */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): {
  readonly byModule: readonly SelfTime[];
  readonly byFunction: readonly SelfTime[];
  readonly busyMs: number;
} {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const modules = new Map<string, number>();
  const functions = new Map<string, number>();
  let busyMs = 0;
  samples.forEach((id, at) => {
    const frame = frames.get(id);
    if (!frame || frame.functionName === '(idle)') return;
    const ms = (timeDeltas[at] ?? 0) / 1_000;
    busyMs += ms;
    const module = moduleOf(frame);
    add(modules, module, ms);
    // Ours were put into one line when their types were taken off.
    const line = frame.lineNumber > 0 ? `:${frame.lineNumber + 1}` : '';
    add(functions, `${frame.functionName || '(anonymous)'}  ${module}${line}`, ms);
  });
  return { byModule: sorted(modules), byFunction: sorted(functions), busyMs };
}

const ROOMS = /\/((?:gateway|schema|adapters)\/[^?]+)/;

function moduleOf({ functionName, url }: { functionName: string; url: string }): string {
  // (garbage collector), (program), and what V8 compiled into itself.
  if (url === '') return functionName.startsWith('(') ? functionName : 'native';
  const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  return name ?? ROOMS.exec(url)?.[1] ?? url;
}

function add(times: Map<string, number>, name: string, ms: number): void {
  times.set(name, (times.get(name) ?? 0) + ms);
}

function sorted(times: ReadonlyMap<string, number>): readonly SelfTime[] {
  return [...times].map(([name, ms]) => ({ name, ms })).sort((one, other) => other.ms - one.ms);
}
