/**
 * The least that discloses: asked for a record's id over HTTP it appends the record to the real audit log and answers. What
 * is killed by kills.ts. With DISCLOSER_CARELESS=true it answers first: the control, which must be found out.
 */
import { createServer } from 'node:http';
import { pino } from 'pino';
import { createPool } from '../../../adapters/postgres/pool.ts';
import { createAuditLog } from '../../../gateway/evidence/audit-log.ts';
import { createFileSink } from '../../../gateway/evidence/head-sink.ts';
import { loadAuditSuite } from '../../../schema/signatures/keys.ts';
import { auditRecord } from '../../../tests/kit/audit-record.ts';

const log = pino({ level: 'silent' });
const isCareless = process.env['DISCLOSER_CARELESS'] === 'true';
const audit = createAuditLog({
  pool: createPool({ url: process.env['DISCLOSER_URL'] ?? '', max: 3, applicationName: 'discloser', log }),
  suite: loadAuditSuite(undefined, false),
  sink: createFileSink(process.env['DISCLOSER_HEADS'] ?? ''),
  log,
});

const server = createServer((request, response) => {
  const id = (request.url ?? '').slice(1);
  const appended = audit.append({ ...auditRecord(id), id, subjects: [`O-${id}`] });
  (isCareless ? Promise.resolve() : appended).then(
    () => response.end(id),
    () => response.writeHead(503).end(),
  );
  appended.catch(() => undefined);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' && address ? address.port : '');
});
