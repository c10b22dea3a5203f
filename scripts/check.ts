/** `npm run check -- <code or name> [--as <persona>] [--purpose LOAN_ORIGINATION] [--json]` */
import { Command } from 'commander';
import { loadPlatformKeys } from '../schema/keys.ts';
import { isPersona, issueSandboxToken, PERSONAS } from '../schema/sandbox-tokens.ts';
import { CheckError, renderCheck, runCreditCheck } from './credit-check.ts';

const command = new Command('check')
  .description('One credit check against a running endpoint.')
  .argument('<subject...>', 'unified social credit code, or name')
  .option('--as <persona>', `who asks: ${Object.keys(PERSONAS).join(', ')}`, 'bank-a')
  .option('--purpose <purpose>', 'what for', 'LOAN_ORIGINATION')
  .option('--endpoint <url>', 'where', `http://127.0.0.1:${process.env['PORT'] ?? '4000'}/graphql`)
  .option('--json', 'print one JSON object')
  .parse();
const options = command.opts<{ as: string; purpose: string; endpoint: string; json?: true }>();

try {
  if (!isPersona(options.as)) throw new CheckError(`personas are: ${Object.keys(PERSONAS).join(', ')}`);
  const token = await issueSandboxToken(options.as, loadPlatformKeys(process.env).subjectIds);
  const endpoint = { url: options.endpoint, token, purpose: options.purpose };
  const result = await runCreditCheck(endpoint, command.args.join(' '));
  console.log(options.json ? JSON.stringify(result) : renderCheck(result));
} catch (error) {
  if (!(error instanceof CheckError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
