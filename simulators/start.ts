import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Fault, RunningSimulator, Simulator, SimulatorContext } from './simulator.ts';
import { FAULTS } from './simulator.ts';

export interface RunningSimulators {
  /** Settings of all departments together, as environment variables. */
  readonly environment: Readonly<Record<string, string>>;
  readonly departments: readonly string[];
  get(department: string): RunningSimulator;
  /** Switches a fault on (null: off), for `forMs` or until it is switched off. */
  setFault(department: string, fault: Fault | null, forMs?: number): Promise<void>;
  calls(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

const ROOM = fileURLToPath(new URL('.', import.meta.url));

/** Starts every simulator that lies here. `faultRate`: share of the seconds that each system spends in a random fault. */
export async function startSimulators(
  context: SimulatorContext & { readonly faultRate?: number; readonly onStarted?: (name: string) => void },
): Promise<RunningSimulators> {
  const running = new Map<string, RunningSimulator>();
  for (const simulator of await discoverSimulators()) {
    running.set(simulator.name, await simulator.start(context));
    context.onStarted?.(simulator.name);
  }
  const timers = new Map<string, NodeJS.Timeout>();
  const chaos = context.faultRate ? startChaos(running, context.faultRate, context) : null;

  function get(department: string): RunningSimulator {
    const simulator = running.get(department);
    if (!simulator)
      throw new Error(`no simulator is called ${department}; there are ${[...running.keys()].join(', ')}`);
    return simulator;
  }

  return {
    environment: Object.assign({}, ...[...running.values()].map(({ environment }) => environment)) as Record<
      string,
      string
    >,
    departments: [...running.keys()],
    get,
    async setFault(department, fault, forMs) {
      clearTimeout(timers.get(department));
      await get(department).setFault(fault);
      if (fault === null || forMs === undefined) return;
      const heal = () =>
        get(department)
          .setFault(null)
          .catch((error: unknown) => context.log.error({ err: error }, 'could not heal a simulator'));
      timers.set(
        department,
        setTimeout(() => void heal(), forMs),
      );
    },
    calls: () => Object.fromEntries([...running].map(([name, simulator]) => [name, simulator.calls()])),
    async close() {
      if (chaos) clearInterval(chaos);
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all([...running.values()].map((simulator) => simulator.close()));
    },
  };
}

async function discoverSimulators(): Promise<readonly Simulator[]> {
  const files = readdirSync(ROOM, { withFileTypes: true })
    .map((entry) => join(ROOM, entry.name, 'simulator.ts'))
    .filter((file) => existsSync(file))
    .sort();
  // One after the other: loaders that link modules for tests do not take several graphs at a time.
  const modules: { default: Simulator }[] = [];
  for (const file of files) modules.push((await import(pathToFileURL(file).href)) as { default: Simulator });
  return modules.map((module) => module.default);
}

/** Once a second each system is, with probability `rate`, given a random fault, and healed otherwise. */
function startChaos(
  running: ReadonlyMap<string, RunningSimulator>,
  rate: number,
  { log, seed }: SimulatorContext,
): NodeJS.Timeout {
  let state = [...seed].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  const next = () => (state = (state * 1_664_525 + 1_013_904_223) >>> 0) / 2 ** 32;
  const timer = setInterval(() => {
    for (const [name, simulator] of running) {
      const fault =
        next() < rate ? (simulator.faults[Math.floor(next() * simulator.faults.length)] ?? null) : null;
      if (fault) log.info({ department: name, fault }, 'simulated fault');
      simulator.setFault(fault).catch((error: unknown) => log.error({ err: error }, 'could not set a fault'));
    }
  }, 1_000);
  timer.unref();
  return timer;
}

export function isFault(name: string): name is Fault {
  return (FAULTS as readonly string[]).includes(name);
}
