import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { DepartmentCatalogue } from '../schema/catalogue.ts';
import { loadCatalogue } from '../schema/catalogue.ts';
import type { Subgraph } from './define.ts';

export interface Department {
  readonly subgraph: Subgraph;
  /** The department's schema.graphql (see readSdl), without what is common to all (see schema/compose.ts). */
  readonly sdl: string;
  readonly catalogue: DepartmentCatalogue;
  readonly folder: string;
}

const ROOM = fileURLToPath(new URL('.', import.meta.url));

/** Every folder here that holds a `subgraph.ts` is a department, in the order of their names; `only` loads just those. */
export async function discoverDepartments(only?: readonly string[]): Promise<readonly Department[]> {
  const folders = departmentNames().filter((name) => only?.includes(name) ?? true);
  // One after the other: loaders that link modules for tests do not take several graphs at a time.
  const departments: Department[] = [];
  for (const name of folders) departments.push(await loadDepartment(name));
  return departments;
}

/** In their order; nothing of them is loaded. */
export function departmentNames(): readonly string[] {
  return readdirSync(ROOM, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(ROOM, entry.name, 'subgraph.ts')))
    .map(({ name }) => name)
    .sort();
}

async function loadDepartment(name: string): Promise<Department> {
  const folder = join(ROOM, name);
  const module = (await import(pathToFileURL(join(folder, 'subgraph.ts')).href)) as { default?: Subgraph };
  const subgraph = module.default;
  if (!subgraph)
    throw new Error(`subgraphs/${name}/subgraph.ts has no default export made by defineSubgraph()`);
  if (subgraph.name !== name)
    throw new Error(`subgraphs/${name} calls itself ${subgraph.name}; the folder is the name`);
  const catalogue = loadCatalogue(join(folder, 'catalogue.yaml'));
  if (catalogue.department !== name)
    throw new Error(`subgraphs/${name}/catalogue.yaml belongs to ${catalogue.department}`);
  return { subgraph, sdl: readSdl(folder), catalogue, folder };
}

/** schema.graphql and, where a department has too many types for one file, the other .graphql files beside it. */
export function readSdl(folder: string): string {
  const files = readdirSync(folder).filter((file) => file.endsWith('.graphql'));
  if (!files.includes('schema.graphql')) throw new Error(`${folder} has no schema.graphql`);
  return files
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}
