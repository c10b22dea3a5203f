/** The word-list attack: read a schema out of what a gateway says of documents that are wrong. */
import { randomFor } from '../../../simulators/population/random.ts';
import { SECRET_NAMES } from './hostile-graph.ts';
import type { Send } from '../stall.ts';

/**
 * Asks with each name of the graph misspelt, of the wrong kind, in the wrong place, beside what is wrong anyway. Returns how
 * many of its names stood in an answer without having been asked, or could be told from names that are not in it: an
 * invalid document that names one has to be answered by the bytes that answer any other.
 */
export async function probeSchema(send: Send, seed: string): Promise<number> {
  const random = randomFor(seed, 'schema', 'probe');
  const recovered = new Set<string>();
  const absent = SECRET_NAMES.map((_, at) => `absent${at}`);
  let at = 0;
  const ask = async (query: string) => (await send(query, {}, `127.2.0.${(at++ % 250) + 1}`)).body;
  for (const shape of SHAPES) {
    const answers = new Map<string, string>();
    for (const name of [...SECRET_NAMES, ...absent]) {
      const query = shape(name, random.pick(['x', 'y', 'z']));
      const body = await ask(query);
      answers.set(name, body);
      for (const secret of SECRET_NAMES)
        if (body.includes(secret) && !query.includes(secret)) recovered.add(secret);
    }
    const usual = answers.get(absent[0] ?? '');
    for (const name of SECRET_NAMES) if (answers.get(name) !== usual) recovered.add(name);
  }
  return recovered.size;
}

type Shape = (name: string, filler: string) => string;

/** Every one is invalid, whether the name is in the graph or not. */
const SHAPES: readonly Shape[] = [
  (name) => `{ ${misspell(name)} }`,
  (name) => `{ node { ${misspell(name)} } }`,
  (name, filler) => `{ ${name} { ${filler} } nope }`,
  (name) => `{ node { ${name} { x } } }`,
  (name) => `{ node { v ... on ${name} { v } nope } }`,
  (name) => `{ ...F } fragment F on ${name} { nope }`,
  (name) => `{ ...F } fragment F on ${misspell(name)} { v }`,
  (name) => `query ($v: ${name}) { nope(of: $v) }`,
  (name) => `query ($v: ${misspell(name)}) { node { v } }`,
  (name) => `{ heirloomTulip(${misspell(name)}: 1) }`,
  (name) => `{ node { text(${name}: "x", nope: 1) } }`,
  (name) => `{ heirloomTulip(plantedBy: { ${misspell(name)}: 1 }) }`,
  (name) => `{ heirloomTulip(plantedBy: { kind: ${misspell(name)} }) }`,
  (name) => `{ __type(name: "${name}") { name fields { name } } }`,
  (name) => `{ node { v @${name} } }`,
  (name) => `mutation { ${name} }`,
  (name) => `subscription { ${name} }`,
  (name) => `{ a: ${name} a: nope }`,
  (name) => `{ node { a: v a: ${name} } nope }`,
];

function misspell(name: string): string {
  return `${name.slice(0, -1)}q`;
}
