/**
 * Every protected field of the supergraph × every shape of access × everybody who can ask: does anything show that the
 * catalogue does not grant?
 *
 * The departments are the harness's: they refuse nobody, and each field of each subject has a value of its own (a canary). The
 * raw bytes of every answer, headers and errors included, are searched for canaries, and judged by the harness's own reading
 * of the catalogue. What is known to be denied must not even be asked for.
 */
import { ANONYMOUS } from '../../schema/principal.ts';
import { sandboxBytes } from '../../schema/keys.ts';
import { createSubjectIds } from '../../schema/subject-id.ts';
import { randomFor } from '../../simulators/population/random.ts';
import { createAskers } from './shared/askers.ts';
import { createCanaries } from './shared/canaries.ts';
import type { DepartmentCall } from './shared/departments.ts';
import { createCanaryDepartments, listenAsDepartments } from './shared/departments.ts';
import { createSubjects, readCatalogue, readDepartmentSdls, readSupergraph } from './shared/files.ts';
import type { TrialGateway } from './shared/gateway-under-trial.ts';
import { startTrialGateway } from './shared/gateway-under-trial.ts';
import type { Access, Graph } from './shared/graph.ts';
import { findAccesses, protectedFields, readGraph } from './shared/graph.ts';
import type { Leak } from './shared/judge.ts';
import { judgeAnswer } from './shared/judge.ts';
import type { Asker, Oracle, Verdict } from './shared/oracle.ts';
import { createOracle } from './shared/oracle.ts';
import type { ShapeContext } from './shared/shapes.ts';
import { SHAPES } from './shared/shapes.ts';
import type { Figures, PartOptions } from './shared/part.ts';

interface Job {
  readonly asker: Asker;
  readonly access: Access;
  readonly shape: string;
  readonly isFailing: boolean;
}

/** Least number of shapes in which a field must have been asked for by every kind of principal to count as covered. */
const LEAST_SHAPES = { bench: 12, test: 1 } as const;
const FAILING = 'failing-';
/** A synthetic person, and the id that it has inside of a platform with the sandbox's keys. */
const CITIZEN = '120101190001010016';
const personOf = (citizenId: string) =>
  createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]])).ofPerson(citizenId);

const GATEWAY: Asker = {
  id: 'gateway',
  kind: 'operator',
  purpose: 'OPERATIONS',
  subjects: [],
  consents: {},
  releases: {},
};

