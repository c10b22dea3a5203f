/** On what was measured, and whose versions. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { isPinned } from './process.ts';

const packageSchema = z.object({
  version: z.string().optional(),
  dependencies: z.record(z.string(), z.string()),
});

/** Lines of Markdown. Taken before the run: the load is that of the machine's other work. */
export function describeMachine(now: Date): readonly string[] {
  const ours = readPackage('../../package.json');
  const peers = readPackage('../package.json').dependencies;
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  return [
    `- ${now.toISOString().slice(0, 10)}, ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${release()}`,
    `- load of the machine before the run: ${loadavg()[0]?.toFixed(2) ?? '?'}; ${isPinned ? 'contestants pinned to core 0, load and subgraphs to the others' : 'nothing pinned'}`,
    `- Node ${process.versions.node}, Jinxin ${ours.version ?? ''} (${commit()}), ${versions.join(', ')}`,
  ];
}

function readPackage(path: string): z.infer<typeof packageSchema> {
  return packageSchema.parse(JSON.parse(readFileSync(join(import.meta.dirname, path), 'utf8')));
}

function commit(): string {
  const { status, stdout } = spawnSync('git', ['describe', '--always', '--dirty'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : 'no commit';
}
