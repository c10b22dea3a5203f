/**
 * `npm run operations:register -- --consumer bank-a [--only] FILE…`, and `list`, `withdraw`, `release`: which operations a
 * consumer may run. What is registered is first held against the supergraph and the limits, and shown with what it costs and
 * what would be decided on each field. No department is asked.
 */
import Table from 'cli-table3';
import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getOperationAST, parse } from 'graphql';
import { pino } from 'pino';
import type { Pool } from 'pg';
import { migrate } from '../adapters/postgres/migrate.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import type { Explanation } from '../gateway/authorization/explain.ts';
import { explainOperation } from '../gateway/authorization/explain.ts';
import { createRights } from '../gateway/authorization/rights.ts';
import { DEFAULT_LIMITS } from '../gateway/limits/operation-limits.ts';
import { createOperations } from '../gateway/operations/prepare.ts';
import type { PreparedOperation } from '../gateway/operations/prepare.ts';
import {
  listOperations,
  operationId,
  REGISTERED_MIGRATIONS,
  registerOperations,
  withdrawOperations,
} from '../gateway/operations/registered-store.ts';
import { loadSupergraph } from '../gateway/supergraph/load.ts';
import { readCatalogueFile } from '../schema/catalogue.ts';
import type { Principal } from '../schema/principal.ts';
import { principalSchema } from '../schema/principal.ts';
import { isPersona, PERSONAS } from '../schema/sandbox-tokens.ts';

const SCHEMA = join(import.meta.dirname, '../schema');

interface RegisterOptions {
  readonly consumer: string;
  readonly only?: true;
  readonly kind: string;
  readonly purpose?: string;
  readonly supergraph: string;
  readonly catalogue: string;
  readonly dryRun?: true;
}

const command = new Command('operations:register')
  .description('使用方可执行的操作。 The operations that a consumer may run.')
  .option('--url <postgres>', 'the platform’s PostgreSQL', process.env['JINXIN_PLATFORM_URL']);
command
  .command('register', { isDefault: true })
  .description('checks the operations of the files, shows what they are, and registers all of them or none')
  .argument('<file...>', 'GraphQL documents, of one operation each')
  .requiredOption('--consumer <id>', 'as its tokens name it')
  .option('--only', 'from now on the consumer may run nothing that is not registered')
  .option('--kind <kind>', 'what kind of principal it is; known of the sandbox’s personas', 'bank')
  .option('--purpose <purpose>', 'for which the decisions are shown', undefined)
  .option('--supergraph <file>', 'the supergraph', join(SCHEMA, 'supergraph.graphql'))
  .option('--catalogue <file>', 'the catalogue', join(SCHEMA, 'catalogue.json'))
  .option('--dry-run', 'check and show, register nothing')
  .action((files: string[], options: RegisterOptions) => register(files, options));
command
  .command('list')
  .description('what is registered')
  .option('--consumer <id>', 'for this consumer only')
  .action(({ consumer }: { consumer?: string }) => withStore((pool) => list(pool, consumer ?? null)));
command
  .command('withdraw')
  .description('takes operations back; within a second no gateway runs them for a consumer that is held')
  .argument('<id...>', 'SHA-256 of the text, as `list` shows it')
  .requiredOption('--consumer <id>', 'as its tokens name it')
  .action((ids: string[], { consumer }: { consumer: string }) =>
    withStore((pool) => withdraw(pool, consumer, ids)),
  );
command
  .command('release')
  .description('lets the consumer run any operation again; what is registered stays registered')
  .requiredOption('--consumer <id>', 'as its tokens name it')
  .action(({ consumer }: { consumer: string }) =>
    withStore((pool) => registerOperations(pool, consumer, [], false).then(() => null)),
  );
await command.parseAsync();

async function withStore(work: (pool: Pool) => Promise<string | null>): Promise<void> {
  const { url } = command.opts<{ url?: string }>();
  if (url === undefined) return fail('JINXIN_PLATFORM_URL 未设置。 Set JINXIN_PLATFORM_URL, or give --url.');
  const log = pino({ level: 'silent' });
  const pool = createPool({ url, max: 1, applicationName: 'jinxin-operations', log });
  try {
    await migrate(pool, 'operations', REGISTERED_MIGRATIONS);
    const problem = await work(pool);
    if (problem !== null) fail(problem);
  } catch (error) {
    fail(`数据库无法读写。 The store could not be read or written: ${String(error)}`);
  } finally {
    await pool.end();
  }
}

