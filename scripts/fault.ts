/** `npm run fault -- <department> <fault> [--for 30s]`: switches a fault on; `none` switches it off. */
import { Command } from 'commander';
import { request } from 'undici';
import { FAULTS } from '../simulators/simulator.ts';

const command = new Command('fault')
  .argument('<department>', 'the department’s folder name')
  .argument('<fault>', `none, ${FAULTS.join(', ')}`)
  .option('--for <duration>', 'such as 500ms, 30s, 5m; left out: until switched off')
  .option(
    '--control <url>',
    'the simulators’ switchboard',
    process.env['JINXIN_CONTROL_URL'] ?? defaultControl(),
  )
  .showHelpAfterError()
  .parse();
const [department = '', fault = ''] = command.args;
const options = command.opts<{ for?: string; control: string }>();

function defaultControl(): string {
  return `http://127.0.0.1:${Number(process.env['PORT'] ?? 4000) + 90}`;
}

function toMilliseconds(text: string): number | null {
  const [, amount, unit] = /^(\d+)(ms|s|m)$/.exec(text) ?? [];
  if (amount === undefined) return null;
  return Number(amount) * (unit === 'ms' ? 1 : unit === 's' ? 1_000 : 60_000);
}

const forMs = options.for === undefined ? undefined : toMilliseconds(options.for);
if (forMs === null) {
  console.error('--for 应为数字加 ms、s 或 m，如 30s。 --for reads a number and ms, s or m, such as 30s.');
  process.exitCode = 2;
} else {
  try {
    const response = await request(`${options.control}/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        department,
        fault: fault === 'none' ? null : fault,
        ...(forMs === undefined ? {} : { forMs }),
      }),
    });
    const answer = (await response.body.json()) as { problem?: string };
    if (answer.problem !== undefined) {
      console.error(answer.problem);
      process.exitCode = 1;
    } else console.log(`${department}: ${fault}${options.for === undefined ? '' : ` for ${options.for}`}`);
  } catch (error) {
    const code =
      typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
    console.error(
      `${options.control} 无法访问。 Not reachable (${code}): run \`npm start\` or \`npm run simulators\` first.`,
    );
    process.exitCode = 1;
  }
}
