import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { freePort } from '../../adapters/postgres/free-port.ts';
import { startGuarded } from '../../adapters/postgres/guarded-process.ts';
import type { Service } from './service.ts';
import { untilAnswers } from './service.ts';

const run = promisify(execFile);

export interface MariadbBinaries {
  readonly server: string;
  /** mariadb-install-db, which makes the system tables. */
  readonly installer: string;
}

/** MariaDB on a free loopback port, with one user who may do everything, in a folder that goes when it stops. */
export async function startMariadb({ server: binary, installer }: MariadbBinaries): Promise<Service> {
  const home = await mkdtemp(join(tmpdir(), 'jinxin-mariadb-'));
  try {
    const port = await freePort();
    const password = randomBytes(18).toString('hex');
    const { file, init } = await writeConfiguration(home, port, password);
    await run(installer, [
      `--defaults-file=${file}`,
      '--auth-root-authentication-method=socket',
      '--skip-test-db',
    ]);
    const server = startGuarded({
      command: binary,
      args: [`--defaults-file=${file}`, `--init-file=${init}`, '--innodb-fast-shutdown=2'],
      home,
      removeAfterwards: home,
      stopSignal: 'TERM',
      env: { LC_ALL: 'C.UTF-8' },
    });
    const url = `mysql://jinxin:${password}@127.0.0.1:${port}/`;
    await untilAnswers('mariadbd', server, () => answers(url));
    return { url, stop: () => server.stop() };
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}

async function writeConfiguration(
  home: string,
  port: number,
  password: string,
): Promise<{ file: string; init: string }> {
  const user = `'jinxin'@'127.0.0.1'`;
  const statements = [
    `CREATE OR REPLACE USER ${user} IDENTIFIED BY '${password}';`,
    `GRANT ALL PRIVILEGES ON *.* TO ${user} WITH GRANT OPTION;`,
  ];
  const settings = [
    '[mariadbd]',
    `datadir=${join(home, 'data')}`,
    `tmpdir=${join(home, 'tmp')}`,
    `socket=${join(home, 'socket')}`,
    `pid-file=${join(home, 'pid')}`,
    'bind-address=127.0.0.1',
    `port=${port}`,
    'skip-name-resolve',
    'skip-log-bin',
    // The data do not outlive the process: durability would only cost time.
    'innodb-flush-log-at-trx-commit=0',
    'innodb-log-file-size=16M',
    'innodb-buffer-pool-size=64M',
    // mariadbd refuses to be root unless it is told to.
    ...(process.getuid?.() === 0 ? ['user=root'] : []),
  ];
  const file = join(home, 'my.cnf');
  const init = join(home, 'init.sql');
  await Promise.all([
    mkdir(join(home, 'tmp')),
    writeFile(file, `${settings.join('\n')}\n`, { mode: 0o600 }),
    writeFile(init, `${statements.join('\n')}\n`, { mode: 0o600 }),
  ]);
  return { file, init };
}

async function answers(url: string): Promise<boolean> {
  try {
    const connection = await createConnection({ uri: url, connectTimeout: 1_000 });
    await connection.end();
    return true;
  } catch {
    // Not listening yet.
    return false;
  }
}
