/** Other people's gateways, of bench/package.json: installed by the bench alone, into a folder that git does not keep. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Not bench/ itself: what lay in bench/node_modules would be taken by the bench's own imports for ours. */
const PEERS = join(import.meta.dirname, 'out/peers');
const FILES = ['package.json', 'package-lock.json'] as const;

/** The folder whose node_modules holds them; `npm ci` without install scripts the first time, and when the lock changed. */
export async function installPeers(print: (line: string) => void): Promise<string> {
  const lock = await readFile(join(import.meta.dirname, 'package-lock.json'));
  const digest = createHash('sha256').update(lock).digest('hex');
  const stamp = join(PEERS, 'node_modules/.jinxin-lock');
  if ((await readFile(stamp, 'utf8').catch(() => null)) === digest) return PEERS;
  print('  npm ci in bench/out/peers/, for the other gateways (700 MB)');
  await mkdir(PEERS, { recursive: true });
  for (const file of FILES) await cp(join(import.meta.dirname, file), join(PEERS, file));
  const install = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: PEERS,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(install, 'exit')) as [number | null];
  if (code !== 0) throw new Error('the other gateways could not be installed (npm ci in bench/out/peers/)');
  await writeFile(stamp, digest);
  return PEERS;
}
