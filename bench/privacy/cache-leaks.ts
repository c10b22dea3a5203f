/**
 * Does anything that one principal asked change what another is answered? A asks (the caches are warm), then B asks, and B's
 * answer is held, byte for byte, against the one of a gateway whose cache is empty and of one that has no cache. Whatever
 * is kept, of entities, operations, plans or fetches, must not show.
 *
 * That the questions can tell is shown by mutants: copies of the gateway whose keys lack one component each. The same
 * triples must notice every one.
 */
import { join } from 'node:path';
import { randomFor } from '../../simulators/population/random.ts';
import { composeSupergraph } from '../../schema/compose.ts';
import { createTriples } from './shared/cache-triples.ts';
import { askThroughFrontDoor } from './shared/cache-front-door.ts';
import { loadGatewayModules } from './shared/gateway-core.ts';
import { findMutants, placeMutant } from './shared/mutants.ts';
import { LAB, LAB_SDL, withLabItems } from './shared/lab.ts';
import { readCatalogue, readDepartmentSdls } from './shared/files.ts';
import type { Figures, PartOptions } from './shared/part.ts';

const SIZES = {
  bench: { triples: 100_000, perGateway: 10_000, frontDoor: 2_000, perMutant: 12_000 },
  test: { triples: 2_000, perGateway: 1_000, frontDoor: 40, perMutant: 8_000 },
} as const;
const ROOT = join(import.meta.dirname, '../..');

export default async function cacheLeaks(options: PartOptions): Promise<Figures> {
  const { seed, size, print } = options;
  const sizes = SIZES[size];
  const sdls = [...readDepartmentSdls(), { name: LAB, sdl: LAB_SDL }];
  const supergraph = composeSupergraph(
    sdls.map((one) => ({ ...one, url: `http://127.0.0.1:4001/${one.name}/graphql` })),
  );
  const catalogue = withLabItems(readCatalogue());
  const world = { sdls, supergraph, catalogue, seed };
  const triples = await createTriples(world, await loadGatewayModules(ROOT));
  try {
    let asked = 0;
    let leaks = 0;
    for (let round = 0; asked < sizes.triples; round++) {
      const left = Math.min(sizes.perGateway, sizes.triples - asked);
      const run = await triples.run(
        await loadGatewayModules(ROOT),
        left,
        randomFor(seed, String(round), 'triples'),
      );
      asked += run.triples;
      leaks += run.leaks.length;
      for (const leak of run.leaks.slice(0, 5)) print(`  LEAK ${leak}`);
      print(`  ${asked} of ${sizes.triples} triples, ${leaks} leaks`);
    }
    const door = await askThroughFrontDoor(world, sizes.frontDoor);
    for (const leak of door.leaks.slice(0, 5)) print(`  LEAK through the front door ${leak}`);
    print(`  ${door.triples} triples through the front door, ${door.leaks.length} leaks`);

    const mutants = findMutants();
    let caught = 0;
    for (const mutant of mutants) {
      const placed = placeMutant(mutant);
      try {
        const modules = await loadGatewayModules(placed.root);
        const run = await triples.run(
          modules,
          sizes.perMutant,
          randomFor(seed, mutant.name, 'mutant'),
          'leak',
        );
        if (run.leaks.length > 0) caught += 1;
        print(`  ${run.leaks.length > 0 ? `caught after ${run.triples}` : 'NOT CAUGHT'}: ${mutant.name}`);
      } finally {
        placed.remove();
      }
    }
    return {
      cacheLeaks: leaks + door.leaks.length,
      cacheTriples: asked + door.triples,
      cacheTriplesAtFrontDoor: door.triples,
      keyMutants: mutants.length,
      keyMutantsCaught: caught / mutants.length,
    };
  } finally {
    await triples.close();
  }
}
