/**
 * `npm run explain -- --as bank-a --purpose LOAN_ORIGINATION --query FILE [--json]`: for each field of a query whether the
 * persona would see it, by which item and on which legal basis. No department is asked.
 */
import Table from 'cli-table3';
import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GraphQLError, parse, validate } from 'graphql';
import { pino } from 'pino';
import { explainOperation } from '../gateway/authorization/explain.ts';
import type { Explanation } from '../gateway/authorization/explain.ts';
import { createRights } from '../gateway/authorization/rights.ts';
import { loadSupergraph } from '../gateway/supergraph/load.ts';
import { readCatalogueFile } from '../schema/catalogue.ts';
import type { Principal } from '../schema/principal.ts';
import { isPersona, PERSONAS } from '../schema/sandbox-tokens.ts';

const SCHEMA = join(import.meta.dirname, '../schema');
const command = new Command('explain')
  .description('What a persona would see of a query, and why. No department is asked.')
  .requiredOption('--query <file>', 'a GraphQL document')
  .option('--as <persona>', Object.keys(PERSONAS).join(', '), 'bank-a')
  .option('--purpose <purpose>', 'one that the persona’s token grants; by default its first')
  .option('--json', 'print one JSON array')
  .parse();
const options = command.opts<{ query: string; as: string; purpose?: string; json?: true }>();

const EFFECTS: Readonly<Record<Explanation['effect'], string>> = {
  open: '公开 open',
  allow: '可见 allow',
  mask: '掩码 mask',
  'with-consent': '凭授权 with consent',
  'with-break-glass': '紧急放行 break-glass',
  self: '仅本人 subject only',
  deny: '不可见 deny',
};

function toPrincipal(): Principal | string {
  if (!isPersona(options.as)) return `personas are: ${Object.keys(PERSONAS).join(', ')}`;
  const persona = PERSONAS[options.as];
  const purpose = options.purpose ?? persona.purposes[0];
  const granted = persona.purposes.find((one) => one === purpose);
  if (!granted) return `${options.as} may ask for: ${persona.purposes.join(', ')}`;
  const department = 'department' in persona ? { department: persona.department } : {};
  return { kind: persona.kind, id: options.as, purpose: granted, ...department, subjects: [] };
}

async function explain(): Promise<readonly Explanation[] | string> {
  const principal = toPrincipal();
  if (typeof principal === 'string') return principal;
  const supergraph = await loadSupergraph(readFileSync(join(SCHEMA, 'supergraph.graphql'), 'utf8'), {
    log: pino({ level: 'silent' }),
  });
  const file = join(SCHEMA, 'catalogue.json');
  const rules = readCatalogueFile(readFileSync(file, 'utf8'), file);
  const document = parse(readFileSync(options.query, 'utf8'));
  const [problem] = validate(supergraph.apiSchema, document);
  if (problem) return problem.message;
  const rights = createRights(rules, supergraph.requirements, principal);
  const rows = explainOperation(supergraph.apiSchema, rights, document);
  await supergraph.close();
  return rows;
}

function render(rows: readonly Explanation[]): string {
  const table = new Table({
    head: ['字段 field', '决定 decision', '目录项 item', '依据 legal basis', '决定号 decision id'],
    style: { head: [], border: [] },
  });
  for (const { path, effect, detail, items, basis, decisions } of rows)
    table.push([
      path,
      detail === null ? EFFECTS[effect] : `${EFFECTS[effect]} (${detail})`,
      items.join('\n'),
      basis.join('\n'),
      decisions.join('\n'),
    ]);
  return table.toString();
}

try {
  const rows = await explain();
  if (typeof rows === 'string') {
    console.error(rows);
    process.exitCode = 2;
  } else console.log(options.json ? JSON.stringify(rows) : render(rows));
} catch (error) {
  if (!(error instanceof GraphQLError) && !(error instanceof Error && 'code' in error)) throw error;
  console.error(`${options.query}: ${error.message}`);
  process.exitCode = 2;
}
