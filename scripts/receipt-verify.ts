/**
 * `npm run receipt:verify -- FILE | --qr TEXT [FILE] [--key PUBLIC.pem]`: whether an answer that somebody kept is one that we
 * gave. Offline.
 */
import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { isReceiptOf, isSigned } from '../gateway/evidence/receipt.ts';
import { readQrText } from '../gateway/evidence/receipt-qr.ts';
import { loadReceiptVerifier } from '../schema/signatures/keys.ts';
import { readReceiptFile } from './receipt-file.ts';

const command = new Command('receipt:verify')
  .description(
    'Verifies the receipt of an answer: a file with the JSON body as it came, or the text of its QR code.',
  )
  .argument('[file]')
  .option('--qr <text>', 'the text of a receipt’s QR code; with a file, whether it is of that answer')
  .option('--key <pem>', 'file with the public key of the platform; left out: the sandbox’s')
  .parse();
const [file] = command.args;
const { key, qr } = command.opts<{ key?: string; qr?: string }>();

function verify(): string | null {
  const kept = file === undefined ? null : readReceiptFile(file);
  if (qr === undefined && file === undefined)
    return '请给出文件或二维码文本。 Name a file, or give --qr TEXT.';
  if (qr === undefined && kept === null)
    return '文件中没有回执。 The file holds no receipt (extensions.receipt).';
  const receipt = qr === undefined ? kept?.receipt : readQrText(qr);
  if (receipt === undefined) return '没有回执。 There is no receipt.';
  const suite = loadReceiptVerifier(
    receipt.algorithm === 'Ed25519' ? 'Ed25519' : 'SM2-SM3',
    key === undefined ? undefined : readFileSync(key, 'utf8'),
  );
  if (suite.keyId !== receipt.keyId)
    return `回执由另一把密钥签发。 Signed with another key: ${receipt.keyId}, not ${suite.keyId}.`;
  if (kept === null && file !== undefined)
    return '文件中没有回执，无法比对。 The file holds no answer with a receipt to compare with.';
  if (kept === null ? !isSigned(suite, receipt) : !isReceiptOf(suite, receipt, kept.body))
    return '答复与回执不符：内容被改动。 The answer is not the one that was signed.';
  console.log(
    `回执有效。 Valid: ${receipt.id}, issued ${receipt.issuedAt}, ${receipt.algorithm}, key ${receipt.keyId}`,
  );
  if (kept === null) console.log(`答复摘要 SM3 of the answer that it speaks of: ${receipt.digest}`);
  return null;
}

try {
  const problem = verify();
  if (problem !== null) {
    console.error(problem);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(`${file ?? '--qr'}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
