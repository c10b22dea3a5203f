/** `npm run receipt:qr -- FILE [--svg OUT.svg]`: the QR code of a kept answer's receipt, as text and as a picture. Offline. */
import { Command } from 'commander';
import { writeFileSync } from 'node:fs';
import { renderSVG, renderUnicodeCompact } from 'uqr';
import { toQrText } from '../gateway/evidence/receipt-qr.ts';
import { readReceiptFile } from './receipt-file.ts';

const command = new Command('receipt:qr')
  .description('The QR code of a receipt, for a report on paper: it verifies with the public key alone.')
  .argument('<file>', 'the JSON body of an answer as it came')
  .option('--svg <out>', 'where to write the code as a picture')
  .parse();
const [file = ''] = command.args;
const { svg } = command.opts<{ svg?: string }>();

try {
  const kept = readReceiptFile(file);
  if (kept === null) throw new Error('文件中没有回执。 The file holds no receipt (extensions.receipt).');
  const text = toQrText(kept.receipt);
  if (svg !== undefined) writeFileSync(svg, renderSVG(text, { ecc: 'M', border: 4 }));
  else console.log(renderUnicodeCompact(text, { ecc: 'M', border: 2 }));
  console.log(text);
} catch (error) {
  console.error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
