/** What the harnesses read of the house: the supergraph and the catalogue as committed, the departments' own SDLs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatePopulation } from '../../../simulators/population/registrations.ts';
import { parseCreditCode } from '../../../schema/identifiers/unified-social-credit-code.ts';
import { readSdl } from '../../../subgraphs/discover.ts';
import type { HarnessSubject } from './departments.ts';

const ROOT = join(import.meta.dirname, '../../..');

export const readSupergraph = () => readFileSync(join(ROOT, 'schema/supergraph.graphql'), 'utf8');
export const readCatalogue = () => readFileSync(join(ROOT, 'schema/catalogue.json'), 'utf8');

export function readDepartmentSdls(): readonly { readonly name: string; readonly sdl: string }[] {
  return readdirSync(join(ROOT, 'subgraphs'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, sdl: readSdl(join(ROOT, 'subgraphs', name)) }));
}

/** Synthetic companies, each with a code that holds. */
export function createSubjects(seed: string, count: number): readonly HarnessSubject[] {
  const codes = generatePopulation({ size: Math.ceil(count * 1.3) + 20, seed })
    .map(({ code }) => code)
    .filter((code) => parseCreditCode(code).ok);
  const subjects = [...new Set(codes)].slice(0, count).map((code) => ({ code, id: `O-${code}` }));
  if (subjects.length < count) throw new Error(`only ${subjects.length} of ${count} subjects could be made`);
  return subjects;
}