function fail(problem: string): void {
  console.error(problem);
  process.exitCode = 1;
}

async function register(files: readonly string[], options: RegisterOptions): Promise<void> {
  const principal = toPrincipal(options);
  if (typeof principal === 'string') return fail(principal);
  const checked = await check(files, principal, options);
  if (typeof checked === 'string') return fail(checked);
  for (const one of checked) console.log(render(one));
  if (options.dryRun) return;
  await withStore(async (pool) => {
    await registerOperations(pool, options.consumer, checked, options.only ?? null);
    console.log(`已登记 ${checked.length} 个操作。 Registered ${checked.length} for ${options.consumer}.`);
    return null;
  });
}

interface Checked {
  readonly file: string;
  readonly query: string;
  readonly name: string | null;
  readonly amounts: PreparedOperation['amounts'];
  readonly rows: readonly Explanation[];
}

/** Every operation as the gateway would prepare it, or why the first that it would refuse is refused. */
async function check(
  files: readonly string[],
  principal: Principal,
  options: RegisterOptions,
): Promise<readonly Checked[] | string> {
  const supergraph = await loadSupergraph(readFileSync(options.supergraph, 'utf8'), {
    log: pino({ level: 'silent' }),
  });
  try {
    const rules = readCatalogueFile(readFileSync(options.catalogue, 'utf8'), options.catalogue);
    const rights = createRights(rules, supergraph.requirements, principal);
    const prepare = createOperations({ supergraph, limits: DEFAULT_LIMITS, bytes: 64 * 1024 * 1024 });
    const checked: Checked[] = [];
    for (const file of files) {
      const query = readFileSync(file, 'utf8');
      const prepared = await prepare(
        { query, operationName: null, variables: {}, consumer: options.consumer },
        rights,
        true,
      );
      if (!('hash' in prepared)) return `${file}: ${prepared.map(({ message }) => message).join('\n')}`;
      const document = parse(query);
      checked.push({
        file,
        query,
        name: getOperationAST(document)?.name?.value ?? null,
        amounts: prepared.amounts,
        rows: explainOperation(supergraph.apiSchema, rights, document),
      });
    }
    return checked;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await supergraph.close();
  }
}

/** A persona of the sandbox is what it is; of any other consumer the officer says what it is. */
function toPrincipal({ consumer, kind, purpose }: RegisterOptions): Principal | string {
  const persona = isPersona(consumer) ? PERSONAS[consumer] : null;
  const parsed = principalSchema.safeParse({
    kind: persona?.kind ?? kind,
    id: consumer,
    purpose: purpose ?? persona?.purposes[0] ?? 'LOAN_ORIGINATION',
    ...(persona && 'department' in persona ? { department: persona.department } : {}),
  });
  return parsed.success ? parsed.data : parsed.error.issues.map(({ message }) => message).join('; ');
}

function render({ file, query, name, amounts, rows }: Checked): string {
  const amount = (value: Checked['amounts']['cost']) =>
    typeof value === 'number' ? String(value) : '随变量而定 by its variables';
  const table = new Table({
    head: ['字段 field', '决定 decision', '目录项 item'],
    style: { head: [], border: [] },
  });
  for (const { path, effect, detail, items } of rows)
    table.push([path, detail === null ? effect : `${effect} (${detail})`, items.join('\n')]);
  const items = [...new Set(rows.flatMap((row) => row.items))];
  return [
    `${file}${name === null ? '' : ` (${name})`}`,
    `  id        ${operationId(query)}`,
    `  cost      ${amount(amounts.cost)}   values ${amount(amounts.values)}   subjects ${amount(amounts.subjects)}`,
    `  items     ${items.join(' ') || '(none)'}`,
    table.toString(),
  ].join('\n');
}

async function list(pool: Pool, consumer: string | null): Promise<null> {
  for (const one of await listOperations(pool, consumer))
    console.log(
      [
        one.consumer,
        one.registeredOnly ? 'only' : 'open',
        one.id,
        one.name ?? '-',
        one.registeredAt.toISOString(),
      ].join('\t'),
    );
  return null;
}

async function withdraw(pool: Pool, consumer: string, ids: readonly string[]): Promise<string | null> {
  const withdrawn = await withdrawOperations(pool, consumer, ids);
  console.log(`已撤回 ${withdrawn} 个。 Withdrew ${withdrawn} of ${ids.length}.`);
  return withdrawn === ids.length ? null : '有的未曾登记。 Some were not registered.';
}
