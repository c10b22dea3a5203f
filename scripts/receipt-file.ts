/** An answer as somebody kept it: its body, and the receipt that came with it. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Receipt } from '../gateway/evidence/receipt.ts';

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

/** null: the file holds no receipt. Throws when it cannot be read or is not JSON. */
export function readReceiptFile(file: string): { receipt: Receipt; body: unknown } | null {
  const parsed = answerSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) return null;
  const { extensions, ...body } = parsed.data;
  const { receipt, ...others } = extensions;
  // What else stands there (the marks of disputed records) is signed as well.
  const isBare = Object.keys(others).length === 0;
  return { receipt, body: isBare ? body : { ...body, extensions: others } };
}
