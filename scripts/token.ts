/** `npm run token -- <persona>`: a sandbox access token, alone on its line. */
import { isProduction, loadPlatformKeys } from '../schema/keys.ts';
import { isPersona, issueSandboxToken, PERSONAS } from '../schema/sandbox-tokens.ts';

const [persona = ''] = process.argv.slice(2);
if (isProduction(process.env)) {
  console.error('The sandbox’s tokens are not for production. 沙箱令牌不得用于生产环境。');
  process.exitCode = 1;
} else if (isPersona(persona)) {
  console.log(await issueSandboxToken(persona, loadPlatformKeys(process.env).subjectIds));
} else {
  console.error(`Usage: npm run token -- <persona>\nPersonas: ${Object.keys(PERSONAS).join(', ')}`);
  process.exitCode = 2;
}
