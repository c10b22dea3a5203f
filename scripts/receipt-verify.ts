/** `npm run receipt:verify -- FILE [--key PUBLIC.pem]`: whether an answer that somebody kept is one that we gave. Offline. */
import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { isReceiptOf } from '../gateway/evidence/receipt.ts';
import { loadReceiptVerifier } from '../schema/signatures/keys.ts';

const command = new Command('receipt:verify')
  .description('Verifies the receipt of an answer: a file with the JSON body as it came.')
  .argument('<file>')
  .option('--key <pem>', 'file with the public key of the platform; left out: the sandbox’s')
  .parse();
const [file = ''] = command.args;
const { key } = command.opts<{ key?: string }>();

const answerSchema = z.looseObject({
  extensions: z.looseObject({
    receipt: z.object({
      id: z.string(),
      issuedAt: z.string(),
      algorithm: z.enum(['SM2-SM3', 'Ed25519']),
      keyId: z.string(),
      digest: z.string(),
      signature: z.string(),
    }),
  }),
});

function verify(): string | null {
  const parsed = answerSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) return '文件中没有回执。 The file holds no receipt (extensions.receipt).';
  const { extensions, ...body } = parsed.data;
  const { receipt } = extensions;
  const suite = loadReceiptVerifier(
    receipt.algorithm,
    key === undefined ? undefined : readFileSync(key, 'utf8'),
  );
  if (suite.keyId !== receipt.keyId)
    return `回执由另一把密钥签发。 Signed with another key: ${receipt.keyId}, not ${suite.keyId}.`;
  if (!isReceiptOf(suite, receipt, body))
    return '答复与回执不符：内容被改动。 The answer is not the one that was signed.';
  console.log(
    `回执有效。 Valid: ${receipt.id}, issued ${receipt.issuedAt}, ${receipt.algorithm}, key ${receipt.keyId}`,
  );
  return null;
}

try {
  const problem = verify();
  if (problem !== null) {
    console.error(problem);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
