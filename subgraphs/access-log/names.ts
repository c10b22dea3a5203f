/** What departments and items are called, from the catalogue of all departments (schema/catalogue.json). */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Text } from './visibility.ts';

const text = z.object({ zh: z.string(), en: z.string() });
const fileSchema = z.object({
  catalogues: z.array(
    z.object({
      department: z.string(),
      name: text,
      items: z.array(z.object({ id: z.string(), name: text })),
    }),
  ),
});

export interface Names {
  /** Null for what no catalogue of today knows: an item may be gone, and what was disclosed under it is not. */
  ofDepartment(department: string): Text | null;
  ofItem(item: string): Text | null;
}

export const CATALOGUE = new URL('../../schema/catalogue.json', import.meta.url);

/** Throws when the file is not what `npm run compose` writes. */
export function loadNames(file: URL | string = CATALOGUE): Names {
  const { catalogues } = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const departments = new Map(catalogues.map(({ department, name }) => [department, name]));
  const items = new Map(catalogues.flatMap((one) => one.items.map(({ id, name }) => [id, name] as const)));
  return {
    ofDepartment: (department) => departments.get(department) ?? null,
    ofItem: (item) => items.get(item) ?? null,
  };
}
