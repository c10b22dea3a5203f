/** Databases of a real PostgreSQL for one test: made when asked for, dropped at the end. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';

export interface TestDatabases {
  /** URL of a database of this test's own that stands for `name`. */
  url(name: string): Promise<string>;
  close(): Promise<void>;
}

export function createTestDatabases(): TestDatabases {
  const server = process.env['JINXIN_TEST_POSTGRES_URL'];
  if (server === undefined)
    throw new Error('JINXIN_TEST_POSTGRES_URL is not set: run tests with `npm test -- <file>`');
  const tag = randomBytes(5).toString('hex');
  const made = new Map<string, Promise<string>>();

  async function onServer(statement: string): Promise<void> {
    const client = new pg.Client({ connectionString: server });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  }

  async function make(name: string): Promise<string> {
    const database = `${name.replaceAll('-', '_')}_${tag}`;
    await onServer(`CREATE DATABASE ${database}`);
    const url = new URL(server as string);
    url.pathname = `/${database}`;
    return url.href;
  }

  return {
    url(name) {
      const url = made.get(name) ?? make(name);
      made.set(name, url);
      return url;
    },
    async close() {
      for (const url of made.values()) {
        const database = new URL(await url).pathname.slice(1);
        await onServer(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
      }
      made.clear();
    },
  };
}
