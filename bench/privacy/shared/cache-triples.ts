/** Triples (A warms, B asks, B's answer without the warmth), and the gateways that they are asked of. */
import type { Random } from '../../../simulators/population/random.ts';
import { randomFor } from '../../../simulators/population/random.ts';
import type { CacheWorld } from './cache-world.ts';
import { createCacheAskers, createQuestions, revoked } from './cache-world.ts';
import { createCanaries } from './canaries.ts';
import type { CanaryDepartments } from './departments.ts';
import { createCanaryDepartments } from './departments.ts';
import { createSubjects } from './files.ts';
import type { GatewayCore, GatewayModules, Question } from './gateway-core.ts';
import { createDirectTransport, createExchangeableCache, createGatewayCore } from './gateway-core.ts';
import { LAB, PERSONAL } from './lab.ts';
import type { Asker } from './oracle.ts';
import { createOracle } from './oracle.ts';

/**
 * Gateways that share one cache: one as it is; one that has loaded another supergraph, under which the departments say
 * other things; one in whose supergraph the lab is another subgraph, which says other things.
 */
const GENERATIONS = ['first', 'reloaded', 'moved'] as const;
type Generation = (typeof GENERATIONS)[number];

const QUESTIONS = 150;
const SUBJECTS = 4;

export interface Run {
  readonly triples: number;
  readonly leaks: readonly string[];
}

export interface Triples {
  /** Asks `count` triples of a new gateway of these modules; until `leak` no further than the first that differs. */
  run(modules: GatewayModules, count: number, random: Random, until?: 'leak'): Promise<Run>;
  close(): Promise<void>;
}

export function createCacheDepartments(world: CacheWorld): {
  readonly departments: CanaryDepartments;
  /** Puts an asker into a state: what it consents to from now on. */
  put(asker: Asker): void;
  readonly askers: readonly Asker[];
  readonly questions: readonly Question[];
} {
  const subjects = createSubjects(`${world.seed} cache`, SUBJECTS);
  const askers = createCacheAskers(createOracle(world.catalogue), subjects);
  const now = new Map(askers.map((asker) => [asker.id, asker]));
  const departments = createCanaryDepartments(world.sdls, {
    canaries: createCanaries(world.seed),
    subjects,
    askerOf: (id) => now.get(id),
    onCall: () => undefined,
    fails: () => false,
    saltOf: (coordinate, principal, args) =>
      coordinate === PERSONAL ? ` ${principal}` : Object.keys(args).length > 0 ? JSON.stringify(args) : '',
    maxAge: (coordinates) => (coordinates.includes(PERSONAL) ? 0 : 3_600),
  });
  return {
    departments,
    askers,
    questions: createQuestions(world, subjects, randomFor(world.seed, 'cache', 'questions'), QUESTIONS),
    put: (asker) => now.set(asker.id, asker),
  };
}

