/** `npm run compose`: regenerates what is generated: the supergraph, the catalogue file, the documentation of errors. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderCatalogueFile } from '../schema/catalogue.ts';
import { composeSupergraph, CompositionError } from '../schema/compose.ts';
import { discoverDepartments } from '../subgraphs/discover.ts';
import { renderErrorsDoc } from './errors-doc.ts';

const ROOT = join(import.meta.dirname, '..');

try {
  const departments = await discoverDepartments();
  const supergraph = composeSupergraph(
    departments.map(({ subgraph, sdl }) => ({
      name: subgraph.name,
      url: `http://127.0.0.1:4001/${subgraph.name}/graphql`,
      sdl,
    })),
  );
  const files: Record<string, string> = {
    'schema/supergraph.graphql': supergraph,
    'schema/catalogue.json': renderCatalogueFile(departments.map(({ catalogue }) => catalogue)),
    'docs/errors.md': renderErrorsDoc(),
  };
  for (const [file, text] of Object.entries(files)) {
    await writeFile(join(ROOT, file), text.endsWith('\n') ? text : `${text}\n`);
    console.log(`wrote ${file}`);
  }
} catch (error) {
  if (!(error instanceof CompositionError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