export default async function fieldLeaks(options: PartOptions): Promise<Figures> {
  const { seed, size, print } = options;
  const graph = readGraph(readSupergraph());
  const oracle = createOracle(readCatalogue());
  const canaries = createCanaries(seed);
  const subjects = createSubjects(seed, 2);
  const [first, second] = subjects as readonly [(typeof subjects)[0], (typeof subjects)[0]];
  const askers = createAskers(oracle, first, personOf(CITIZEN), seed.slice(0, 20));
  const byId = new Map([GATEWAY, ...askers].map((asker) => [asker.id, asker]));
  const askerOf = (id: string) => byId.get(id.startsWith(FAILING) ? id.slice(FAILING.length) : id);
  const deniedAsked: string[] = [];
  let isControl = false;
  const onCall = (call: DepartmentCall) => {
    if (!isControl) deniedAsked.push(...findDeniedAsked(graph, oracle, askerOf, call));
  };
  const departments = createCanaryDepartments(readDepartmentSdls(), {
    canaries,
    subjects,
    askerOf,
    personOf,
    onCall,
    fails: (principal) => principal.startsWith(FAILING),
    maxAge: () => 0,
  });
  const http = await listenAsDepartments(departments);
  const gateway = await startTrialGateway({
    supergraph: readSupergraph(),
    catalogue: readCatalogue(),
    subgraphsUrl: http.url,
  });
  try {
    const coordinates = protectedFields(graph);
    const accesses = findAccesses(graph);
    const jobs = toJobs(askers, accesses, { seed, size, oracle, subjects: [first.id, second.id] });
    print(
      `${coordinates.length} protected fields, ${accesses.length} ways to their types, ${Object.keys(SHAPES).length} shapes, ${askers.length} askers: ${jobs.length} questions`,
    );
    const context: ShapeContext = {
      graph,
      values: {
        CreditCode: first.code,
        '[CreditCode]': [first.code, second.code],
        SubjectId: first.id,
        '[SubjectId]': [first.id, second.id],
        Date: '2026-01-01',
        DateTime: '2027-01-01T00:00:00Z',
        CitizenId: CITIZEN,
      },
    };
    const tally = createTally(graph);
    await inParallel(jobs, 8, async (job, at) => {
      if (at > 0 && at % Math.ceil(jobs.length / 10) === 0)
        print(`  ${at} of ${jobs.length} questions, ${tally.leaks.length} leaks`);
      tally.add(job, await askOne(gateway, job));
    });
    const control = await runControl();
    return { ...report(tally, print), fieldLeaksSeenInControl: control };

    /** The same check before a gateway that was told that everything is public: it must see all that then gets out. */
    async function runControl(): Promise<number> {
      isControl = true;
      const careless = await startTrialGateway({
        supergraph: readSupergraph(),
        catalogue: readCatalogue()
          .replaceAll('"publicity": "NOT_PUBLIC"', '"publicity": "PUBLIC"')
          .replaceAll('"sharing": "NOT_SHARED"', '"sharing": "UNCONDITIONAL"'),
        subgraphsUrl: http.url,
      });
      try {
        const asker = byId.get(ANONYMOUS.id);
        if (!asker) throw new Error('nobody asks without a token');
        const open = accesses.filter(({ isOpen, operation }) => isOpen && operation === 'query');
        const expected = new Set<string>();
        const seen = new Set<string>();
        await inParallel(open, 8, async (access) => {
          const { leaks } = await askOne(careless, { asker, access, shape: 'plain', isFailing: false });
          for (const { coordinate } of leaks) seen.add(coordinate);
          for (const { id, field } of access.coordinates)
            if (field.items.some((item) => oracle.judge(asker, item, first.id) !== 'allow')) expected.add(id);
        });
        const missed = [...expected].filter((id) => !seen.has(id));
        print(
          `control: of a gateway that holds everything for public, ${expected.size - missed.length} of ${expected.size} leaking fields were seen`,
        );
        for (const id of missed.slice(0, 20)) print(`  not seen: ${id}`);
        return (expected.size - missed.length) / expected.size;
      } finally {
        await careless.close();
      }
    }

    async function askOne(trial: TrialGateway, job: Job): Promise<Outcome> {
      const shaped = SHAPES[job.shape]?.(context, job.access);
      if (!shaped) throw new Error(`no shape ${job.shape}`);
      const { query, variables, operationName } = shaped;
      const asker = job.isFailing ? { ...job.asker, id: FAILING + job.asker.id } : job.asker;
      const { text, headers } = await trial.ask(asker, { query, variables, operationName });
      const body = JSON.parse(text) as { data?: unknown; errors?: unknown };
      const onTheWay = job.access.steps.flatMap(({ field }) => field.items);
      const places = shaped.places.map(({ coordinate, keys }) => ({
        coordinate,
        keys,
        verdictOf: (subject: number): Verdict => {
          const id = subjects[subject]?.id ?? '';
          if (onTheWay.some((item) => oracle.judge(job.asker, item, id) === 'deny')) return 'deny';
          const verdicts = coordinate.field.items.map((item) => oracle.judge(job.asker, item, id));
          return verdicts.includes('deny') ? 'deny' : verdicts.includes('mask') ? 'mask' : 'allow';
        },
      }));
      // What a failing department says, and what is inaccessible, is nobody's to see in whatever place.
      const findings = canaries.findIn(text + headers);
      const judged = judgeAnswer(body.data, findings, job.isFailing || !job.access.isOpen ? [] : places);
      return { ...judged, isExecuted: 'data' in body, query };
    }
  } finally {
    await gateway.close();
    await http.close();
  }

  function report(tally: Tally, say: (line: string) => void): Readonly<Record<string, number>> {
    for (const leak of tally.leaks.slice(0, 20)) say(`  LEAK ${leak}`);
    for (const one of [...new Set(deniedAsked)].slice(0, 20)) say(`  DENIED, YET ASKED FOR: ${one}`);
    const coordinates = protectedFields(graph);
    const kinds = [...new Set(askers.map(({ kind }) => kind))];
    const missed = coordinates.filter(
      ({ id }) => !kinds.every((kind) => tally.shapesOf(kind, id) >= LEAST_SHAPES[size]),
    );
    for (const { id } of missed.slice(0, 20)) say(`  not covered: ${id}`);
    // What is inaccessible is nobody's to be answered, nor what the catalogue grants to no one.
    const answerable = coordinates.filter(({ id }) => tally.answered.has(id) || tally.withheld.has(id));
    const silent = answerable.filter(({ id }) => !tally.answered.has(id));
    for (const { id } of silent.slice(0, 20)) say(`  granted to somebody, but never answered: ${id}`);
    const figures = {
      fieldLeaks: tally.leaks.length,
      fieldsCovered: 1 - missed.length / coordinates.length,
      fieldsAnswered: 1 - silent.length / Math.max(1, answerable.length),
      deniedAsked: new Set(deniedAsked).size,
      fieldQuestions: tally.questions,
      fieldQuestionsExecuted: tally.executed,
    };
    say(
      `${figures.fieldLeaks} leaks in ${figures.fieldQuestions} questions (${figures.fieldQuestionsExecuted} executed); ${coordinates.length - missed.length} of ${coordinates.length} fields covered; ${answerable.length - silent.length} of ${answerable.length} that are granted to somebody were answered to somebody; ${figures.deniedAsked} denied fields reached a department`,
    );
    return figures;
  }
}