export async function createTriples(world: CacheWorld, unchanged: GatewayModules): Promise<Triples> {
  const { departments, askers, questions, put } = createCacheDepartments(world);
  /** A gateway of its own for each asker and generation, which nobody else ever asked. */
  const quiet = new Map<string, { core: GatewayCore; cache: ReturnType<typeof createExchangeableCache> }>();
  const expected = new Map<string, { cold: string; uncached: string }>();

  function coreOf(
    modules: GatewayModules,
    generation: Generation,
    cache: ReturnType<typeof createExchangeableCache>,
  ): Promise<GatewayCore> {
    const moved = `${LAB}-moved`;
    return createGatewayCore(modules, {
      supergraph: generation === 'reloaded' ? `${world.supergraph}\n# another version` : world.supergraph,
      catalogue: world.catalogue,
      cache,
      nameOf: (name) => (generation === 'moved' && name === LAB ? moved : name),
      transport: createDirectTransport(departments, (name) => ({
        department: name === moved ? LAB : name,
        salt: name === moved || generation === 'reloaded' ? ` ${generation}` : '',
      })),
    });
  }

  /** What B is answered when nobody has asked before: with an empty cache, and with none. */
  async function withoutWarmth(asker: Asker, generation: Generation, at: number) {
    const key = JSON.stringify([asker, generation, at]);
    const known = expected.get(key);
    if (known) return known;
    const name = `${generation} ${asker.id}`;
    let own = quiet.get(name);
    if (!own) {
      const cache = createExchangeableCache(unchanged);
      own = { core: await coreOf(unchanged, generation, cache), cache };
      quiet.set(name, own);
    }
    const question = questions[at] as Question;
    put(asker);
    own.cache.empty();
    const cold = await own.core.ask(asker, question);
    own.cache.takeAway();
    const uncached = await own.core.ask(asker, question);
    const answers = { cold, uncached };
    expected.set(key, answers);
    return answers;
  }

  return {
    async run(modules, count, random, until) {
      const cache = createExchangeableCache(modules);
      const warm = new Map<Generation, GatewayCore>();
      const coreAt = async (generation: Generation) => {
        const core = warm.get(generation) ?? (await coreOf(modules, generation, cache));
        warm.set(generation, core);
        return core;
      };
      const leaks: string[] = [];
      let triples = 0;
      const isDone = () => triples >= count || (until === 'leak' && leaks.length > 0);
      try {
        // Before anything is prepared: one asker's several new questions at once must each get their own answers.
        for (const asker of shuffled(askers, random).slice(0, 4)) await askTogether(asker, random);
        while (!isDone()) {
          cache.empty();
          const a = inSomeState(random.pick(askers), random);
          const some = Array.from({ length: 5 }, () => random.int(0, questions.length - 1));
          const generation = random.chance(0.6) ? 'first' : random.pick(GENERATIONS);
          put(a);
          for (const at of some) await (await coreAt(generation)).ask(a, questions[at] as Question);
          for (const before of shuffled(askers, random)) {
            const b = inSomeState(before, random);
            // Few askers of the other generations: each has gateways of its own to be compared with.
            const of = askers.indexOf(before) < 3 && random.chance(0.5) ? random.pick(GENERATIONS) : 'first';
            for (const at of some) await judge(a, b, of, at, false);
            const at = random.pick(some);
            if (random.chance(0.3)) {
              cache.empty();
              await judge(a, b, generation, at, true);
            }
            if (isDone()) break;
          }
        }
      } finally {
        for (const core of warm.values()) await core.close();
      }
      return { triples, leaks };

      async function askTogether(asker: Asker, of: Random): Promise<void> {
        const some = [...new Set(Array.from({ length: 3 }, () => of.int(0, questions.length - 1)))];
        const before: { readonly cold: string; readonly uncached: string }[] = [];
        for (const at of some) before.push(await withoutWarmth(asker, 'first', at));
        put(asker);
        const core = await coreAt('first');
        const answers = await Promise.all(some.map((at) => core.ask(asker, questions[at] as Question)));
        answers.forEach((answer, index) => {
          triples += 1;
          const { cold = '', uncached = '' } = before[index] ?? {};
          if (answer !== cold || answer !== uncached)
            leaks.push(
              `${asker.id}, several questions at once: ${JSON.stringify(questions[some[index] ?? 0])}\n    ${difference(answer, cold)}`,
            );
        });
      }

      async function judge(a: Asker, b: Asker, of: Generation, at: number, isTogether: boolean) {
        if (isDone()) return;
        const isCheap = of === 'first' || askers.findIndex(({ id }) => id === b.id) < 3;
        const { cold, uncached } = await withoutWarmth(b, isCheap ? of : 'first', at);
        const core = await coreAt(isCheap ? of : 'first');
        const question = questions[at] as Question;
        put(a);
        put(b);
        // Both at once: what A is being fetched is in flight when B asks.
        const other = isTogether && a.id !== b.id ? core.ask(a, question) : null;
        const answer = await core.ask(b, question);
        await other;
        triples += 1;
        if (answer !== cold || answer !== uncached)
          leaks.push(
            `${a.id}, then ${b.id} (${of}${isTogether ? ', at once' : ''}): ${JSON.stringify(question)}\n    ${difference(answer, answer === cold ? uncached : cold)}`,
          );
      }
    },
    async close() {
      for (const { core } of quiet.values()) await core.close();
    },
  };
}

function inSomeState(asker: Asker, random: Random): Asker {
  return random.chance(0.3) ? revoked(asker) : asker;
}

function shuffled<T>(list: readonly T[], random: Random): readonly T[] {
  return list
    .map((one) => ({ one, at: random.int(0, 1_000_000) }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

/** The first place at which two answers differ, with what stands there in each. */
export function difference(one: string, other: string): string {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  const from = Math.max(0, at - 60);
  return `${one.slice(from, at + 60)} / ${other.slice(from, at + 60)}`;
}
