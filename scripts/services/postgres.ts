import { startEmbeddedPostgres } from '../../adapters/postgres/embedded.ts';
import type { Service } from './service.ts';

/** PostgreSQL from npm; the URL is the superuser's, of the maintenance database. */
export async function startPostgres(): Promise<Service> {
  const server = await startEmbeddedPostgres();
  return { url: server.url('postgres'), stop: () => server.stop() };
}