interface Outcome {
  readonly leaks: readonly Leak[];
  readonly answered: readonly string[];
  readonly withheld: readonly string[];
  readonly isExecuted: boolean;
  readonly query: string;
}
type Tally = ReturnType<typeof createTally>;

function createTally(graph: Graph) {
  const shapes = new Map<string, Set<string>>();
  const tally = {
    leaks: [] as string[],
    answered: new Set<string>(),
    withheld: new Set<string>(),
    questions: 0,
    executed: 0,
    shapesOf: (kind: string, id: string) => shapes.get(`${kind} ${id}`)?.size ?? 0,
    add({ asker, access, shape, isFailing }: Job, outcome: Outcome) {
      tally.questions += 1;
      if (outcome.isExecuted) tally.executed += 1;
      const who = `${isFailing ? FAILING : ''}${asker.id}`;
      for (const { how, coordinate, subject } of outcome.leaks)
        tally.leaks.push(`${how} ${coordinate} of subject ${subject} to ${who}, ${shape}: ${outcome.query}`);
      for (const id of outcome.answered) tally.answered.add(id);
      for (const id of outcome.withheld) tally.withheld.add(id);
      // A field of an interface is asked for through whatever implements it.
      for (const { type, field } of access.coordinates)
        for (const owner of [type, ...(graph.get(type)?.interfaces ?? [])])
          note(asker.kind, `${owner}.${field.name}`, shape);
    },
  };
  return tally;

  function note(kind: string, id: string, shape: string): void {
    const key = `${kind} ${id}`;
    const known = shapes.get(key) ?? new Set();
    shapes.set(key, known.add(shape));
  }
}

/** Of several askers of one kind with the same rights one asks in every shape; the others in one, drawn for each way. */
function toJobs(
  askers: readonly Asker[],
  accesses: readonly Access[],
  options: { seed: string; size: 'bench' | 'test'; oracle: Oracle; subjects: readonly string[] },
): readonly Job[] {
  const { oracle, size } = options;
  const random = randomFor(options.seed, size, 'field leaks');
  const names = Object.keys(SHAPES);
  const seen = new Set<string>();
  const jobs: Job[] = [];
  for (const asker of askers) {
    const rights = [...oracle.items.keys()].map((item) =>
      options.subjects.map((subject) => oracle.judge(asker, item, subject)),
    );
    const key = JSON.stringify([asker.kind, rights]);
    const isFirst = !seen.has(key);
    seen.add(key);
    for (const access of accesses) {
      const [own = ''] = options.subjects;
      const isGranted = access.coordinates.some(({ field }) =>
        field.items.every((item) => oracle.judge(asker, item, own) !== 'deny'),
      );
      // Who may see something asks for it plainly as well: that it is answered must not hang on the shape that was drawn.
      const drawn = () => [...new Set([random.pick(names), ...(isGranted ? ['plain'] : [])])];
      const some = size === 'bench' ? names : isFirst ? drawn() : [];
      const shapes = isFirst ? some : size === 'bench' ? [random.pick(names)] : [];
      for (const shape of shapes) jobs.push({ asker, access, shape, isFailing: false });
      if (isFirst && (size === 'bench' || random.chance(0.1)))
        jobs.push({ asker, access, shape: 'plain', isFailing: true });
    }
  }
  return jobs;
}

/** Coordinates of a fetch that its principal may not see of all of its subjects. A fetch of a root names no subject yet. */
function findDeniedAsked(
  graph: Graph,
  oracle: Oracle,
  askerOf: (id: string) => Asker | undefined,
  { subgraph, principal, coordinates, subjects }: DepartmentCall,
): readonly string[] {
  const asker = askerOf(principal);
  return coordinates
    .filter((coordinate) => {
      const [type = '', field = ''] = coordinate.split('.');
      const items =
        graph.get(type)?.kind === 'object' ? (graph.get(type)?.fields.get(field)?.items ?? []) : [];
      if (!asker) return items.length > 0;
      return items.some((item) =>
        subjects.length > 0
          ? subjects.some((subject) => oracle.judge(asker, item, subject) === 'deny')
          : oracle.isDenied(asker, item),
      );
    })
    .map((coordinate) => `${coordinate} of ${subgraph} for ${principal}`);
}

async function inParallel<T>(
  jobs: readonly T[],
  width: number,
  work: (job: T, at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < jobs.length; at = next++) await work(jobs[at] as T, at);
  };
  await Promise.all(Array.from({ length: width }, lane));
}
