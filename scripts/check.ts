/** `npm run check -- <code or name> [--as <persona>] [--purpose LOAN_ORIGINATION] [--json]` */
import { Command, Option } from 'commander';
import { loadPlatformKeys } from '../schema/keys.ts';
import { PURPOSES } from '../schema/purpose.ts';
import type { PersonaName } from '../schema/sandbox-tokens.ts';
import { issueSandboxToken, PERSONAS } from '../schema/sandbox-tokens.ts';
import { CheckError, renderCheck, runCreditCheck } from './credit-check.ts';

const command = new Command('check')
  .description('One credit check against a running endpoint.')
  .argument('<subject...>', 'unified social credit code, or name')
  .addOption(new Option('--as <persona>', 'who asks').choices(Object.keys(PERSONAS)).default('bank-a'))
  .addOption(
    new Option('--purpose <purpose>', 'what for; left out: the persona’s own first purpose').choices(
      PURPOSES,
    ),
  )
  .option(
    '--product <id>',
    'one of loanProducts that is offered for the purpose; left out: the standard loan',
  )
  .option('--endpoint <url>', 'where', `http://127.0.0.1:${process.env['PORT'] ?? '4000'}/graphql`)
  .option('--json', 'print one JSON object; without an answer its `errors` say why')
  .showHelpAfterError()
  .parse();
const options = command.opts<{
  as: PersonaName;
  purpose?: string;
  product?: string;
  endpoint: string;
  json?: true;
}>();

try {
  const token = await issueSandboxToken(options.as, loadPlatformKeys(process.env).subjectIds);
  const purpose = options.purpose ?? PERSONAS[options.as].purposes[0];
  const result = await runCreditCheck(
    { url: options.endpoint, token, purpose, product: options.product },
    command.args.join(' '),
  );
  console.log(options.json ? JSON.stringify(result) : renderCheck(result));
} catch (error) {
  if (!(error instanceof CheckError)) throw error;
  console.error(error.message);
  if (options.json) console.log(JSON.stringify(error.refused));
  process.exitCode = 1;
}
